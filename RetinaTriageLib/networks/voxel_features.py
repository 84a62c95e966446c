"""Features of every voxel of a B-scan, for segmenters that judge one voxel at a time.

Gray values around the voxel at several scales, and where it lies between the layer surfaces that
graph search finds. Lengths are in µm, so that scanners of different sampling look alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.networks.graph_search import Surfaces, find_surfaces
from RetinaTriageLib.networks.surface_cost import comparable_gray, mean_above, mean_below
from RetinaTriageLib.volume import FloatArray, LabelArray, VoxelSpacing

FeatureArray = npt.NDArray[np.float32]

FAR_UM = 600.0  # distances to surfaces end here; beyond, only the side matters

FEATURES = (
    "raw",
    "gray_6um",
    "gray_15um",
    "gray_40um",
    "gray_100um",
    "slope_8um",
    "slope_25um",
    "roughness_40um",
    "darkest_40um",
    "mean_above_60um",
    "mean_below_60um",
    "mean_above_200um",
    "mean_below_200um",
    "brightest_above",
    "below_ilm_um",
    "above_ellipsoid_um",
    "above_epithelium_um",
    "above_membrane_um",
    "share_of_thickness",
    "thickness_um",
    "lift_um",
    "retina_of_column",
    "choroid_of_column",
    "gray_of_bscan",
    "depth_um",
    "fill",
)
"""Names of the features, in their order."""


def voxel_features(bscan: LabelArray, spacing: VoxelSpacing) -> FeatureArray:
    """Features of every voxel, float32 array (depth, width, feature), in the order of `FEATURES`.

    Parameters
    ----------
    bscan : uint8 array (depth, width)

    Raises
    ------
    InputError
        If it is no gray B-scan.
    """
    surfaces = find_surfaces(bscan[None], spacing)
    depth_um, width_um = spacing.depth_mm * 1000, spacing.width_mm * 1000
    gray = comparable_gray(bscan[None], surfaces.clipped)[0]
    planes = [
        bscan.astype(np.float32) / 255,
        *_gray_planes(gray, depth_um, width_um),
        *_place_planes(bscan.shape[0], surfaces, depth_um),
        *_column_planes(gray, surfaces),
        np.broadcast_to(np.arange(bscan.shape[0])[:, None] * depth_um, bscan.shape),
        surfaces.clipped[0],
    ]
    assert len(planes) == len(FEATURES)
    return np.stack([np.asarray(plane, np.float32) for plane in planes], axis=-1)


def _gray_planes(gray: FloatArray, depth_um: float, width_um: float) -> list[FloatArray]:
    """Gray values around each voxel, arrays (depth, width)."""
    smooth = {um: _smooth(gray, um, depth_um, width_um) for um in (6.0, 15.0, 40.0, 100.0)}
    slopes = [
        ndimage.gaussian_filter1d(smooth[6.0], um / depth_um, axis=0, order=1) * um / depth_um
        for um in (8.0, 25.0)
    ]
    variance = _smooth(gray**2, 40.0, depth_um, width_um) - smooth[40.0] ** 2
    window = tuple(max(1, 2 * round(20.0 / um) + 1) for um in (depth_um, width_um))
    near, far = (max(1, round(um / depth_um)) for um in (60.0, 200.0))
    column = smooth[6.0][None]
    return [
        *smooth.values(),
        *slopes,
        np.sqrt(np.maximum(variance, 0)),
        ndimage.minimum_filter(smooth[15.0], size=window),
        mean_above(column, near)[0],
        mean_below(column, near)[0],
        mean_above(column, far)[0],
        mean_below(column, far)[0],
        np.maximum.accumulate(smooth[15.0], axis=0),
    ]


def _place_planes(depths: int, surfaces: Surfaces, depth_um: float) -> list[FloatArray]:
    """Distances to the surfaces, arrays (depth, width)."""
    row = np.arange(depths, dtype=np.float32)[:, None]
    ilm, ellipsoid, outer, bm = (
        line[0] for line in (surfaces.ilm, surfaces.ellipsoid, surfaces.rpe_outer, surfaces.bm)
    )
    thickness = np.maximum(bm - ilm, 1.0)
    distances = [(row - ilm), (ellipsoid - row), (outer - row), (bm - row)]
    return [
        *(np.clip(distance * depth_um, -FAR_UM, FAR_UM) for distance in distances),
        np.clip((row - ilm) / thickness, -1, 2),
        np.broadcast_to(thickness * depth_um, (depths, thickness.size)),
        np.broadcast_to((bm - outer) * depth_um, (depths, thickness.size)),
    ]


def _column_planes(gray: FloatArray, surfaces: Surfaces) -> list[FloatArray]:
    """Mean gray of the retina and below it in each column, and of the B-scan, as (depth, width)."""
    row = np.arange(gray.shape[0], dtype=np.float32)[:, None]
    retina = (row >= surfaces.ilm[0]) & (row < surfaces.bm[0])
    below = row >= surfaces.bm[0]
    means = [
        (gray * part).sum(axis=0) / np.maximum(part.sum(axis=0), 1) for part in (retina, below)
    ]
    return [
        *(np.broadcast_to(mean, gray.shape) for mean in means),
        np.full(gray.shape, gray.mean()),
    ]


def _smooth(gray: FloatArray, sigma_um: float, depth_um: float, width_um: float) -> FloatArray:
    blurred = ndimage.gaussian_filter(
        gray, (sigma_um / depth_um, sigma_um / width_um), truncate=3.0
    )
    return np.asarray(blurred)
