"""Drops of an occlusion test in few steps: coarse ones first, finer ones where they matter.

Positions lie on nested lattices whose steps are powers of 2. Each finer lattice is guessed from
the coarser one by straight lines, and judged only around the largest drop and where the border of
the region of interest may lie.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.explain.occlusion_map import (
    LEAST_DROP,
    BoolArray,
    FloatArray,
    OcclusionBox,
)

Drops = Callable[[npt.NDArray[np.intp], int], FloatArray]
"""Centers of boxes (N, 2) and how many are expected in all; gives their drops (N,)."""

POSITIONS_A_BOX = 64
"""Finer steps end where one position in so many was judged."""

BORDER_STEP = 4
"""The border of the region is followed in steps down to this; straight lines serve below, as the
drop changes over the size of the box; ours, see ``benchmarks/occlusion.py``."""

DOUBT = 1 / 32
"""Share of the largest drop, a pixel of step, by which a guess may be wrong; ours."""


def search_drops(
    drops: Drops, where: BoolArray, box: OcclusionBox, share: float, finest: int = 1
) -> FloatArray:
    """Find the drops at all pixels, float32 (depth, width): judged where it matters, else guessed.

    Parameters
    ----------
    where : bool array (depth, width), centers worth judging; the drop is 0 elsewhere
    share : of the largest drop, that bounds the region of interest
    finest : step to end with
    """
    step = max(finest, coarsest_step(box))
    lattice = _Lattice(where, step)
    limit = where.size // POSITIONS_A_BOX
    lattice.judge(lattice.unknown(), drops, limit)
    while step > 1:
        step //= 2
        lattice.refine()
        left = limit - lattice.judged
        if step >= finest and left > 0:
            lattice.judge(_worth_judging(lattice, share)[:left], drops, limit)
    return lattice.drop


def coarsest_step(box: OcclusionBox) -> int:
    """Largest power of 2 that is no larger than the box, so that boxes leave no gap.

    Examples
    --------
    >>> coarsest_step(OcclusionBox(20, 20))
    16
    """
    step: int = 1 << (min(box.depth, box.width).bit_length() - 1)
    return step


class _Lattice:
    """Drops at every so many pixels, which of them were judged, and how to get finer.

    Attributes
    ----------
    drop, known : float32 and bool arrays (row, column) of the lattice
    judged : boxes so far
    """

    def __init__(self, where: BoolArray, step: int) -> None:
        self._where, self.step = where, step
        # Half a step from the border, so that the first boxes leave none of it out.
        self._first = tuple(min(step // 2, (size - 1) // 2) for size in where.shape)
        self._rows, self._columns = self._pixels()
        self.drop: FloatArray = np.zeros((len(self._rows), len(self._columns)), np.float32)
        self.known = ~self._worth()
        self.judged = 0

    def unknown(self) -> npt.NDArray[np.intp]:
        """Return the nodes (N, 2) that were not judged."""
        return np.argwhere(~self.known)

    def judge(self, nodes: npt.NDArray[np.intp], drops: Drops, limit: int) -> None:
        """Judge some nodes (N, 2) of the lattice."""
        at = tuple(nodes.T)
        centers = np.stack([self._rows[at[0]], self._columns[at[1]]], axis=1)
        self.drop[at] = drops(centers, limit)
        self.known[at] = True
        self.judged += len(nodes)

    def refine(self) -> None:
        """Halve the step; new nodes are guessed from their neighbors."""
        rows, columns, drop, known = self._rows, self._columns, self.drop, self.known
        self.step //= 2
        self._first = tuple(first % self.step for first in self._first)
        self._rows, self._columns = self._pixels()
        down, across = _weights(self._rows, rows), _weights(self._columns, columns)
        worth = self._worth()
        self.drop = np.where(worth, down @ drop @ across.T, np.float32(0))
        self.known = ~worth
        old = np.ix_(np.isin(self._rows, rows), np.isin(self._columns, columns))
        self.drop[old], self.known[old] = drop, known

    def _pixels(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Rows and columns of the nodes."""
        depths, widths = self._where.shape
        first_depth, first_width = self._first
        return np.arange(first_depth, depths, self.step), np.arange(first_width, widths, self.step)

    def _worth(self) -> BoolArray:
        return self._where[np.ix_(self._rows, self._columns)]


def _weights(fine: npt.NDArray[np.intp], coarse: npt.NDArray[np.intp]) -> FloatArray:
    """Weights (fine, coarse) of straight lines between coarse places; beyond them the last one."""
    lines = [np.interp(fine, coarse, unit) for unit in np.eye(len(coarse))]
    return np.stack(lines, axis=1).astype(np.float32)


def _worth_judging(lattice: _Lattice, share: float) -> npt.NDArray[np.intp]:
    """Nodes (N, 2) whose guess could move the largest drop or the region, the first ones first."""
    drop = lattice.drop
    largest = float(drop.max())
    if largest < LEAST_DROP:
        return np.empty((0, 2), np.intp)
    doubt = largest * DOUBT * lattice.step
    highest = ndimage.maximum_filter(drop, 3, mode="nearest")
    lowest = ndimage.minimum_filter(drop, 3, mode="nearest")
    top = highest >= largest - doubt
    border = np.zeros_like(top)
    if lattice.step >= BORDER_STEP:
        border = (highest >= share * largest - doubt) & (lowest <= share * largest + doubt)
    urgency = np.where(top, np.inf, -np.abs(drop - share * largest))
    nodes = np.argwhere((top | border) & ~lattice.known)
    return nodes[np.argsort(-urgency[tuple(nodes.T)], kind="stable")]
