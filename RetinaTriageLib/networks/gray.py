"""Gray values as segmentation networks expect them, whatever the scanner wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# Middle and spread of the gray values of macular scans in 0..1; any fixed pair serves as long as
# training and inference share it.
CENTER, SPREAD = 0.25, 0.2

INVERSION = (1 - 2 * CENTER) / SPREAD  # less a normalized gray value, that of the inverted picture

PERCENTILES = (0.5, 99.5)

# Where segmentation networks see the noise of vitreous and depth, and the bright layers: about
# where both lie in common scans as displayed (medians of 273 phantom stacks and 41 real pictures).
TISSUE_GRAY = (0.10, 0.53)

# Both are found in blocks of voxels, so that neither speckle nor a crop around the retina moves
# them: the vitreous by the medians of blocks, as a fifth of a scan is darker; the bright layers
# (RPE, nerve fibers) as what the 12 brightest voxels of an A-scan reach, 50 µm. On those stacks
# the spread of the vitreous' median gray fell from 0.37 to 0.02 of its distance to the retina's,
# that of the retina itself from 0.22 to 0.17, of intraretinal fluid from 0.43 to 0.22.
BLOCK = 16
DARK_PERCENT = 20.0
BRIGHT_DEPTHS = 12
SAMPLED_BSCANS = 32

BLACK_ON_WHITE = 0.6  # of the gray scale; medians of 555 real pictures, B-scans above all, < 0.46


@dataclass(frozen=True)
class GrayScale:
    """Gray values that become 0 and 1; one a volume, so that all of its chunks agree."""

    low: float
    high: float


EIGHT_BITS = GrayScale(0.0, 255.0)


def gray_scale(voxels: npt.NDArray[Any]) -> GrayScale:
    """Black and white of a whole volume as shown: 0 and 255 for 8 bit, else robust limits.

    Parameters
    ----------
    voxels : array (B-scan, depth, width)
    """
    if voxels.dtype == np.uint8:
        return EIGHT_BITS
    # A quarter of the voxels pins the percentiles down and spares most of the sorting.
    low, high = np.percentile(voxels[..., ::2, ::2], PERCENTILES)
    if low == high:  # nearly empty volume: percentiles fall into the background
        low, high = voxels.min(), voxels.max()
    return GrayScale(float(low), float(high))


def tissue_scale(voxels: npt.NDArray[Any]) -> GrayScale:
    """Gray scale on which background and bright layers lie where they do in other volumes.

    Scanners and their displays differ in black level and contrast; networks shall not. Pure white
    is left out, since registration fills with it. A volume in black on white keeps its sense:
    inverted, it has the inverted scale.

    Parameters
    ----------
    voxels : array (B-scan, depth, width), all of a volume

    Examples
    --------
    >>> bands = np.repeat(np.array([40, 80, 126, 255], dtype=np.uint8), (180, 40, 20, 16))
    >>> scale = tissue_scale(np.tile(bands[:, None], (1, 1, 64)))
    >>> round(scale.low, 1), round(scale.high, 1)
    (20.0, 220.0)
    """
    part = voxels[:: max(1, len(voxels) // SAMPLED_BSCANS)]
    shown = gray_scale(voxels)
    if not is_black_on_white(part):
        return _anchored(part, shown)
    total = shown.low + shown.high
    inverted = _anchored(total - part.astype(np.float32), shown)
    return GrayScale(total - inverted.high, total - inverted.low)


def is_black_on_white(voxels: npt.NDArray[Any]) -> bool:
    """Whether a scan looks inverted: more than half of it is vitreous and deep choroid, dark.

    Parameters
    ----------
    voxels : array (B-scan, depth, width)
    """
    scale = gray_scale(voxels)
    return bool(np.median(voxels) > scale.low + BLACK_ON_WHITE * (scale.high - scale.low))


def _anchored(voxels: npt.NDArray[Any], shown: GrayScale) -> GrayScale:
    """Scale of gray values, bright on dark, or ``shown`` where they have no two tissues."""
    bscans, depth, width = (voxels.shape[0], *(size // BLOCK for size in voxels.shape[1:]))
    whole = voxels[:, : depth * BLOCK, : width * BLOCK]
    if whole.size == 0:
        return shown
    blocks = whole.reshape(bscans, depth, BLOCK, width, BLOCK)
    background = np.percentile(np.median(blocks, axis=(2, 4)), DARK_PERCENT)
    tissue = np.where(blocks < voxels.max(), blocks, np.asarray(background, voxels.dtype))
    ascans = np.sort(tissue.mean(axis=4).reshape(bscans, depth * BLOCK, width), axis=1)
    bright = np.median(ascans[:, -BRIGHT_DEPTHS])
    if bright <= background:
        return shown
    dark, light = TISSUE_GRAY
    extent = (bright - background) / (light - dark)
    low = background - dark * extent
    return GrayScale(float(low), float(low + extent))


def normalize(voxels: npt.NDArray[Any], scale: GrayScale | None = None) -> npt.NDArray[np.float32]:
    """Gray values centered for a network, float32 in the shape of ``voxels``.

    Parameters
    ----------
    voxels : array (..., depth, width)
    scale : scale of the volume that the voxels are a part of; None where they are all of it

    Examples
    --------
    >>> normalize(np.array([[0, 255]], dtype=np.uint8)).round(2).tolist()
    [[-1.25, 3.75]]
    """
    scale = scale or gray_scale(voxels)
    extent = scale.high - scale.low
    gain = np.float32(1 / (extent * SPREAD)) if extent > 0 else np.float32(0)
    gray = (voxels.astype(np.float32) - np.float32(scale.low)) * gain
    gray -= np.float32(CENTER / SPREAD)
    limits = np.float32(-CENTER / SPREAD), np.float32((1 - CENTER) / SPREAD)
    return np.clip(gray, *limits, out=gray)


def eight_bits(gray: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Give normalized gray values back as 0 to 255, for methods that are no networks.

    Examples
    --------
    >>> eight_bits(normalize(np.array([[0, 7, 255]], dtype=np.uint8))).tolist()
    [[0, 7, 255]]
    """
    shown = (gray * np.float32(SPREAD) + np.float32(CENTER)) * np.float32(255)
    return np.asarray(np.clip(np.rint(shown), 0, 255), np.uint8)
