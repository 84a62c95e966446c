"""What a classification network sees: class fractions of a tissue map on a grid of fixed size.

The grid lies on the middle of the scan and, along the depth, on the retina. It is in mm, so that
scanners of different sampling look alike. Cells outside the scan are zero in every class.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.grid_axes import depth_cells, row_weights, width_overlap
from RetinaTriageLib.tissues import TISSUES, Tissue, TissueGroup, labels_of
from RetinaTriageLib.volume import LabelArray, VoxelSpacing

GridArray = npt.NDArray[np.float32]

RETINA_GROUPS = (TissueGroup.RETINA, TissueGroup.FLUID, TissueGroup.PED)

# Leaves out the last millionth of each draw: a probability that rounding left short of 1 would
# otherwise hand it to the last class.
DRAW_LIMIT = np.float32(1 - 1e-6)


class ClassifierInput(Enum):
    """The three inputs of US 11,954,902 B2 that a tissue map can be given to a classifier as."""

    MOST_LIKELY = "most-likely"
    SAMPLED = "sampled"
    PROBABILITIES = "probabilities"


@dataclass(frozen=True)
class ClassifierGrid:
    """Cells of the grid as (B-scan, depth, width): their size, in mm, and their number."""

    spacing_mm: tuple[float, float, float] = (0.18, 0.016, 0.06)
    shape: tuple[int, int, int] = (33, 120, 100)

    @property
    def field_of_view_mm(self) -> tuple[float, float, float]:
        """Size of the whole grid, in mm."""
        rows, depths, widths = (
            size * count for size, count in zip(self.spacing_mm, self.shape, strict=True)
        )
        return rows, depths, widths


DEFAULT_GRID = ClassifierGrid()


def voxel_size_mm(
    shape: tuple[int, int, int], spacing: VoxelSpacing | None, grid: ClassifierGrid = DEFAULT_GRID
) -> tuple[float, float, float]:
    """Voxel size (B-scan, depth, width) in mm; unknown lengths let the scan span the grid.

    Whoever passes a spacing that is None, or has no distance between B-scans, owes the reader of
    the result a sentence about that assumption.
    """
    bscan, depth, width = (
        extent / count for extent, count in zip(grid.field_of_view_mm, shape, strict=True)
    )
    if spacing is None:
        return bscan, depth, width
    return spacing.bscan_mm or bscan, spacing.depth_mm, spacing.width_mm


class GridAccumulator:
    """Builds the grid of one tissue map from chunks of B-scans, in their order.

    Where the retina lies is known only at the end, so the whole depth is kept at the resolution of
    the grid and cropped last. In-plane, a cell holds the mean over its voxels. Across B-scans it is
    interpolated linearly, or averaged with a triangle where B-scans lie closer than cells.

    Parameters
    ----------
    shape : B-scans, depths and A-scans of the scan
    spacing : None where it is not known, see `voxel_size_mm`
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        spacing: VoxelSpacing | None,
        grid: ClassifierGrid = DEFAULT_GRID,
        classes: tuple[Tissue, ...] = TISSUES,
    ) -> None:
        bscan_mm, depth_mm, width_mm = voxel_size_mm(shape, spacing, grid)
        self._shape, self._grid, self._tissues = shape, grid, classes
        self._weights = row_weights(shape[0], bscan_mm, grid.spacing_mm[0], grid.shape[0])
        self._depth = depth_cells(shape[1], depth_mm, grid.spacing_mm[1])
        self._overlap = width_overlap(shape[2], width_mm, grid.spacing_mm[2], grid.shape[2])
        self._plane = (self._depth.count, grid.shape[2])
        self._sums = np.zeros((grid.shape[0], len(classes), *self._plane), np.float32)
        # Pairs of an A-scan and a cell that share area: an A-scan on a border comes twice.
        self._columns, cells = np.nonzero(self._overlap)
        self._cells = self._depth.cells[:, None] * grid.shape[2] + cells
        shares = np.outer(self._depth.share(), self._overlap[self._columns, cells])
        self._shares = shares.ravel()
        self._device_sums: Tensor | None = None
        self._done = 0

    def add_labels(self, labels: LabelArray) -> None:
        """Add tissue maps of the next B-scans, uint8 array (B-scan, depth, width)."""
        for bscan in labels:
            self._add(self._fractions(bscan))

    def exchange(self, index: int, before: LabelArray, after: LabelArray) -> None:
        """Put another tissue map in the place of one B-scan that was added.

        Parameters
        ----------
        index : number of the B-scan
        before, after : uint8 arrays (depth, width); what was added, and what takes its place
        """
        change = (self._fractions(after) - self._fractions(before)).reshape(self._sums.shape[1:])
        weights = self._weights[:, index]
        for row in np.flatnonzero(weights):
            self._sums[row] += weights[row] * change

    def copied(self) -> GridAccumulator:
        """Return an accumulator of the same state that changes on its own."""
        sums = self._collected().copy()
        twin = copy.copy(self)
        twin._sums = sums
        return twin

    def add_label_tensor(self, labels: Tensor) -> None:
        """Add tissue maps of the next B-scans that lie on a device, where they are summed up.

        Parameters
        ----------
        labels : uint8 tensor (B-scan, depth, width) of labels that the vocabulary knows
        """
        count, classes, width = len(labels), len(self._tissues), labels.shape[2]
        rows = torch.as_tensor(self._depth.cells, device=labels.device)
        sources = self._sources(labels.device)
        planes = torch.arange(count, device=labels.device)[:, None, None] * classes
        index = planes + labels.index_select(1, sources)
        index = (index * self._depth.count + rows[:, None]) * width
        index += torch.arange(width, device=labels.device)
        counts = torch.zeros(
            count * classes * self._depth.count * width, dtype=torch.int32, device=labels.device
        )
        index = index.flatten()
        counts.scatter_add_(0, index, torch.ones_like(index, dtype=torch.int32))
        self._add_depth_sums(counts.view(count, classes, self._depth.count, width).float())

    def add_probabilities(self, probabilities: Tensor) -> None:
        """Add probabilities of the next B-scans, float tensor (B-scan, class, depth, width)."""
        rows = torch.as_tensor(self._depth.cells, device=probabilities.device)
        sources = self._sources(probabilities.device)
        for bscan in probabilities:
            sums = bscan.new_zeros(
                (bscan.shape[0], self._depth.count, bscan.shape[2]), dtype=torch.float32
            )
            sums.index_add_(1, rows, bscan.index_select(1, sources).float())
            self._add_depth_sums(sums[None])

    def finish(self, center: int | None = None) -> GridArray:
        """Grid of the whole map, float32 array (class, B-scan, depth, width).

        Parameters
        ----------
        center : cell of the whole depth that the grid lies around; None for the retina's middle

        Raises
        ------
        InputError
            If not all B-scans have been added.
        """
        if self._done != self._shape[0]:
            msg = f"Found {self._done} B-scans, expected {self._shape[0]}; add the missing ones."
            raise InputError(msg)
        middle = self.retina_center() if center is None else center
        sums = self._collected()
        first = middle - self._grid.shape[1] // 2
        last = first + self._grid.shape[1]
        shape = (len(self._tissues), *self._grid.shape)
        grid = np.zeros(shape, np.float32)
        inside = slice(max(first, 0), min(last, self._depth.count))
        target = slice(inside.start - first, inside.stop - first)
        grid[:, :, target] = sums[:, :, inside].swapaxes(0, 1)
        return grid

    def retina_center(self) -> int:
        """Cell of the whole depth in the middle of the retina; that of the scan without one."""
        retina = labels_of(*RETINA_GROUPS, tissues=self._tissues)
        mass = self._collected()[:, retina].sum(axis=(0, 1, 3), dtype=np.float64)
        if not mass.any():
            return self._depth.count // 2
        return round(float(mass @ (np.arange(mass.size) + 0.5) / mass.sum()))

    def _sources(self, device: torch.device) -> Tensor:
        """Depths that fall into a cell, in their order, int64 tensor (source,)."""
        return torch.as_tensor(np.arange(self._shape[1])[self._depth.sources], device=device)

    def _add_depth_sums(self, sums: Tensor) -> None:
        """Add the next B-scans, float32 tensor (B-scan, class, depth cell, A-scan) of sums."""
        device, count = sums.device, len(sums)
        overlap = torch.as_tensor(self._overlap, dtype=torch.float32, device=device)
        share = np.zeros(self._depth.count, np.float32)
        share[self._depth.cells] = self._depth.share()
        fractions = (sums @ overlap) * torch.as_tensor(share, device=device)[:, None]
        weights = self._weights[:, self._done : self._done + count]
        rows = np.flatnonzero(weights.any(axis=1))
        if len(rows):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            change = torch.as_tensor(weights[part], device=device) @ fractions.flatten(1)
            kept = self._sums_on(device)
            kept[part] += change.view(-1, *kept.shape[1:])
        self._done += count

    def _sums_on(self, device: torch.device) -> Tensor:
        """Give the sums that grow on a device; on the processor that very array."""
        if device.type == "cpu":
            return torch.from_numpy(self._sums)
        if self._device_sums is None:
            self._device_sums = torch.zeros(self._sums.shape, device=device)
        return self._device_sums

    def _collected(self) -> GridArray:
        """Give the sums of all B-scans, brought home from the device."""
        if self._device_sums is not None:
            self._sums += self._device_sums.cpu().numpy()
            self._device_sums = None
        return self._sums

    def _fractions(self, bscan: LabelArray) -> GridArray:
        """Share of every class in the cells of one B-scan, float32 array (class x cell,)."""
        classes, plane = len(self._tissues), self._plane[0] * self._plane[1]
        if bscan.max() >= classes:
            msg = (
                f"Found tissue label {bscan.max()}; expected 0 to {classes - 1}. "
                "Check which vocabulary the map was made with."
            )
            raise InputError(msg)
        offset = bscan[self._depth.sources].take(self._columns, axis=1) * np.intp(plane)
        index = (offset + self._cells).ravel()
        fractions = np.bincount(index, self._shares, minlength=classes * plane)
        return fractions.astype(np.float32)

    def _add(self, fractions: GridArray) -> None:
        fractions = fractions.reshape(self._sums.shape[1:])
        weights = self._weights[:, self._done]
        for row in np.flatnonzero(weights):
            self._sums[row] += weights[row] * fractions
        self._done += 1


def grid_from_labels(
    tissue_map: LabelArray,
    spacing: VoxelSpacing | None,
    grid: ClassifierGrid = DEFAULT_GRID,
    classes: tuple[Tissue, ...] = TISSUES,
) -> GridArray:
    """Class fractions of a tissue map, float32 array (class, B-scan, depth, width).

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    spacing : None where it is not known, see `voxel_size_mm`
    """
    if tissue_map.ndim != 3:
        msg = f"Expected (B-scan, depth, width), got {tissue_map.shape}; stack the B-scans."
        raise InputError(msg)
    bscans, depths, widths = tissue_map.shape
    accumulator = GridAccumulator((bscans, depths, widths), spacing, grid, classes)
    accumulator.add_labels(tissue_map)
    return accumulator.finish()


def sample_labels(probabilities: Tensor, first_bscan: int, seed: int) -> LabelArray:
    """Labels drawn voxel by voxel from their probabilities, uint8 array (B-scan, depth, width).

    Each B-scan has its own random stream, so that the draw does not depend on the chunk.

    Parameters
    ----------
    probabilities : float tensor (B-scan, class, depth, width)
    first_bscan : number of the first of them in the whole volume
    """
    chunk = probabilities.float().cpu().numpy()
    labels = np.zeros((chunk.shape[0], *chunk.shape[2:]), np.uint8)
    for offset, bscan in enumerate(chunk):
        stream = np.random.default_rng((seed, first_bscan + offset))
        draw = stream.random(bscan.shape[1:], dtype=np.float32) * (bscan.sum(axis=0) * DRAW_LIMIT)
        for share in bscan[:-1]:
            draw -= share
            labels[offset] += draw >= 0
    return labels
