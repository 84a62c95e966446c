"""Measurements of a tissue map that a few changed voxels move little.

A segmenter in bfloat16 gives some voxels in a hundred thousand, at the borders of tissues, another
class than in float32, and so would a second scan of the same eye. Nothing that such a voxel does
may turn a score: no measurement here asks whether a tissue exists, counts regions, or looks at the
largest or smallest cell alone. Each changes at most in proportion to the volume of what changed.
A mirrored map measures the same.
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

STEADY_VERSION = 2
"""Version that bundles state. Trees know a measurement by its place alone, so whoever changes one,
or their order, takes a new version."""

COVER_MM = 0.02
"""Thickness from which a tissue covers a cell wholly: five voxels of a scanner. Less covers a part
of it."""
SEEN_MM3 = 0.003
"""Volume of a lesion that can be seen: 3 nl, a cube of 0.14 mm. Segmenters find as much where there
is none. Sizes count by their logarithm far above it, and by their square far below."""
SEEN_MM2 = 0.1
"""Area that such a lesion covers where it is 0.03 mm thick."""
SEEN_MM = 0.03
"""Its thickness then. That of lesions counts wholly far above it, and by its square far below."""
PEAK_MM2 = 0.1
"""Area whose mean is taken for the thickest, or thinnest, place: a third of a millimeter wide, as
an electronic caliper on a few neighboring A-scans and B-scans would find it."""
HOLE_MM = 0.05
"""Thickness from which a place is not empty at all; without any it is wholly so. A retina of half
of that is a remnant at the floor of a hole."""
SEEN_OUTLINE_MM = 1.5
"""Outline of a spot of `SEEN_MM2`, somewhat blurred."""
BLUR_MM = 0.5
"""Side of the square over which what is covered is averaged before its outline is taken: single
voxels here and there would have the outline of a lesion."""
NEARBY_MM = 1.0
"""Side of the square in which the most of a tissue is sought: what lies together, whether or not
single voxels join it into one region."""
REACH_MM = 0.2
"""Thickness up to which tissue in front of the retina and behind it counts, and artifacts. They
reach the border of the grid, which moves by whole cells with the middle of the retina."""

SIZE_RANGE = 3.0
"""Least range of a split of a logarithm: 20 times a size. A border moved by a voxel along all of a
small lesion is a fiftieth of that."""
THICKNESS_RANGE_MM, DEVIATION_RANGE_MM, AREA_RANGE_MM2 = 0.1, 0.02, 1.0
"""Least ranges of splits of other measurements, for the same reason."""

UNBOUNDED = (TissueGroup.VITREOUS, TissueGroup.CHOROID, TissueGroup.ARTIFACT)
WALLS = ((TissueGroup.RETINA,), (TissueGroup.RETINA, TissueGroup.FLUID, TissueGroup.PED))
"""Groups that every eye has; thinness and gaps tell as much as thickness."""
LESIONS = ((TissueGroup.FLUID,), (TissueGroup.PED,))
"""Groups that most eyes lack."""
OF_TISSUE = ("volume", "area", "central_volume", "thickest", "outline", "nearby_volume")
OF_WALL = ("center", "center_thinnest", "thinnest", "thickest", "deviation", "center_empty_area")
OF_LESION = ("center", "thickest", "deviation")
OF_RING = ("mean", "thinnest_sector", "thickest_sector")
RINGS = ("inner_ring", "outer_ring")


def steady_feature_names(tissues: tuple[Tissue, ...]) -> tuple[str, ...]:
    """Names of the features, in the order of `steady_features`."""
    names = [f"{tissue.name}:{what}" for tissue in tissues for what in OF_TISSUE]
    for groups, values in ((WALLS, OF_WALL), (LESIONS, OF_LESION)):
        for group in groups:
            title = "+".join(one.name.lower() for one in group)
            names += [f"{title}:{what}" for what in values]
            names += [f"{title}:{ring}:{what}" for ring in RINGS for what in OF_RING]
    return (*names, "scanned_area")


def steady_ranges(tissues: tuple[Tissue, ...]) -> FeatureVector:
    """Range over which a split has to turn at least, float32 array (feature,)."""
    sizes = (what for what in OF_TISSUE if what != "thickest")
    least = dict.fromkeys(sizes, SIZE_RANGE)
    least |= {"deviation": DEVIATION_RANGE_MM}
    least |= dict.fromkeys(("center_empty_area", "scanned_area"), AREA_RANGE_MM2)
    kinds = [name.rpartition(":")[2] for name in steady_feature_names(tissues)]
    return np.array([least.get(kind, THICKNESS_RANGE_MM) for kind in kinds], np.float32)


def steady_features(grid: GridArray, cell: Cell, tissues: tuple[Tissue, ...]) -> FeatureVector:
    """Thickness in mm, and logarithms of sizes beside that of a lesion that can be seen.

    Parameters
    ----------
    grid : float32 array (class, B-scan, depth, width), class fractions, zeros outside the scan

    Returns
    -------
    float32 array (feature,)
    """
    columns = thickness_maps(grid, cell)
    ground = ground_of(columns.sum(axis=0), cell)
    values = [
        value
        for tissue, thickness in zip(tissues, columns, strict=True)
        for value in _tissue(_bounded(thickness, tissue), ground, cell)
    ]
    for group in WALLS:
        values += _wall(group_map(columns, group, tissues), ground, cell)
    for group in LESIONS:
        values += _lesion(group_map(columns, group, tissues), ground, cell)
    values.append(float(ground.scanned.sum()) * cell.area_mm2)
    return np.array(values, np.float32)


def thickest_mm(thickness: npt.NDArray[np.float32], cell: Cell) -> float:
    """Mean thickness over the thickest `PEAK_MM2`, wherever its cells lie; over all if smaller.

    The largest cell alone would follow a single voxel that comes or goes on top of it.

    Parameters
    ----------
    thickness : float32 array of any shape, of cells side by side
    """
    count = max(1, round(PEAK_MM2 / cell.area_mm2))
    values = thickness.ravel()
    if count >= values.size:
        return float(values.mean()) if values.size else 0.0
    return float(np.partition(values, values.size - count)[-count:].mean())


def covered_share(thickness: Map) -> Map:
    """Share of each cell that a tissue covers, float32 array (B-scan, width).

    It grows evenly with the thickness up to `COVER_MM`, where a mere test would turn at one voxel.
    """
    return np.asarray(np.minimum(thickness / np.float32(COVER_MM), np.float32(1)))


def outline_mm(covered: Map, cell: Cell) -> float:
    """Length of the borders of what a tissue covers, in mm, along B-scans and across them.

    With the area it tells many spots from one, and a smooth band from a ragged one, where a number
    of regions would jump whenever a voxel joins two of them.

    Parameters
    ----------
    covered : float32 array (B-scan, width), see `covered_share`
    """
    blurred = ndimage.uniform_filter(
        covered.astype(np.float64), _window(BLUR_MM, cell), mode="nearest"
    )
    across = np.abs(np.diff(blurred, axis=0)).sum() * cell.width_mm
    along = np.abs(np.diff(blurred, axis=1)).sum() * cell.bscan_mm
    return float(across + along)


def nearby_mm3(thickness: Map, cell: Cell) -> float:
    """Largest volume of a tissue in a square of `NEARBY_MM`, in mm³.

    It stands for the largest region, which would lose half of itself where a voxel parts it.
    """
    bscans, widths = _window(NEARBY_MM, cell)
    mean = ndimage.uniform_filter(thickness.astype(np.float64), (bscans, widths), mode="constant")
    return max(float(mean.max()), 0.0) * bscans * widths * cell.area_mm2


def _window(side_mm: float, cell: Cell) -> tuple[int, int]:
    """Cells of a square around a cell, as many on either side: (B-scan, width)."""
    bscans, widths = (2 * int(side_mm / 2 / step) + 1 for step in (cell.bscan_mm, cell.width_mm))
    return bscans, widths


def _bounded(thickness: Map, tissue: Tissue) -> Map:
    """Thickness of a tissue, up to `REACH_MM` where it has no end of its own."""
    if tissue.group not in UNBOUNDED:
        return thickness
    return np.asarray(np.minimum(thickness, np.float32(REACH_MM)))


def _tissue(thickness: Map, ground: Ground, cell: Cell) -> list[float]:
    """Values of `OF_TISSUE`; zeros where it is absent."""
    if not thickness.any():
        return [0.0] * len(OF_TISSUE)
    center = thickness[ground.circles[0]].sum(dtype=np.float64)
    covered = covered_share(thickness)
    return [
        _size(float(thickness.sum(dtype=np.float64)) * cell.area_mm2, SEEN_MM3),
        _size(float(covered.sum(dtype=np.float64)) * cell.area_mm2, SEEN_MM2),
        _size(float(center) * cell.area_mm2, SEEN_MM3),
        _seen_mm(thickest_mm(thickness, cell)),
        _size(outline_mm(covered, cell), SEEN_OUTLINE_MM),
        _size(nearby_mm3(thickness, cell), SEEN_MM3),
    ]


def _wall(thickness: Map, ground: Ground, cell: Cell) -> list[float]:
    """Values of `OF_WALL`, and of `OF_RING` in both rings."""
    center, middle = (thickness[circle] for circle in ground.circles[:2])
    rings = [value for ring in ground.sectors for value in ring_values(thickness, ring)]
    if not center.size:
        return [0.0] * len(OF_WALL) + rings
    empty = np.maximum(1 - middle / HOLE_MM, 0).sum(dtype=np.float64)
    return [
        float(center.mean()),
        -thickest_mm(-center, cell),
        -thickest_mm(-middle, cell),
        thickest_mm(middle, cell),
        float(middle.std()),
        float(empty) * cell.area_mm2,
        *rings,
    ]


def _lesion(thickness: Map, ground: Ground, cell: Cell) -> list[float]:
    """Values of `OF_LESION`, and of `OF_RING` in both rings."""
    center, middle = (thickness[circle] for circle in ground.circles[:2])
    rings = [value for ring in ground.sectors for value in ring_values(thickness, ring)]
    if not center.size:
        found = [0.0] * len(OF_LESION) + rings
    else:
        found = [float(center.mean()), thickest_mm(middle, cell), float(middle.std()), *rings]
    return [_seen_mm(value) for value in found]


def _size(found: float, seen: float) -> float:
    """Logarithm of a size beside one that can be seen; from zero on it rises with the square."""
    return float(np.log1p((found / seen) ** 2)) / 2


def _seen_mm(thickness: float) -> float:
    """Thickness of a lesion, less `SEEN_MM`; from zero on it rises with the square."""
    return float(np.hypot(thickness, SEEN_MM)) - SEEN_MM
