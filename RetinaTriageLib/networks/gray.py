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


@dataclass(frozen=True)
class GrayScale:
    """Gray values that become 0 and 1; one a volume, so that all of its chunks agree."""

    low: float
    high: float


def gray_scale(voxels: npt.NDArray[Any]) -> GrayScale:
    """Gray scale of a whole volume: 0 to 255 for 8 bit, robust limits for everything else.

    Parameters
    ----------
    voxels : array (B-scan, depth, width)
    """
    if voxels.dtype == np.uint8:
        return GrayScale(0.0, 255.0)
    # A quarter of the voxels pins the percentiles down and spares most of the sorting.
    low, high = np.percentile(voxels[..., ::2, ::2], PERCENTILES)
    if low == high:  # nearly empty volume: percentiles fall into the background
        low, high = voxels.min(), voxels.max()
    return GrayScale(float(low), float(high))


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
