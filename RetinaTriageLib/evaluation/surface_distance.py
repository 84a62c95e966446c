"""Distance along the A-scan between the surfaces of two tissue maps, in µm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.measures.surfaces import SurfaceArray, retinal_surfaces
from RetinaTriageLib.tissues import TISSUES, Tissue
from RetinaTriageLib.volume import LabelArray

ILM, INNER_RPE, BRUCH = "ilm", "inner_rpe", "bruch"

SURFACE_TITLES = {
    ILM: "Internal limiting membrane",
    INNER_RPE: "Inner border of the RPE",
    BRUCH: "Bruch's membrane",
}


@dataclass(frozen=True)
class SurfaceDistance:
    """How far a predicted surface lies from the true one.

    Attributes
    ----------
    absolute_um : mean distance; NaN where no A-scan has both
    signed_um : mean of predicted minus true depth, positive where the prediction lies deeper
    compared : A-scans that have both surfaces
    missed : share of the A-scans with the true surface that lack the predicted one; NaN for none
    """

    absolute_um: float
    signed_um: float
    compared: int
    missed: float


def surface_distances(
    truth: LabelArray,
    predicted: LabelArray,
    depth_mm: float,
    tissues: tuple[Tissue, ...] = TISSUES,
) -> Mapping[str, SurfaceDistance]:
    """Distance of ILM, inner RPE and Bruch's membrane between two maps.

    Parameters
    ----------
    truth, predicted : uint8 arrays (B-scan, depth, width)
    depth_mm : distance between voxels along the depth

    Raises
    ------
    InputError
        If the maps differ in shape.
    """
    if truth.shape != predicted.shape:
        msg = f"Found maps of {truth.shape} and {predicted.shape}; expected maps of one scan."
        raise InputError(msg)
    true, found = retinal_surfaces(truth, tissues), retinal_surfaces(predicted, tissues)
    return {
        ILM: surface_distance(true.ilm, found.ilm, depth_mm),
        INNER_RPE: surface_distance(true.inner_rpe, found.inner_rpe, depth_mm),
        BRUCH: surface_distance(true.bruch, found.bruch, depth_mm),
    }


def surface_distance(
    truth: SurfaceArray, predicted: SurfaceArray, depth_mm: float
) -> SurfaceDistance:
    """Distance of one surface, over the A-scans that show it in both maps.

    Parameters
    ----------
    truth, predicted : float32 arrays (B-scan, width), in px; NaN where the surface is not there
    """
    there = np.isfinite(truth)
    both = there & np.isfinite(predicted)
    missed = 1 - both.sum() / there.sum() if there.any() else float("nan")
    if not both.any():
        return SurfaceDistance(float("nan"), float("nan"), 0, float(missed))
    deeper_um = (predicted[both].astype(np.float64) - truth[both]) * depth_mm * 1000
    return SurfaceDistance(
        float(np.abs(deeper_um).mean()), float(deeper_um.mean()), int(both.sum()), float(missed)
    )
