"""Which voxels fall into which cell of the classifier's grid, one axis at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IndexArray = npt.NDArray[np.intp]

# Cell borders that rounding moved by less than this, in cells, stay where they belong.
ROUNDING = 1e-6


@dataclass(frozen=True)
class DepthCells:
    """Cells along the depth, from the first voxel to the last; a voxel counts where its center is.

    Attributes
    ----------
    sources : voxels in their order; where voxels are larger than cells, the one of each cell
    cells : intp array (source,), cell that each of them falls into, ascending
    count : number of cells
    """

    sources: slice | IndexArray
    cells: IndexArray
    count: int

    def share(self) -> npt.NDArray[np.float64]:
        """Weight of each source in the mean of its cell, (source,)."""
        share: npt.NDArray[np.float64] = 1 / np.bincount(self.cells, minlength=self.count)
        return share[self.cells]


def depth_cells(voxels: int, voxel_mm: float, cell_mm: float) -> DepthCells:
    """Cells along the depth, as many as the scan is deep."""
    ratio = voxel_mm / cell_mm
    count = math.ceil(voxels * ratio - ROUNDING)
    cells = np.arange(count)
    if ratio > 1:
        nearest = np.floor((cells + 0.5) / ratio).astype(np.intp)
        return DepthCells(np.minimum(nearest, voxels - 1), cells, count)
    cells = np.floor((np.arange(voxels) + 0.5) * ratio).astype(np.intp)
    # The last cell may reach beyond the scan by so much that no voxel center lies in it.
    return DepthCells(slice(0, voxels), cells, int(cells[-1]) + 1)


def width_overlap(
    voxels: int, voxel_mm: float, cell_mm: float, cells: int
) -> npt.NDArray[np.float64]:
    """Share of each cell that each voxel covers, float array (voxel, cell).

    Cells lie around the middle of the scan. Shares rather than voxel centers, because a voxel in
    the very middle belongs to both sides: a mirrored scan then gives the mirrored grid.
    """
    ratio = voxel_mm / cell_mm
    start = (cells - voxels * ratio) / 2 + np.arange(voxels)[:, None] * ratio
    cell = np.arange(cells)
    overlap = np.minimum(start + ratio, cell + 1) - np.maximum(start, cell)
    return np.where(overlap > ROUNDING, overlap, 0.0)


def row_weights(bscans: int, bscan_mm: float, row_mm: float, rows: int) -> npt.NDArray[np.float32]:
    """Weight of every B-scan in every row of the grid, float32 array (row, B-scan).

    Rows in the scan add up to 1, rows outside it to 0. A single B-scan is the middle row.
    """
    weights = np.zeros((rows, bscans), np.float32)
    if bscans == 1:
        weights[rows // 2] = 1
        return weights
    row_at = (np.arange(rows) - (rows - 1) / 2) * row_mm
    bscan_at = (np.arange(bscans) - (bscans - 1) / 2) * bscan_mm
    # Up to half a distance beyond the outer B-scans still belongs to the scan.
    within = np.abs(row_at) <= bscans * bscan_mm / 2 + ROUNDING * row_mm
    nearest = np.clip(row_at, bscan_at[0], bscan_at[-1])
    distance = np.abs(nearest[:, None] - bscan_at) / max(bscan_mm, row_mm)
    triangle = np.maximum(1 - distance, 0)
    triangle[triangle < ROUNDING] = 0
    weights[within] = (triangle / triangle.sum(axis=1, keepdims=True))[within]
    return weights
