"""Where layer surfaces may lie in an OCT B-scan: gray values made comparable, edges and bands.

All functions take and return arrays (B-scan, depth, width); lengths arrive in px.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.volume import FloatArray

BoolArray = npt.NDArray[np.bool_]

WHITE_FRACTION = 0.9  # of full scale; JPEG ripples darken the rim of registration wedges
WHITE_COLUMNS = 5  # narrower fill is taken for noise
BLACK_RUN_PX = 8  # noise rarely has longer runs of exact zeros at the border ...
BLACK_COLUMNS = 15  # ... and never in so many neighboring columns


def clipping_mask(voxels: npt.NDArray[Any]) -> BoolArray:
    """Filled-in border without data: white or black runs that start at an edge of the B-scan.

    Parameters
    ----------
    voxels : array (B-scan, depth, width); white is the largest value of an integer type

    Returns
    -------
    bool array (B-scan, depth, width)
    """
    white_value = np.iinfo(voxels.dtype).max if voxels.dtype.kind == "u" else np.inf
    white, black = voxels >= WHITE_FRACTION * white_value, voxels == 0
    depth = np.arange(voxels.shape[1])[None, :, None]
    from_top = depth < _fill_px(white, black)[:, None, :]
    from_bottom = depth[:, ::-1] < _fill_px(white[:, ::-1], black[:, ::-1])[:, None, :]
    return np.asarray(from_top | from_bottom)


def _fill_px(white: BoolArray, black: BoolArray) -> npt.NDArray[np.intp]:
    """Length of the fill that starts at depth 0, (B-scan, width)."""
    black_px = _in_company(_run_px(black), BLACK_COLUMNS)
    white_px = _in_company(_run_px(white), WHITE_COLUMNS)
    fill_px = np.maximum(np.where(black_px >= BLACK_RUN_PX, black_px, 0), white_px)
    return np.where((white | black).all(axis=1), white.shape[1], fill_px)


def _in_company(run_px: npt.NDArray[np.intp], columns: int) -> npt.NDArray[np.intp]:
    """Length of each run as far as ``columns`` neighbors share it, as the image's edge does."""
    common = ndimage.minimum_filter1d(run_px, columns, axis=1, mode="nearest")
    return np.asarray(ndimage.maximum_filter1d(common, columns, axis=1, mode="nearest"))


def _run_px(filled: BoolArray) -> npt.NDArray[np.intp]:
    """Length of the run of filled pixels that starts at depth 0, (B-scan, width)."""
    by_column = np.ascontiguousarray(~filled.transpose(0, 2, 1))
    first_free = by_column.argmax(axis=2)
    return np.asarray(np.where(by_column.any(axis=2), first_free, filled.shape[1]))


def comparable_gray(voxels: npt.NDArray[Any], clipped: BoolArray) -> FloatArray:
    """Gray values with vitreous noise near 0 and the brightest tissue near 1; fill gets 0.

    Parameters
    ----------
    voxels, clipped : arrays (B-scan, depth, width)

    Returns
    -------
    float32 array (B-scan, depth, width), at most 1.3
    """
    gray = voxels.astype(np.float32)
    for bscan, fill in zip(gray, clipped, strict=True):
        sample = bscan[::3, ::3][~fill[::3, ::3]]
        if sample.size == 0:
            bscan[:] = 0
            continue
        low, high = np.percentile(sample, (25, 99))
        np.clip((bscan - low) / max(float(high - low), 1e-6), -0.3, 1.3, out=bscan)
        bscan[fill] = 0
    return gray


def mean_above(gray: FloatArray, length_px: int) -> FloatArray:
    """Mean of the ``length_px`` pixels that end just above each pixel."""
    depths = gray.shape[1]
    padded = np.pad(gray, ((0, 0), (length_px, 0), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=1, dtype=np.float64)
    total = np.pad(total, ((0, 0), (1, 0), (0, 0)))
    window = total[:, length_px : length_px + depths] - total[:, :depths]
    return np.asarray(window / length_px, dtype=np.float32)


def mean_below(gray: FloatArray, length_px: int) -> FloatArray:
    """Mean of the ``length_px`` pixels that start at each pixel and go deeper."""
    return _upside_down(mean_above(_shift_down(_upside_down(gray)), length_px))


def highest_below(gray: FloatArray, first_px: int, last_px: int) -> FloatArray:
    """Largest value found ``first_px`` to ``last_px`` below each pixel."""
    span = last_px - first_px + 1
    depths = gray.shape[1]
    padded = np.pad(gray, ((0, 0), (0, last_px + span), (0, 0)), mode="constant")
    centre = first_px + span // 2
    highest = ndimage.maximum_filter1d(padded, span, axis=1)
    return np.asarray(highest[:, centre : centre + depths])


def _upside_down(gray: FloatArray) -> FloatArray:
    return gray[:, ::-1]


def _shift_down(gray: FloatArray) -> FloatArray:
    """Each pixel takes the value of the next one, so that a window that ends above includes it."""
    return np.concatenate([gray[:, 1:], gray[:, -1:]], axis=1)


def ilm_cost(gray: FloatArray, depth_um: float) -> FloatArray:
    """Low where dark vitreous meets the retina: the first lasting step to bright from above.

    A detached posterior hyaloid is a thin line with darkness behind it, so it earns no contrast
    over 60 um and disappears in the 40 um opening that recognizes tissue further up.
    """
    reach_px = _px(60, depth_um)
    contrast = mean_below(gray, reach_px) - mean_above(gray, reach_px)
    opened = ndimage.grey_opening(gray, size=(1, _px(40, depth_um), 1))
    tissue_above = np.maximum.accumulate(opened, axis=1)
    gap_px = _px(25, depth_um)
    tissue_above = np.pad(tissue_above, ((0, 0), (gap_px, 0), (0, 0)))[:, : gray.shape[1]]
    return np.asarray(0.7 * np.clip(tissue_above, 0, 1) - contrast, dtype=np.float32)


def rpe_cost(gray: FloatArray, ilm: FloatArray, depth_um: float) -> FloatArray:
    """Low at the outer edge of the brightest, deepest band: the pigment epithelium.

    Inner layers lose because a brighter band follows below them, and because the retina is
    rarely thinner than 180 um.

    Parameters
    ----------
    gray : float array (B-scan, depth, width)
    ilm : float array (B-scan, width), px
    """
    band = mean_above(gray, _px(35, depth_um))
    contrast = band - mean_below(gray, _px(60, depth_um))
    rival = highest_below(band, _px(70, depth_um), _px(600, depth_um))
    overshadowed = np.clip(rival - band, 0, 1)
    depth = np.arange(gray.shape[1], dtype=np.float32)[None, :, None]
    thickness_um = (depth - ilm[:, None, :]) * depth_um
    thin = np.clip((180 - thickness_um) / 180, 0, 1.5)
    above_ilm = thickness_um < 15
    cost = 0.6 * overshadowed + 0.6 * thin + 2.0 * above_ilm - contrast - 0.5 * band
    return np.asarray(cost, dtype=np.float32)


def _px(length_um: float, pixel_um: float) -> int:
    """Whole pixels nearest to a length, at least one."""
    return max(1, round(length_um / pixel_um))
