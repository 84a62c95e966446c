"""How B-scans look, in figures that do not ask where a lesion lies.

Layers are found by graph search, in real B-scans and in phantoms alike, so that both are measured
with one instrument. Gray values are those of the display, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.graph_search import Surfaces, find_surfaces
from RetinaTriageLib.networks.surface_cost import BoolArray
from RetinaTriageLib.volume import FloatArray, LabelArray, VoxelSpacing

PROFILE_UM = np.arange(-600.0, 350.0, 4.0)
"""Depths of a profile, from the outer edge of the pigment epithelium, away from the vitreous."""

REGIONS = ("vitreous", "inner retina", "outer nuclear", "receptors, RPE", "choroid", "deep")
PATCHES = ("retina", "vitreous")  # whose texture is measured
LAGS = np.arange(1, 11)
LEVELS = 64
SURE = 0.5  # confidence from which a column is measured
LEAST_SURE_SHARE = 0.3  # B-scans with fewer sure columns, such as blinks, are left out
LARGE_SCALE_PX = 8.0  # slower changes are anatomy, not texture, and leave the autocorrelation


@dataclass(frozen=True)
class PictureStatistics:
    """Statistics of a set of B-scans.

    Attributes
    ----------
    profile : float array (B-scan, depth), mean gray at `PROFILE_UM`
    histogram : float array (`LEVELS`,), share of the pixels that hold data
    region_gray, region_contrast : float array (B-scan, region); mean, and standard deviation of the
        pixels divided by it
    lateral, axial : one of `PATCHES` to float array (B-scan, lag), autocorrelation
        of the texture at `LAGS` px
    """

    profile: FloatArray
    histogram: FloatArray
    region_gray: FloatArray
    region_contrast: FloatArray
    lateral: dict[str, FloatArray]
    axial: dict[str, FloatArray]


def measure_pictures(images: Sequence[LabelArray], spacing: VoxelSpacing) -> PictureStatistics:
    """Statistics of B-scans; those whose layers cannot be found are left out.

    Parameters
    ----------
    images : uint8 arrays (depth, width)

    Raises
    ------
    InputError
        If layers are found in none of the B-scans.
    """
    measured = []
    for image in images:
        if image.min() == image.max():
            continue
        surfaces = find_surfaces(image[None], spacing)
        sure = _sure_columns(surfaces)
        if sure.mean() >= LEAST_SURE_SHARE:
            measured.append(_measure(image, surfaces, sure, spacing))
    if not measured:
        msg = f"Found layers in none of {len(images)} B-scans; expected macular B-scans, vitreous "
        msg += "on top. Check --spacing-um and --bscan-axis."
        raise InputError(msg)

    return PictureStatistics(
        profile=np.concatenate([one.profile for one in measured]),
        histogram=np.mean([one.histogram for one in measured], axis=0),
        region_gray=np.concatenate([one.region_gray for one in measured]),
        region_contrast=np.concatenate([one.region_contrast for one in measured]),
        lateral={n: np.concatenate([one.lateral[n] for one in measured]) for n in PATCHES},
        axial={n: np.concatenate([one.axial[n] for one in measured]) for n in PATCHES},
    )


def known_mean(values: FloatArray) -> FloatArray:
    """Mean over the B-scans, without those that hold NaN there; NaN where all do."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def known_deviation(values: FloatArray) -> FloatArray:
    """Root mean square deviation between the B-scans; NaN as in `known_mean`."""
    return np.asarray(np.sqrt(known_mean((values - known_mean(values)) ** 2)))


def _measure(
    image: LabelArray, surfaces: Surfaces, sure: BoolArray, spacing: VoxelSpacing
) -> PictureStatistics:
    """Statistics of one B-scan."""
    gray = image.astype(np.float32) / 255
    depth_um = spacing.depth_mm * 1000
    data = ~surfaces.clipped[0]
    regions = [mask & data & sure for mask in _regions(surfaces, image.shape[0], depth_um)]
    pixels = [gray[mask] if mask.any() else np.array([np.nan]) for mask in regions]
    means = np.array([values.mean() for values in pixels])
    deviations = np.array([values.std() for values in pixels])
    histogram = np.histogram(gray[data], bins=LEVELS, range=(0, 1))[0] / data.sum()
    texture = gray - gaussian_filter(gray, LARGE_SCALE_PX)
    patches = dict(zip(PATCHES, (regions[1] | regions[2], regions[0]), strict=True))
    return PictureStatistics(
        profile=_profile(np.where(data, gray, np.nan), surfaces, sure, depth_um)[None],
        histogram=histogram,
        region_gray=means[None],
        region_contrast=(deviations / means)[None],
        lateral={n: _autocorrelation(texture.T, m.T)[None] for n, m in patches.items()},
        axial={n: _autocorrelation(texture, m)[None] for n, m in patches.items()},
    )


def _sure_columns(surfaces: Surfaces) -> BoolArray:
    names = ("ilm", "ellipsoid", "rpe_outer")
    sure: BoolArray = np.all([surfaces.confidence[name][0] >= SURE for name in names], axis=0)
    return sure


def _regions(surfaces: Surfaces, depths: int, depth_um: float) -> list[BoolArray]:
    """Masks (depth, width) in the order of `REGIONS`, with a distance to every boundary."""
    row = np.arange(depths, dtype=np.float32)[:, None]
    ilm, ellipsoid, bm = surfaces.ilm[0], surfaces.ellipsoid[0], surfaces.bm[0]
    limits = (
        (ilm - 300 / depth_um, ilm - 40 / depth_um),
        (ilm + 15 / depth_um, ilm + 0.45 * (ellipsoid - ilm)),
        (ellipsoid - 60 / depth_um, ellipsoid - 15 / depth_um),
        (ellipsoid, surfaces.rpe_outer[0]),
        (bm + 20 / depth_um, bm + 150 / depth_um),
        (bm + 250 / depth_um, bm + 400 / depth_um),
    )
    return [(row >= top) & (row < bottom) for top, bottom in limits]


def _profile(gray: FloatArray, surfaces: Surfaces, sure: BoolArray, depth_um: float) -> FloatArray:
    """Mean gray at `PROFILE_UM` over the sure columns; NaN where no column has data."""
    columns = np.flatnonzero(sure)
    rows = np.round(surfaces.rpe_outer[0, columns] + PROFILE_UM[:, None] / depth_um).astype(int)
    inside = (rows >= 0) & (rows < gray.shape[0])
    values = np.where(inside, gray[np.clip(rows, 0, gray.shape[0] - 1), columns], np.nan)
    return known_mean(values.T)


def _autocorrelation(texture: FloatArray, mask: BoolArray) -> FloatArray:
    """Correlation of pixels of a mask with those ``LAGS`` further along the first axis."""
    result = np.full(len(LAGS), np.nan)
    for index, lag in enumerate(LAGS):
        both = mask[lag:] & mask[:-lag]
        if both.sum() > LAGS[-1]:
            result[index] = np.corrcoef(texture[lag:][both], texture[:-lag][both])[0, 1]
    return result
