"""From surfaces to regions and tissue labels, one B-scan at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.phantoms.anatomy import LAYERS
from RetinaTriageLib.phantoms.fields import Array
from RetinaTriageLib.phantoms.lesions import Cyst, Exudate, Hole, Lesions
from RetinaTriageLib.phantoms.surfaces import REGIONS, Surfaces
from RetinaTriageLib.tissues import TISSUE_BY_NAME

RegionArray = npt.NDArray[np.uint8]

CYST, EXUDATE, HYALOID = len(REGIONS), len(REGIONS) + 1, len(REGIONS) + 2

_TISSUE_OF_REGION = {
    "vitreous": "vitreous_subhyaloid",
    "erm": "epiretinal_membrane",
    "srf": "subretinal_fluid",
    "shrm": "subretinal_hyperreflective_material",
    "rpe": "rpe",
    "ped": "drusenoid_ped",
    "choroid": "choroid_outer",
    "sclera": "choroid_outer",
} | dict.fromkeys(LAYERS, "neurosensory_retina")

_LABELS = np.array(
    [TISSUE_BY_NAME[_TISSUE_OF_REGION[region]].label for region in REGIONS]
    + [
        TISSUE_BY_NAME[name].label
        for name in ("intraretinal_fluid", "neurosensory_retina", "posterior_hyaloid")
    ],
    dtype=np.uint8,
)
_FIRST_LAYER, _LAST_LAYER = REGIONS.index("gcl"), REGIONS.index("onl")


def paint_regions(surfaces: Surfaces, lesions: Lesions, bscan: int, depth_mm: Array) -> RegionArray:
    """Region of every voxel of one B-scan, uint8 array (depth, A-scan), at the given depths."""
    boundaries = surfaces.boundary_mm[:, bscan]
    regions = np.zeros((len(depth_mm), boundaries.shape[1]), dtype=np.uint8)
    rows = np.searchsorted(depth_mm, boundaries)
    columns = np.arange(boundaries.shape[1])
    for row in rows:
        inside = row < len(depth_mm)
        regions[row[inside], columns[inside]] += 1
    np.cumsum(regions, axis=0, out=regions)
    for cyst in lesions.cysts:
        _paint_blob(regions, surfaces, bscan, depth_mm, cyst)
    for exudate in lesions.exudates:
        _paint_blob(regions, surfaces, bscan, depth_mm, exudate)
    if lesions.hole is not None:
        _cut_hole(regions, surfaces, bscan, depth_mm, lesions.hole)
    front, rear = surfaces.hyaloid_mm[:, bscan]
    depth = depth_mm[:, None]
    with np.errstate(invalid="ignore"):
        veil = (depth >= front) & (depth < rear) & (regions == 0)
    regions[veil] = HYALOID
    return regions


def tissue_labels(regions: RegionArray, ped_label: Array) -> RegionArray:
    """Tissue labels of painted regions, uint8 array (depth, A-scan)."""
    labels = _LABELS[regions]
    ped = regions == REGIONS.index("ped")
    labels[ped] = np.broadcast_to(ped_label, labels.shape)[ped]
    return labels


def _paint_blob(
    regions: RegionArray, surfaces: Surfaces, bscan: int, depth_mm: Array, blob: Cyst | Exudate
) -> None:
    """Paint an ellipsoid into the layers from ganglion cells to outer nuclear layer."""
    if isinstance(blob, Cyst):
        code, (across, along, deep) = CYST, blob.radii
    else:
        code, across, along, deep = EXUDATE, blob.radius, 2 * blob.radius, blob.radius
    x, y = surfaces.x_mm[bscan], surfaces.y_mm[bscan]
    squared = ((x - blob.center[0]) / across) ** 2 + ((y - blob.center[1]) / along) ** 2
    columns = np.flatnonzero(squared < 1)
    if columns.size == 0:
        return
    middle = columns[np.argmin(squared[columns])]
    top = surfaces.top_mm("gcl")[bscan, middle]
    bottom = surfaces.top_mm("is")[bscan, middle]
    center = top + blob.level * (bottom - top)
    reach = deep * np.sqrt(1 - squared[columns])
    first, last = np.searchsorted(depth_mm, (center - deep, center + deep))
    window = regions[first:last, columns]
    inside = np.abs(depth_mm[first:last, None] - center) < reach
    layer = (window >= _FIRST_LAYER) & (window <= _LAST_LAYER)
    regions[first:last, columns] = np.where(inside & layer, code, window)


def _cut_hole(
    regions: RegionArray, surfaces: Surfaces, bscan: int, depth_mm: Array, hole: Hole
) -> None:
    """Take the retina away around the fovea: an hourglass, or a pit for a partial hole."""
    x, y = surfaces.x_mm[bscan], surfaces.y_mm[bscan]
    distance = np.hypot(x, y) * (1 + 0.08 * hole.outline(x, y))
    ilm = surfaces.top_mm("erm")[bscan]
    span = np.maximum(surfaces.top_mm("srf")[bscan] - ilm, 1e-3)
    level = (depth_mm[:, None] - ilm) / span
    if hole.depth < 1:
        radius = hole.radius + hole.flare * (1 - level / hole.depth)
        missing = (distance < radius) & (level < hole.depth)
    else:
        radius = hole.radius + hole.flare * np.abs(level - 0.6) ** 1.5
        missing = distance < radius
    missing &= (level > -0.2) & (regions > 0) & (regions < REGIONS.index("rpe"))
    missing |= (distance < radius) & (level < hole.depth) & (regions == CYST)
    regions[missing] = 0
