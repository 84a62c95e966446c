"""Measurements of a tissue map on the classifier's grid: sizes, thickness and regions of tissues.

The grid says how large its cells are, and neither which eye it is nor where the fovea lies. So the
rings of the ETDRS grid lie around the middle of the scan, and of the four sectors of a ring the
thickest and the thinnest count, whichever side they are on: a mirrored map measures the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.networks.classifier_input import GridArray
from RetinaTriageLib.tissues import Tissue, TissueGroup, labels_of

FeatureVector = npt.NDArray[np.float32]
Map = npt.NDArray[np.float32]

RADII_MM = (0.5, 1.5, 3.0)  # of the ETDRS circles, DICOM PS3.17 UU.5
PRESENT = 0.25  # share of a cell from which a tissue belongs to a region; cells are thick
OF_TISSUE = ("volume", "area", "central_volume", "thickest", "regions", "largest_region")
GROUPS: tuple[tuple[TissueGroup, ...], ...] = (
    (TissueGroup.RETINA,),
    (TissueGroup.FLUID,),
    (TissueGroup.PED,),
    (TissueGroup.RETINA, TissueGroup.FLUID, TissueGroup.PED),
)
OF_GROUP = ("center", "center_thinnest", "thinnest", "thickest", "deviation", "center_empty_area")
OF_RING = ("mean", "thinnest_sector", "thickest_sector")


@dataclass(frozen=True)
class Cell:
    """Size of a grid cell (B-scan, depth, width), in mm."""

    bscan_mm: float
    depth_mm: float
    width_mm: float

    @property
    def area_mm2(self) -> float:
        """Area that it covers en face."""
        return self.bscan_mm * self.width_mm


@dataclass(frozen=True)
class Ground:
    """Where cells lie en face, arrays (B-scan, width).

    Attributes
    ----------
    circles : inside each radius of `RADII_MM`, and scanned
    sectors : of the inner, then the outer ring: four sectors each
    """

    scanned: npt.NDArray[np.bool_]
    circles: tuple[npt.NDArray[np.bool_], ...]
    sectors: tuple[tuple[npt.NDArray[np.bool_], ...], ...]


def feature_names(tissues: tuple[Tissue, ...]) -> tuple[str, ...]:
    """Names of the features, in the order of `tissue_features`."""
    groups = ["+".join(group.name.lower() for group in groups) for groups in GROUPS]
    names = [f"{tissue.name}:{what}" for tissue in tissues for what in OF_TISSUE]
    names += [f"{group}:{what}" for group in groups for what in OF_GROUP]
    rings = ("inner_ring", "outer_ring")
    names += [f"{g}:{ring}:{what}" for g in groups for ring in rings for what in OF_RING]
    return (*names, "scanned_area")


def tissue_features(grid: GridArray, cell: Cell, tissues: tuple[Tissue, ...]) -> FeatureVector:
    """Volumes in mm³, areas in mm², thickness in mm and counts, float32 array (feature,).

    Parameters
    ----------
    grid : float32 array (class, B-scan, depth, width), class fractions, zeros outside the scan
    """
    columns = grid.sum(axis=2) * np.float32(cell.depth_mm)  # (class, B-scan, width), mm
    ground = _ground(columns.sum(axis=0), cell)
    values = [
        value
        for fractions, thickness in zip(grid, columns, strict=True)
        for value in _tissue(fractions, thickness, ground, cell)
    ]
    maps = [_group_map(columns, groups, tissues) for groups in GROUPS]
    values += [value for one in maps for value in _group(one, ground, cell)]
    values += [value for one in maps for ring in ground.sectors for value in _ring(one, ring)]
    values.append(float(ground.scanned.sum()) * cell.area_mm2)
    return np.array(values, np.float32)


def _tissue(fractions: GridArray, thickness: Map, ground: Ground, cell: Cell) -> list[float]:
    """Values of `OF_TISSUE`; zeros where it is absent."""
    if not thickness.any():
        return [0.0] * len(OF_TISSUE)
    regions, count = ndimage.label(fractions >= PRESENT)
    largest = np.bincount(regions.ravel())[1:].max(initial=0)
    covered = thickness >= PRESENT * cell.depth_mm
    return [
        float(thickness.sum()) * cell.area_mm2,
        float(covered.sum()) * cell.area_mm2,
        float(thickness[ground.circles[0]].sum()) * cell.area_mm2,
        float(thickness.max()),
        float(count),
        float(largest) * cell.area_mm2 * cell.depth_mm,
    ]


def _group(thickness: Map, ground: Ground, cell: Cell) -> list[float]:
    """Values of `OF_GROUP`."""
    center, middle = (thickness[circle] for circle in ground.circles[:2])
    if not center.size:
        return [0.0] * len(OF_GROUP)
    return [
        float(center.mean()),
        float(center.min()),
        float(middle.min()),
        float(middle.max()),
        float(middle.std()),
        float((middle < cell.depth_mm).sum()) * cell.area_mm2,
    ]


def _ring(thickness: Map, sectors: tuple[npt.NDArray[np.bool_], ...]) -> list[float]:
    """Values of `OF_RING`, of the sectors that were scanned."""
    means = [float(thickness[sector].mean()) for sector in sectors if sector.any()]
    return [float(np.mean(means)), min(means), max(means)] if means else [0.0] * len(OF_RING)


def _group_map(
    columns: GridArray, groups: tuple[TissueGroup, ...], tissues: tuple[Tissue, ...]
) -> Map:
    labels = list(labels_of(*groups, tissues=tissues))
    return np.asarray(columns[labels].sum(axis=0))


def _ground(extent_mm: Map, cell: Cell) -> Ground:
    """Regions around the middle of the scan; cells without any tissue were not scanned."""
    scanned = extent_mm > 0
    bscans, widths = scanned.shape
    along = (np.arange(bscans) - (bscans - 1) / 2)[:, None] * cell.bscan_mm
    across = (np.arange(widths) - (widths - 1) / 2)[None] * cell.width_mm
    radius = np.hypot(along, across)
    lengthwise = np.abs(along) > np.abs(across)
    sides = (
        lengthwise & (along > 0),
        lengthwise & (along < 0),
        ~lengthwise & (across > 0),
        ~lengthwise & (across <= 0),
    )
    rings = ((RADII_MM[0], RADII_MM[1]), (RADII_MM[1], RADII_MM[2]))
    return Ground(
        scanned,
        tuple(scanned & (radius <= limit) for limit in RADII_MM),
        tuple(
            tuple(scanned & side & (radius > low) & (radius <= high) for side in sides)
            for low, high in rings
        ),
    )
