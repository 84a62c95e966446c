"""A smooth line through noisy depths or along their deep side, as Bruch's membrane under drusen."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solveh_banded

from RetinaTriageLib.volume import FloatArray


def smooth_line(depth: FloatArray, weight: FloatArray, stiffness: float) -> FloatArray:
    """Whittaker smoother: closest line to ``depth`` whose second differences are small.

    Parameters
    ----------
    depth, weight : float arrays (width,)
    stiffness : features narrower than about ``2 * pi * stiffness**0.25`` columns are smoothed away
    """
    count = depth.size
    bands = np.zeros((3, count))
    bands[2] = 6.0
    bands[2, [0, -1]] = 1.0
    bands[2, [1, -2]] = 5.0
    bands[1, 1:] = -4.0
    bands[1, [1, -1]] = -2.0
    bands[0, 2:] = 1.0
    bands *= stiffness
    bands[2] += weight + 1e-6  # the guard keeps lines without any weight solvable
    return np.asarray(solveh_banded(bands, weight * depth))


def lower_line(
    depth: FloatArray, weight: FloatArray, stiffness: float, tolerance_px: float
) -> FloatArray:
    """Smooth line along the deep side of ``depth``, passing under bumps towards the vitreous.

    Parameters
    ----------
    depth, weight : float arrays (width,)
    stiffness : as in `smooth_line`
    tolerance_px : points lifted by more than this lose nearly all weight

    References
    ----------
    Eilers, Anal. Chem. 75:3631 (2003), asymmetric least squares; here with a soft threshold.
    """
    line = smooth_line(depth, weight, stiffness)
    for _round in range(8):
        lifted = (line - depth) / tolerance_px
        sunk = np.clip(-lifted, 0, 10)
        trust = np.where(lifted > 0, 1 / (1 + lifted**4), 1 / (1 + (sunk / 2) ** 2))
        line = smooth_line(depth, weight * np.maximum(trust, 1e-3), stiffness)
    return line
