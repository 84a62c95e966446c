"""The retina of a scan, straightened along Bruch's membrane and at one scale for all scanners.

A network that sees it needs to learn neither where a retina may lie nor how large a voxel may be,
so a small one does. Depths count from Bruch's membrane, which lies in one row everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from scipy import ndimage
from torch import Tensor

from RetinaTriageLib.networks.lesion_view import Borders, GrayArray, VoxelSize

ROWS, BRUCH_ROW = 128, 114
ROW_MM, COLUMN_MM = 0.0078, 0.0234  # 0.89 mm over Bruch's membrane are in view
COLUMN_STEP = 16  # a network halves the view four times

MEDIAN_MM, SMOOTH_MM = 0.36, 0.07
"""Extents over which a border is steadied: median, then standard deviation of a Gaussian."""

KNOWN_SHARE = 0.04
"""A-scans of a B-scan, at least, in which a border must be known."""

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class FlatView:
    """Where each place of the straightened retina lies in the B-scans, and back.

    Attributes
    ----------
    ilm, bruch : float32 arrays (B-scan, width), px, steady and without gaps
    seen : bool array (B-scan,), whether both borders were found; the others show nothing
    depths : voxels of an A-scan
    """

    ilm: FloatArray
    bruch: FloatArray
    seen: BoolArray
    depths: int
    size: VoxelSize

    @property
    def width(self) -> int:
        """A-scans of a B-scan."""
        return int(self.bruch.shape[1])

    @cached_property
    def columns(self) -> int:
        """Columns of the view."""
        extent = self.width * self.size.width_mm / COLUMN_MM
        steps: int = max(1, round(extent / COLUMN_STEP))
        return COLUMN_STEP * steps

    @property
    def shape(self) -> tuple[int, int, int]:
        """B-scans, rows and columns."""
        return len(self.bruch), ROWS, self.columns

    @cached_property
    def ilm_rows(self) -> FloatArray:
        """Row of the ILM, float32 (B-scan, column); above the view it is negative."""
        heights = (self._across(self.bruch) - self._across(self.ilm)) * self._rows_per_px
        return (BRUCH_ROW - heights).astype(np.float32)

    def flattened(self, volume: npt.NDArray[np.generic]) -> FloatArray:
        """Values in the view, averaged over what a place covers, float32 (B-scan, row, column).

        Parameters
        ----------
        volume : array (B-scan, depth, width); outside of it all is 0
        """
        flat = np.zeros(self.shape, np.float32)
        bruch = self._across(self.bruch)
        over = (np.arange(ROWS, dtype=np.float32) - BRUCH_ROW) / self._rows_per_px
        window = (max(1, round(1 / self._rows_per_px)), max(1, round(self._widths_per_column)))
        for number in np.flatnonzero(self.seen):
            rows = torch.from_numpy((bruch[number] + over[:, None]).astype(np.float32))
            columns = torch.from_numpy(self._column_places).expand_as(rows)
            bscan = torch.from_numpy(volume[number].astype(np.float32))
            flat[number] = _averaged(bscan, window, rows, columns).numpy()
        return flat

    def restored(self, flat: GrayArray) -> GrayArray:
        """Bytes of a view back in the B-scans, uint8 (B-scan, depth, width); 0 outside of it."""
        restored = np.zeros((len(flat), self.depths, self.width), np.uint8)
        places = (np.arange(self.width) + 0.5) / self._widths_per_column - 0.5
        columns = torch.from_numpy(np.clip(places, 0, self.columns - 1).astype(np.float32))
        depth = np.arange(self.depths, dtype=np.float32)[:, None]
        for number in np.flatnonzero(self.seen & flat.any(axis=(1, 2))):
            rows = BRUCH_ROW + (depth - self.bruch[number]) * self._rows_per_px
            first = int(np.argmax((rows > -1).any(axis=1)))
            inside = torch.from_numpy(rows[first:].astype(np.float32))
            values = torch.from_numpy(flat[number].astype(np.float32))
            values = _sampled(values, inside, columns.expand_as(inside))
            restored[number, first:] = values.round_().to(torch.uint8).numpy()
        return restored

    def covered(self, voxels: IndexArray) -> IndexArray:
        """Those of some voxels that the view shows.

        Parameters
        ----------
        voxels : indices into a raveled array (B-scan, depth, width)
        """
        bscan, row, _ = self._places(voxels)
        return voxels[self.seen[bscan] & (row >= 0) & (row < ROWS)]

    def places(self, voxels: IndexArray) -> IndexArray:
        """Nearest place of each voxel that the view shows, an index into a raveled view."""
        _, rows, columns = self.shape
        bscan, row, column = self._places(voxels)
        return (bscan * rows + row) * columns + column

    @property
    def _rows_per_px(self) -> float:
        return self.size.depth_mm / ROW_MM

    @property
    def _widths_per_column(self) -> float:
        return self.width / self.columns

    @cached_property
    def _column_places(self) -> FloatArray:
        """Where the middle of every column lies along the width, px."""
        places: FloatArray = (
            (np.arange(self.columns) + 0.5) * self._widths_per_column - 0.5
        ).astype(np.float32)
        return places

    def _across(self, border: FloatArray) -> FloatArray:
        """Depth of a border in every column, px, float32 (B-scan, column)."""
        widths = np.arange(border.shape[1])
        lines = [np.interp(self._column_places, widths, line) for line in border]
        return np.stack(lines).astype(np.float32)

    def _places(self, voxels: IndexArray) -> tuple[IndexArray, IndexArray, IndexArray]:
        """B-scan, nearest row, which may lie outside, and nearest column of each voxel."""
        bscan, depth, width = np.unravel_index(voxels, (len(self.bruch), self.depths, self.width))
        row = BRUCH_ROW + (depth - self.bruch[bscan, width]) * self._rows_per_px
        column = ((width + 0.5) / self._widths_per_column).astype(np.intp)
        return bscan, np.floor(row + 0.5).astype(np.intp), column


def flat_view(borders: Borders, depths: int, size: VoxelSize) -> FlatView:
    """View of a scan along the borders of a tissue map of it.

    Parameters
    ----------
    borders : ILM and Bruch's membrane, px, (B-scan, width), NaN where they are not known
    depths : voxels of an A-scan
    """
    seen = np.logical_and(*(np.isfinite(one).mean(axis=1) >= KNOWN_SHARE for one in borders))
    ilm, bruch = (_steady(border, seen, size) for border in borders)
    return FlatView(ilm, bruch, seen, depths, size)


def _steady(border: FloatArray, seen: BoolArray, size: VoxelSize) -> FloatArray:
    """Border with its gaps bridged and without leaps; 0 in B-scans that are not seen."""
    steady = np.zeros_like(border)
    widths = np.arange(border.shape[1])
    median = 1 + 2 * round(MEDIAN_MM / size.width_mm / 2)
    for number in np.flatnonzero(seen):
        known = np.isfinite(border[number])
        line = np.interp(widths, widths[known], border[number, known])
        line = ndimage.median_filter(line, median, mode="nearest")
        sigma = SMOOTH_MM / size.width_mm
        steady[number] = ndimage.gaussian_filter1d(line, sigma, mode="nearest")
    return steady


def _averaged(bscan: Tensor, window: tuple[int, int], rows: Tensor, columns: Tensor) -> Tensor:
    """Means over windows around places of a B-scan (depth, width), in the shape of ``rows``."""
    depth, width = window
    before_and_after = ((width - 1) // 2, width // 2, (depth - 1) // 2, depth // 2)
    padded = F.pad(bscan[None, None], before_and_after, mode="replicate")
    means = F.avg_pool2d(padded, window, stride=1)[0, 0]
    # The middle of an even window lies between voxels.
    return _sampled(means, rows - (depth - 1) % 2 / 2, columns - (width - 1) % 2 / 2)


def _sampled(values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Values (row, column) at fractional places, linear between voxels and 0 outside."""
    height, width = values.shape
    x, y = (2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1
    places = torch.stack((x, y), dim=-1)[None]
    found = F.grid_sample(values[None, None], places, padding_mode="zeros", align_corners=False)
    return found[0, 0]
