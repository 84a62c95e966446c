"""Lesions of one tissue map with what their measurements share: columns, neighbors, gray."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.networks.lesions import FloatArray, IndexArray, Lesions
from RetinaTriageLib.tissues import TISSUES, TissueGroup, labels_of
from RetinaTriageLib.volume import LabelArray

GrayArray = npt.NDArray[np.uint8]

UNKNOWN = -999.0
"""Stands for what cannot be measured, such as the height over a Bruch's membrane out of view."""

SMOOTH_MM = (0.02, 0.08)
"""Depth and width over which gray is averaged where speckle shall not count."""
EYE_STRIDE = 4  # of the depths that the median gray of a tissue is taken over

ARTIFACTS = labels_of(TissueGroup.ARTIFACT)


def _neighbor_groups() -> IndexArray:
    """Label to the group that it counts as beside a lesion: artifacts are one."""
    groups = np.full(256, len(TISSUES) - len(ARTIFACTS), np.int64)
    others = [tissue.label for tissue in TISSUES if tissue.label not in ARTIFACTS]
    groups[others] = np.arange(len(others))
    return groups


NEIGHBOR_GROUPS = _neighbor_groups()
GROUPS = int(NEIGHBOR_GROUPS.max()) + 1


@dataclass(frozen=True)
class VoxelSize:
    """Size of a voxel in mm; B-scans of unknown distance lie 0 apart."""

    bscan_mm: float
    depth_mm: float
    width_mm: float


Borders = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""ILM and Bruch's membrane of a tissue map in px, (B-scan, width), NaN where they are not in it."""


@dataclass(frozen=True)
class GrayScan:
    """Gray values of a scan on the common scale, uint8 arrays (B-scan, depth, width)."""

    raw: GrayArray
    smooth: GrayArray


def gray_scan(raw: GrayArray, size: VoxelSize) -> GrayScan:
    """Scan with its smoothed twin; the same for all of its tissue maps."""
    window = tuple(
        1 + 2 * round(extent / step / 2)
        for extent, step in zip(SMOOTH_MM, (size.depth_mm, size.width_mm), strict=True)
    )
    smooth = np.empty_like(raw)
    for number, bscan in enumerate(raw):
        smooth[number] = ndimage.uniform_filter(bscan.astype(np.float32), window) + 0.5
    return GrayScan(raw, smooth)


@dataclass(frozen=True)
class LesionView:
    """One map with all that several measurements share.

    A lesion covers columns: A-scans, each with a first and a last voxel of the lesion.
    """

    tissue_map: LabelArray
    surfaces: Borders
    gray: GrayScan
    size: VoxelSize
    lesions: Lesions

    @property
    def um(self) -> float:
        """Depth of a voxel in µm."""
        return self.size.depth_mm * 1000

    @cached_property
    def places(self) -> tuple[IndexArray, IndexArray, IndexArray]:
        """B-scan, depth and width of every voxel."""
        bscan, depth, width = np.unravel_index(self.lesions.voxel, self.lesions.shape)
        return bscan, depth, width

    @cached_property
    def labels(self) -> LabelArray:
        """Tissue map, raveled."""
        return self.tissue_map.reshape(-1)

    @cached_property
    def raw(self) -> GrayArray:
        """Gray values, raveled."""
        return self.gray.raw.reshape(-1)

    @cached_property
    def columns(self) -> LesionColumns:
        """A-scans that the lesions cover."""
        return _columns_of(self)

    @cached_property
    def column_start(self) -> IndexArray:
        """Place of the first voxel of every column's A-scan in the raveled map, (column,)."""
        _, depths, widths = self.lesions.shape
        bscan, width = np.divmod(self.columns.ascan, widths)
        return bscan * depths * widths + width

    @cached_property
    def borders(self) -> tuple[FloatArray, FloatArray]:
        """ILM and Bruch's membrane, flat (A-scan,)."""
        ilm, bruch = (border.ravel().astype(np.float64) for border in self.surfaces)
        return ilm, bruch

    def mean(self, values: FloatArray | GrayArray | IndexArray) -> FloatArray:
        """Mean over the voxels of every lesion."""
        sums = np.bincount(self.lesions.of, weights=values, minlength=len(self.lesions))
        return sums / self.lesions.sizes

    @cached_property
    def _grouped(self) -> tuple[IndexArray, IndexArray]:
        """Voxels ordered by lesion, and where each begins."""
        order = np.argsort(self.lesions.of, kind="stable")
        return order, np.searchsorted(self.lesions.of[order], np.arange(len(self.lesions)))

    def least(self, values: IndexArray) -> IndexArray:
        """Least value among the voxels of every lesion."""
        order, first = self._grouped
        return np.minimum.reduceat(values[order], first)

    def most(self, values: IndexArray) -> IndexArray:
        """Greatest value among the voxels of every lesion."""
        order, first = self._grouped
        return np.maximum.reduceat(values[order], first)

    def median_gray(self, label: int) -> float:
        """Median gray of a tissue, wherever it is; `UNKNOWN` without any."""
        sparse = np.s_[:, ::EYE_STRIDE]
        return known_median(self.gray.raw[sparse][self.tissue_map[sparse] == label])

    def everywhere(self, value: float) -> FloatArray:
        """Give all lesions the same number."""
        return np.full(len(self.lesions), value)

    def histogram(self, of: IndexArray, neighbors: IndexArray) -> FloatArray:
        """Share of every group among some neighbors of each lesion, (lesion, group)."""
        groups = NEIGHBOR_GROUPS[self.labels[neighbors]]
        count = len(self.lesions)
        found = np.bincount(of * GROUPS + groups, minlength=count * GROUPS).reshape(count, GROUPS)
        shares: FloatArray = found / np.maximum(found.sum(axis=1, keepdims=True), 1)
        return shares


@dataclass(frozen=True)
class LesionColumns:
    """A-scans that lesions cover, arrays (column,), by lesion.

    Attributes
    ----------
    ascan : B-scan x width + place in the B-scan
    voxels : of the lesion in the column
    """

    of: IndexArray
    ascan: IndexArray
    voxels: IndexArray
    top: IndexArray
    bottom: IndexArray
    lesions: int

    @cached_property
    def counts(self) -> FloatArray:
        """Columns of every lesion."""
        return np.bincount(self.of, minlength=self.lesions).astype(np.float64)

    def mean(self, values: npt.NDArray[np.generic]) -> FloatArray:
        """Mean over the columns of every lesion."""
        return np.bincount(self.of, weights=values, minlength=self.lesions) / self.counts

    def known_mean(self, values: FloatArray) -> FloatArray:
        """Mean over the columns where the value is known, else `UNKNOWN`."""
        known = np.isfinite(values)
        counts = np.bincount(self.of, weights=known, minlength=self.lesions)
        sums = np.bincount(self.of, weights=np.where(known, values, 0), minlength=self.lesions)
        return np.where(counts > 0, sums / np.maximum(counts, 1), UNKNOWN)


def _columns_of(view: LesionView) -> LesionColumns:
    bscans, _, width = view.lesions.shape
    bscan, depth, across = view.places
    key = (view.lesions.of * bscans + bscan) * width + across
    order = np.lexsort((depth, key))
    key, depth = key[order], depth[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    last = np.append(first[1:], len(key)) - 1
    lesion, ascan = np.divmod(key[first], bscans * width)
    return LesionColumns(
        lesion, ascan, last - first + 1, depth[first], depth[last], len(view.lesions)
    )


def known_median(values: npt.NDArray[np.generic]) -> float:
    """Median of what is known, `UNKNOWN` of nothing."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if known.size else UNKNOWN
