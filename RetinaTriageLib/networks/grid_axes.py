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
class CellAxis:
    """Cells along one axis.

    Attributes
    ----------
    sources : voxels inside the grid; where voxels are larger than cells, the one of each cell
    cells : intp array (source,), cell that each of them falls into, ascending
    count : number of cells
    """

    sources: slice | IndexArray
    cells: IndexArray
    count: int

    def share(self) -> npt.NDArray[np.float64]:
        """Weight of one voxel in the mean of its cell; 0 for cells without voxels."""
        voxels = np.bincount(self.cells, minlength=self.count)
        return np.divide(1.0, voxels, out=np.zeros(self.count), where=voxels > 0)


def centered_cells(voxels: int, voxel_mm: float, cell_mm: float, cells: int) -> CellAxis:
    """Cells around the middle of the scan; voxels beyond them are left out."""
    start = cells / 2 - voxels * voxel_mm / cell_mm / 2
    return _cell_axis(voxels, voxel_mm / cell_mm, start, cells)


def stacked_cells(voxels: int, voxel_mm: float, cell_mm: float) -> CellAxis:
    """Cells from the first voxel to the last, as many as it takes."""
    ratio = voxel_mm / cell_mm
    return _cell_axis(voxels, ratio, 0.0, math.ceil(voxels * ratio - ROUNDING))


def _cell_axis(voxels: int, ratio: float, start: float, count: int) -> CellAxis:
    """Cells of voxels that are ``ratio`` cells large, the first beginning at ``start`` cells."""
    if ratio > 1 + ROUNDING:
        cells = np.arange(count)
        nearest = np.floor((cells + 0.5 - start) / ratio).astype(np.intp)
        inside = (nearest >= 0) & (nearest < voxels)
        return CellAxis(nearest[inside], cells[inside], count)
    cells = np.floor(start + (np.arange(voxels) + 0.5) * ratio).astype(np.intp)
    first, last = np.searchsorted(cells, [0, count])
    return CellAxis(slice(int(first), int(last)), cells[first:last], count)


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
