"""The fovea, found as the pit of the retina near the center of the scan.

Three thickness-like maps are asked where the pit lies, each blind to another disease: retina with
cysts (blind to drusen and subretinal fluid), retina without cysts, and the height of the ILM. A
pit rises on all sides, the foot of a swelling only on one. The maps vote by the median, so one
map that disease has spoiled does not decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from RetinaTriageLib.measures.regions import Float64Array
from RetinaTriageLib.measures.surfaces import SurfaceArray
from RetinaTriageLib.result import EnFaceArray, Fovea
from RetinaTriageLib.volume import FloatArray, VoxelSpacing

PIT_SOURCE = "automatic (foveal pit)"
NO_PIT_SOURCE = "scan center (no pit found)"

# Our own choices, in mm and µm, tried on phantoms. A healthy pit has its rim at a radius of
# 1.1-1.2 mm and is about 80-100 µm deep (Tick 2011, by CLINICAL.md section 7).
SMOOTHING_MM = 0.1
RIM_MM = 0.8
MIN_DEPTH_UM = 15.0
SEARCH_MM = 2.0
UM_LOST_PER_MM2 = 5.0  # a pit far from the scan center must be this much deeper
FIT_RADII_MM = (0.2, 0.3, 0.4)
MIN_BEND_UM_PER_MM2 = 10.0  # a pit bends by some hundred
FIT_BSCANS = 2.0  # and at least this many B-scans on either side

# A patient who fixates puts the fovea at the center; one who cannot may miss it by this much.
NO_PIT_UNCERTAINTY_MM = 1.0

_DIRECTIONS = np.arange(8) * (np.pi / 4)


def find_fovea(maps_um: Sequence[EnFaceArray], spacing: VoxelSpacing) -> Fovea:
    """Position of the foveal pit, or of the scan center where there is no pit.

    Parameters
    ----------
    maps_um : float32 arrays (B-scan, width), each lowest at the fovea; NaN without data

    Returns
    -------
    Fovea
        ``uncertainty_mm`` is the deviation between maps and between radii of the fitted bowl,
        plus a quarter of the B-scan distance.

    Raises
    ------
    GeometryError
        If the B-scan distance is unknown.
    """
    cell_mm = (spacing.column_mm2 / spacing.width_mm, spacing.width_mm)
    smooth = [_smooth(np.asarray(of, dtype=np.float64), cell_mm) for of in maps_um]
    depths_um = np.array([pit_depth(of, cell_mm) for of in smooth])  # (map, B-scan, width)
    shape = smooth[0].shape
    middle = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    distance_mm = _distance_mm(shape, cell_mm, middle)
    score = np.median(depths_um, axis=0)
    score[distance_mm > SEARCH_MM] = -np.inf
    best = np.unravel_index(np.argmax(score - UM_LOST_PER_MM2 * distance_mm**2), shape)
    if score[best] < MIN_DEPTH_UM:
        return Fovea(middle[0], middle[1], NO_PIT_UNCERTAINTY_MM, NO_PIT_SOURCE)
    peak = (float(best[0]), float(best[1]))
    seen = [of for of, depth_um in zip(smooth, depths_um, strict=True) if depth_um[best] > 0]
    radii_mm = [max(radius_mm, FIT_BSCANS * cell_mm[0]) for radius_mm in FIT_RADII_MM]
    bowls = [bowl_bottom(of, cell_mm, peak, radius_mm) for of in seen for radius_mm in radii_mm]
    found = np.array([bottom for bottom in bowls if bottom is not None] or [peak])
    bscan, width = np.clip(found.mean(axis=0), 0, np.array(shape) - 1)
    scatter_mm = np.linalg.norm(found.std(axis=0) * cell_mm)
    uncertainty_mm = float(np.hypot(scatter_mm, cell_mm[0] / 4))
    return Fovea(float(bscan), float(width), uncertainty_mm, PIT_SOURCE)


def ilm_height(ilm: SurfaceArray, spacing: VoxelSpacing) -> EnFaceArray:
    """Height of the ILM over its own tilt and bend, in µm, float32 array (B-scan, width).

    Parameters
    ----------
    ilm : float32 array (B-scan, width), in px, NaN where unknown
    """
    known = np.isfinite(ilm)
    height = np.full(ilm.shape, np.nan)
    if not known.any():
        return height.astype(np.float32)
    bscan, width = (np.linspace(-1, 1, size) for size in ilm.shape)
    terms = _quadratic(*np.meshgrid(bscan, width, indexing="ij"))  # (term, B-scan, width)
    bend, *_ = np.linalg.lstsq(terms[:, known].T, ilm[known], rcond=None)
    height[known] = bend @ terms[:, known] - ilm[known]
    return np.asarray(height * spacing.depth_mm * 1000, dtype=np.float32)


def pit_depth(smooth_um: Float64Array, cell_mm: tuple[float, float]) -> Float64Array:
    """Depth of the pit that each A-scan would be the bottom of, in µm; -inf where unknown.

    The second lowest of eight points on the rim counts, so one dip in the rim is forgiven.
    At least six of them must be inside the data.

    Parameters
    ----------
    smooth_um : float array (B-scan, width), NaN without data
    """
    bscans, widths = smooth_um.shape
    reach = [int(np.ceil(RIM_MM / length)) for length in cell_mm]
    padded = np.pad(smooth_um, [(reach[0],) * 2, (reach[1],) * 2], constant_values=np.nan)
    rim = np.empty((len(_DIRECTIONS), bscans, widths))
    for index, direction in enumerate(_DIRECTIONS):
        bscan = reach[0] + round(np.sin(direction) * RIM_MM / cell_mm[0])
        width = reach[1] + round(np.cos(direction) * RIM_MM / cell_mm[1])
        rim[index] = padded[bscan : bscan + bscans, width : width + widths]
    seen = np.isfinite(rim).sum(axis=0)
    second_lowest = np.sort(rim, axis=0)[1]  # NaN sorts last
    known = np.isfinite(smooth_um) & (seen >= 6)
    return np.where(known, second_lowest - smooth_um, -np.inf)


def bowl_bottom(
    smooth_um: Float64Array,
    cell_mm: tuple[float, float],
    start: tuple[float, float],
    radius_mm: float,
) -> tuple[float, float] | None:
    """Bottom of the quadratic bowl fitted around a start, as (B-scan, width) index.

    None where the map hardly curves upwards there or the bottom lies beyond the radius.
    """
    near = _distance_mm(smooth_um.shape, cell_mm, start) <= radius_mm
    near &= np.isfinite(smooth_um)
    bscan, width = np.nonzero(near)
    along = (bscan - start[0]) * cell_mm[0]
    across = (width - start[1]) * cell_mm[1]
    terms = _quadratic(along, across)
    (_, slope_b, slope_w, bend_b, twist, bend_w), *_ = np.linalg.lstsq(
        terms.T, smooth_um[near], rcond=None
    )
    bend = np.array([[2 * bend_b, twist], [twist, 2 * bend_w]])
    if np.linalg.eigvalsh(bend)[0] < MIN_BEND_UM_PER_MM2:
        return None
    bottom_mm = np.linalg.solve(bend, [-slope_b, -slope_w])
    if np.linalg.norm(bottom_mm) > radius_mm:
        return None
    return start[0] + bottom_mm[0] / cell_mm[0], start[1] + bottom_mm[1] / cell_mm[1]


def _smooth(map_um: Float64Array, cell_mm: tuple[float, float]) -> Float64Array:
    """Gaussian mean of the known values; NaN stays where less than half of the weight is known."""
    sigma = [SMOOTHING_MM / length for length in cell_mm]
    known = np.isfinite(map_um)
    weight = ndimage.gaussian_filter(known.astype(np.float64), sigma, mode="nearest")
    total = ndimage.gaussian_filter(np.where(known, map_um, 0.0), sigma, mode="nearest")
    mean = np.full(map_um.shape, np.nan)
    np.divide(total, weight, out=mean, where=weight > 0.5)
    return mean


def _distance_mm(
    shape: tuple[int, ...], cell_mm: tuple[float, float], position: tuple[float, float]
) -> Float64Array:
    bscan_mm = (np.arange(shape[0]) - position[0]) * cell_mm[0]
    width_mm = (np.arange(shape[1]) - position[1]) * cell_mm[1]
    return np.asarray(np.hypot(bscan_mm[:, None], width_mm), dtype=np.float64)


def _quadratic(along: FloatArray, across: FloatArray) -> Float64Array:
    return np.stack([np.ones_like(along), along, across, along**2, along * across, across**2])
