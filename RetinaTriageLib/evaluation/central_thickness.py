"""Central subfield thickness (CST) of a predicted map against that of the true one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.measures.etdrs import sector_means
from RetinaTriageLib.measures.etdrs_grid import etdrs_grid
from RetinaTriageLib.measures.measure import measure
from RetinaTriageLib.measures.surfaces import retina_borders
from RetinaTriageLib.measures.thickness import retinal_thickness
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.volume import LabelArray, OCTVolume

CENTER_SECTOR = "C0"


@dataclass(frozen=True)
class CentralThickness:
    """Mean thickness in the central 1 mm circle, ILM to Bruch's membrane, in µm.

    Attributes
    ----------
    truth_um : of the true map around the true fovea
    predicted_um : of the predicted map around the true fovea, so that only surfaces differ
    found_um : of the predicted map around the fovea found on it, as a user gets it
    fovea_error_mm : distance from the true fovea to the found one
    """

    truth_um: float
    predicted_um: float
    found_um: float
    fovea_error_mm: float

    @property
    def error_um(self) -> float:
        """Thickness as a user gets it minus the true one."""
        return self.found_um - self.truth_um

    @property
    def surface_error_um(self) -> float:
        """Predicted minus true thickness around the same center."""
        return self.predicted_um - self.truth_um


def central_thickness(
    volume: OCTVolume, truth: LabelArray, predicted: LabelArray, fovea: Fovea
) -> CentralThickness:
    """Thickness at the fovea on the true and on the predicted map.

    Parameters
    ----------
    truth, predicted : uint8 arrays (B-scan, depth, width)
    fovea : where it is in truth

    Raises
    ------
    GeometryError
        If spacing or laterality is unknown, or the scan is not a raster of B-scans.
    """
    found = measure(volume, (predicted,), predicted).etdrs
    return CentralThickness(
        truth_um=_at(volume, truth, fovea),
        predicted_um=_at(volume, predicted, fovea),
        found_um=found.thickness_um[CENTER_SECTOR] if found else float("nan"),
        fovea_error_mm=_distance_mm(volume, fovea, found.center) if found else float("nan"),
    )


def _at(volume: OCTVolume, tissue_map: LabelArray, center: Fovea) -> float:
    ilm, bruch = retina_borders(tissue_map)
    thickness_um = retinal_thickness(ilm, bruch, volume.require_spacing().depth_mm)
    return sector_means(etdrs_grid(volume, center), thickness_um)[CENTER_SECTOR]


def _distance_mm(volume: OCTVolume, first: Fovea, second: Fovea) -> float:
    spacing = volume.require_spacing()
    bscan_mm = spacing.column_mm2 / spacing.width_mm
    return float(
        np.hypot(
            (first.bscan - second.bscan) * bscan_mm, (first.width - second.width) * spacing.width_mm
        )
    )
