"""Layer surfaces to a fraction of a pixel, searched in narrow strips along the coarse paths.

A strip is the image cut out along a path, so that the path runs straight through its middle:
arrays (B-scan, offset, column), gray values as of `comparable_gray`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.networks.minimal_path import minimal_path
from RetinaTriageLib.networks.surface_cost import mean_above, mean_below
from RetinaTriageLib.volume import FloatArray

Depths = npt.NDArray[np.intp]
"""Whole depths in px, array (B-scan, column)."""

EDGE_SIGMA_UM = 5.0  # blur of the gradient whose peak is the boundary: little more than a pixel
STEP_COST = 0.01  # price of a change by one px between columns, in units of full contrast
MARGIN_PX = 12  # strips are cut this much higher and deeper, for the filters


@dataclass(frozen=True)
class Window:
    """Where to look for a boundary: ``first_um`` to ``last_um`` below a known line.

    Attributes
    ----------
    inside_um, outside_um : contrast is the mean over ``inside_um`` on the bright side minus the
        mean over ``outside_um`` on the dark side
    clear_contrast : gray difference from which a boundary is beyond doubt
    brightens : whether the image becomes brighter with depth here
    """

    first_um: float
    last_um: float
    inside_um: float
    outside_um: float
    clear_contrast: float
    brightens: bool


ILM = Window(-62, 62, 25, 25, 0.35, brightens=True)
RPE_OUTER = Window(-62, 62, 20, 30, 0.35, brightens=False)
ELLIPSOID = Window(-110, -38, 20, 35, 0.35, brightens=True)
RPE_INNER = Window(-46, -14, 12, 12, 0.15, brightens=True)


@dataclass(frozen=True)
class Boundary:
    """A boundary: ``depth`` in px and its ``contrast``, float arrays (B-scan, column)."""

    depth: FloatArray
    contrast: FloatArray


def find_boundary(gray: FloatArray, line: FloatArray, window: Window, depth_um: float) -> Boundary:
    """Strongest smooth boundary of the wanted kind in a window along a line.

    Parameters
    ----------
    gray : float array (B-scan, depth, column)
    line : float array (B-scan, column), px
    window : where to look, and for what
    depth_um : depth of a pixel
    """
    first, last = round(window.first_um / depth_um), round(window.last_um / depth_um)
    base = np.round(line).astype(np.intp)
    strip = _cut(gray, base, first - MARGIN_PX, last + MARGIN_PX)
    sign = 1.0 if window.brightens else -1.0
    slope = sign * ndimage.gaussian_filter1d(strip, EDGE_SIGMA_UM / depth_um, axis=1, order=1)
    contrast = _contrast(strip, window, depth_um)
    trimmed = slice(MARGIN_PX, -MARGIN_PX)
    slope, contrast = slope[:, trimmed], contrast[:, trimmed]
    path = minimal_path(-contrast - 2 * slope, 2, STEP_COST)
    position = path.astype(np.intp)
    return Boundary(
        (_peak(slope, position) + base + first).astype(np.float32),
        np.take_along_axis(contrast, position[:, None], axis=1)[:, 0],
    )


def _contrast(strip: FloatArray, window: Window, depth_um: float) -> FloatArray:
    inside, outside = (max(1, round(u / depth_um)) for u in (window.inside_um, window.outside_um))
    if window.brightens:
        return np.asarray(mean_below(strip, inside) - mean_above(strip, outside))
    return np.asarray(mean_above(strip, inside) - mean_below(strip, outside))


def _cut(gray: FloatArray, base: Depths, first: int, last: int) -> FloatArray:
    """Strip of the image, its borders repeated where the strip leaves it."""
    rows = base[:, None, :] + np.arange(first, last + 1)[None, :, None]
    return np.take_along_axis(gray, np.clip(rows, 0, gray.shape[1] - 1), axis=1)


def _peak(slope: FloatArray, position: Depths) -> FloatArray:
    """Fractional offset of the steepest place within two pixels of the path."""
    near = np.clip(position[:, None] + np.arange(-2, 3)[None, :, None], 1, slope.shape[1] - 2)
    best = np.take_along_axis(slope, near, axis=1).argmax(axis=1)[:, None]
    peak = np.take_along_axis(near, best, axis=1)
    before, at, after = (np.take_along_axis(slope, peak + s, axis=1) for s in (-1, 0, 1))
    bend = np.minimum(before - 2 * at + after, -1e-6)
    shift = np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    return np.asarray((peak + shift)[:, 0])
