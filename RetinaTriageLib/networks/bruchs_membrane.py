"""Bruch's membrane: the outer edge of the epithelium, or a smooth line beneath it over drusen."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.linalg import solveh_banded

from RetinaTriageLib.volume import FloatArray

LIFTED_UM = 15.0  # an edge this far above the smooth line belongs to a deposit, not to the membrane
BUMP_WIDTH_UM = 2500.0  # bumps of the epithelium that the membrane passes under
STEEP = 0.5  # rise over run beyond which an edge is the rim of the disc, never the membrane
STEEP_OVER_UM = 150.0


def bruchs_membrane(
    outer: FloatArray, sure: FloatArray, depth_um: float, column_um: float
) -> FloatArray:
    """Depth of Bruch's membrane in px, float32 array (B-scan, column).

    Parameters
    ----------
    outer : float array (B-scan, column), outer edge of the epithelium, px
    sure : float array (B-scan, column), confidence of that edge, 0 to 1
    """
    stiffness = (BUMP_WIDTH_UM / (2 * np.pi * column_um)) ** 4
    tolerance_px = LIFTED_UM / depth_um
    membrane = np.empty_like(outer)
    for row, (line, weight) in enumerate(zip(outer, sure + 0.02, strict=True)):
        lower = _lower_line(line, weight, stiffness, tolerance_px)
        on_membrane = weight / (1 + ((line - lower) / tolerance_px) ** 4)
        blended = lower + on_membrane * (line - lower)
        membrane[row] = _smooth_line(blended, np.ones_like(line), 2.0)
    return membrane


def too_steep(outer: FloatArray, depth_um: float, column_um: float) -> FloatArray:
    """1 where an edge falls or rises too fast for Bruch's membrane, else 0."""
    sigma = STEEP_OVER_UM / 2 / column_um
    slope = ndimage.gaussian_filter1d(outer, sigma, axis=1, order=1) * depth_um / column_um
    return np.asarray(np.abs(slope) > STEEP, dtype=np.float32)


def _smooth_line(depth: FloatArray, weight: FloatArray, stiffness: float) -> FloatArray:
    """Whittaker smoother: closest line to ``depth`` whose second differences are small.

    Parameters
    ----------
    depth, weight : float arrays (width,)
    stiffness : features narrower than about ``2 * pi * stiffness**0.25`` columns are smoothed away

    References
    ----------
    Eilers, Anal. Chem. 75:3631 (2003).
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


def _lower_line(
    depth: FloatArray, weight: FloatArray, stiffness: float, tolerance_px: float
) -> FloatArray:
    """Smooth line along the deep side of ``depth``, passing under bumps towards the vitreous.

    Parameters
    ----------
    depth, weight : float arrays (width,)
    stiffness : as in `_smooth_line`
    tolerance_px : points lifted by more than this lose nearly all weight

    Asymmetric least squares: a smoother whose weights fall, round by round, for points above it.
    """
    line = _smooth_line(depth, weight, stiffness)
    for _round in range(8):
        lifted = (line - depth) / tolerance_px
        sunk = np.clip(-lifted, 0, 10)
        trust = np.where(lifted > 0, 1 / (1 + lifted**4), 1 / (1 + (sunk / 2) ** 2))
        line = _smooth_line(depth, weight * np.maximum(trust, 1e-3), stiffness)
    return line
