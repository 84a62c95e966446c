"""Which axis of a stored grid is the B-scan, the depth and the width, and where each points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.volume import STANDARD_DIRECTIONS

# Spacings must differ by this factor to tell axes apart: B-scans lie 2 to 30 times farther apart
# than A-scans except in dense rasters, A-scans 2 to 6 times farther than depths.
CLEARLY = 1.5
# An axis points somewhere if it is within 45 degrees of it.
POINTS = float(np.cos(np.radians(45)))

AXIS_NAMES = ("B-scan", "depth", "width")


@dataclass(frozen=True)
class Grid:
    """Voxels as stored; each entry of ``spacing_mm`` and row of ``steps`` belongs to one axis.

    Attributes
    ----------
    steps : float array (axis, 3), unit steps in RAS
    origin_mm : RAS position of the first voxel
    depth_reversed : whether depth runs against the stored order
    """

    voxels: npt.NDArray[Any]
    spacing_mm: tuple[float, ...]
    steps: npt.NDArray[np.float64]
    origin_mm: tuple[float, float, float]
    depth_reversed: bool = False


def choose_axes(
    shape: Sequence[int], spacing_mm: Sequence[float], bscan_axis: int | None
) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    """Axes of (B-scan, depth, width), and sentences on what the spacing could not tell.

    The B-scan axis is the given one, else the only axis of length 1, else the one with clearly the
    largest spacing. The depth has clearly the smallest spacing. What stays open follows the stored
    order, slowest first.

    Raises
    ------
    InputError
        If ``bscan_axis`` is not 0, 1 or 2.
    """
    if bscan_axis is not None and bscan_axis not in (0, 1, 2):
        msg = f"Found --bscan-axis {bscan_axis}; expected 0, 1 or 2 (0 is the slowest axis)."
        raise InputError(msg)
    bscan = bscan_axis
    if bscan is None:
        singles = [axis for axis in range(3) if shape[axis] == 1]
        bscan = singles[0] if len(singles) == 1 else _clearly(spacing_mm, range(3), largest=True)
    others = [axis for axis in range(3) if axis != bscan]
    depth = _clearly(spacing_mm, others, largest=False)
    told = bscan is not None and depth is not None
    if bscan is None:
        bscan = next(axis for axis in range(3) if axis != depth)
        others = [axis for axis in range(3) if axis != bscan]
    depth = others[0] if depth is None else depth
    axes = (bscan, depth, next(axis for axis in others if axis != depth))
    if told:
        return axes, ()
    order = ", ".join(AXIS_NAMES[axes.index(axis)] for axis in range(3))
    sentence = (
        f"Axes are assumed to be stored as ({order}), slowest first; the spacing does not tell "
        "them apart. State --bscan-axis if this is wrong."
    )
    return axes, (sentence,)


def orient(grid: Grid, axes: tuple[int, int, int], *, stated: bool) -> tuple[Grid, tuple[str, ...]]:
    """Grid as (B-scan, depth, width) with the vitreous on top, and sentences on what is assumed.

    Parameters
    ----------
    stated : whether the file states where its axes point
    """
    steps = grid.steps[list(axes)]
    turned = Grid(
        np.ascontiguousarray(grid.voxels.transpose(axes)),
        tuple(grid.spacing_mm[axis] for axis in axes),
        steps,
        grid.origin_mm,
    )
    anatomical = abs(steps[1, 1]) >= POINTS and abs(steps[2, 0]) >= POINTS
    if not (stated and anatomical):
        reason = "its axes do not fit an eye" if stated else "the file states none"
        sentence = (
            f"Orientation is assumed, as {reason}: vitreous on top, first column towards the "
            "patient's right, first B-scan inferior."
        )
        standard = STANDARD_DIRECTIONS.T[::-1].copy()
        return Grid(turned.voxels, turned.spacing_mm, standard, (0.0, 0.0, 0.0)), (sentence,)
    if steps[1, 1] < 0:
        return turned, ()
    sentence = (
        "Orientation: the file says that depth grows towards anterior, so depth was reversed to "
        "put the vitreous on top; if B-scans now stand on their head, its axes are wrong."
    )
    return _depth_reversed(turned), (sentence,)


def _depth_reversed(grid: Grid) -> Grid:
    last = (grid.voxels.shape[1] - 1) * grid.spacing_mm[1] * grid.steps[1]
    steps = grid.steps * np.array([[1.0], [-1.0], [1.0]])
    right, anterior, superior = (float(value) for value in np.array(grid.origin_mm) + last)
    voxels = np.ascontiguousarray(grid.voxels[:, ::-1])
    return Grid(voxels, grid.spacing_mm, steps, (right, anterior, superior), depth_reversed=True)


def _clearly(values: Sequence[float], axes: Sequence[int], *, largest: bool) -> int | None:
    """Axis whose value is clearly the largest (or smallest) among some axes."""
    ordered = sorted(axes, key=lambda axis: values[axis], reverse=largest)
    first, second = values[ordered[0]], values[ordered[1]]
    ratio = first / second if largest else second / first
    return ordered[0] if ratio > CLEARLY else None
