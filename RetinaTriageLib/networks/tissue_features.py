"""First measurements of a tissue map, which trees of bundles up to 0.4 take.

Sizes, thickness and regions of tissues, on the classifier's grid. Some of them jump where a few
voxels change: the largest and smallest thickness are those of single cells, and regions are counted
whole. New trees take `steady_features` instead. A mirrored map measures the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.networks.classifier_input import GridArray
from RetinaTriageLib.networks.map_places import (
    Cell,
    Ground,
    Map,
    ground_of,
    group_map,
    ring_values,
    thickness_maps,
)
from RetinaTriageLib.tissues import Tissue, TissueGroup

FeatureVector = npt.NDArray[np.float32]

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
    columns = thickness_maps(grid, cell)
    ground = ground_of(columns.sum(axis=0), cell)
    values = [
        value
        for fractions, thickness in zip(grid, columns, strict=True)
        for value in _tissue(fractions, thickness, ground, cell)
    ]
    maps = [group_map(columns, groups, tissues) for groups in GROUPS]
    values += [value for one in maps for value in _group(one, ground, cell)]
    values += [value for one in maps for ring in ground.sectors for value in ring_values(one, ring)]
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
