"""Measurements of whole lesions, by which trees tell what each of them is.

A convolutional network names every voxel by what lies around it; a druse and a fibrovascular
detachment differ in how they look as a whole. Lengths are in mm and µm, gray values 0 to 255 on
the common scale of `networks.gray`. Nothing here depends on the distance between B-scans, which
line scans do not have, but for how far a lesion reaches across them. Nothing says which scanner it
was either: what a scanner makes of the whole eye is left out, and lesions are compared to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.networks.lesions import (
    LESION_LABELS,
    LESION_TISSUES,
    FloatArray,
    IndexArray,
    Lesions,
    find_lesions,
)
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES, TissueGroup, labels_of
from RetinaTriageLib.volume import LabelArray

Features = npt.NDArray[np.float32]
GrayArray = npt.NDArray[np.uint8]

LESION_FEATURE_VERSION = 1
"""Version that bundles state; whoever changes a measurement, or their order, takes a new one."""

UNKNOWN = -999.0
"""Stands for what cannot be measured, such as the height over a Bruch's membrane out of view."""

SIZES = (
    "cross-section",
    "reach across B-scans",
    "width",
    "height",
    "covered width",
    "thickness",
    "thickest",
    "retina here",
)
"""Measurements that say whether a lesion is of a size that was learned."""

SMOOTH_MM = (0.02, 0.08)
"""Depth and width over which gray is averaged where speckle shall not count."""
NEAR_MM = 0.02
"""Depth above and below a lesion that counts as its border; what follows is twice as deep."""
BESIDE_MM = 0.06
"""Width beside a lesion at which its surroundings are looked at."""
DEEP_MM = (0.04, 0.2)
"""Depth below Bruch's membrane at which light that came through shows."""
DEEP_STEPS = 8
PERCENTS = (10, 50, 90)
MOST_BEFORE = 20  # larger lesions of the same tissue, counted up to here
FARTHEST_EDGE_MM = 0.5
EYE_STRIDE = 4  # of the depths that the median gray of a tissue is taken over

ARTIFACTS = labels_of(TissueGroup.ARTIFACT)
RPE = TISSUE_BY_NAME["rpe"].label
BACKGROUND = ("vitreous_subhyaloid", "neurosensory_retina", "choroid_outer")


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


def lesion_features(
    tissue_map: LabelArray, borders: Borders, gray: GrayScan, size: VoxelSize, lesions: Lesions
) -> Features:
    """Measurements of all lesions, float32 array (lesion, `lesion_feature_names`).

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    borders : of that map
    lesions : of that map
    """
    if not len(lesions):
        return np.zeros((0, len(lesion_feature_names())), np.float32)
    measured = _measured(_View(tissue_map, borders, gray, size, lesions))
    return np.stack([values.astype(np.float32) for values in measured.values()], axis=1)


@cache
def lesion_feature_names() -> tuple[str, ...]:
    """Names of the measurements in their order."""
    druse = np.zeros((1, 3, 3), np.uint8)
    druse[0, 1, 1] = TISSUE_BY_NAME["drusenoid_ped"].label
    size, unseen = VoxelSize(0.0, 1.0, 1.0), np.full((1, 3), np.nan, np.float32)
    view = _View(druse, (unseen, unseen), gray_scan(druse, size), size, find_lesions(druse))
    return tuple(_measured(view))


def _measured(view: _View) -> Mapping[str, FloatArray]:
    parts = (_shape, _place, _pigment_epithelium, _neighbors, _gray, _surroundings, _eye)
    return {name: values for part in parts for name, values in part(view).items()}


@dataclass(frozen=True)
class _View:
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
        return self.size.depth_mm * 1000

    @cached_property
    def places(self) -> tuple[IndexArray, IndexArray, IndexArray]:
        """B-scan, depth and width of every voxel."""
        bscan, depth, width = np.unravel_index(self.lesions.voxel, self.lesions.shape)
        return bscan, depth, width

    @cached_property
    def labels(self) -> LabelArray:
        return self.tissue_map.reshape(-1)

    @cached_property
    def raw(self) -> GrayArray:
        return self.gray.raw.reshape(-1)

    @cached_property
    def columns(self) -> _Columns:
        return _columns_of(self)

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
        order, first = self._grouped
        return np.minimum.reduceat(values[order], first)

    def most(self, values: IndexArray) -> IndexArray:
        order, first = self._grouped
        return np.maximum.reduceat(values[order], first)

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
class _Columns:
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


def _columns_of(view: _View) -> _Columns:
    bscans, _, width = view.lesions.shape
    bscan, depth, across = view.places
    key = (view.lesions.of * bscans + bscan) * width + across
    order = np.lexsort((depth, key))
    key, depth = key[order], depth[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    last = np.append(first[1:], len(key)) - 1
    lesion, ascan = np.divmod(key[first], bscans * width)
    return _Columns(lesion, ascan, last - first + 1, depth[first], depth[last], len(view.lesions))


def _shape(view: _View) -> dict[str, FloatArray]:
    bscan, depth, width = view.places
    size, columns, um = view.size, view.columns, view.um
    bscans = (view.most(bscan) - view.least(bscan) + 1).astype(np.float64)
    height = (view.most(depth) - view.least(depth) + 1) * um
    extent = (view.most(width) - view.least(width) + 1) * size.width_mm
    thickness = columns.mean(columns.voxels) * um
    thickest = np.zeros(len(view.lesions))
    np.maximum.at(thickest, columns.of, columns.voxels * um)
    section = view.lesions.sizes / bscans * um * size.width_mm
    return {
        **{
            f"is {name}": (view.lesions.label == label).astype(np.float64)
            for name, label in zip(LESION_TISSUES, LESION_LABELS, strict=True)
        },
        "cross-section": np.log(section),
        "reach across B-scans": (bscans - 1) * size.bscan_mm,
        "width": extent,
        "height": height,
        "covered width": np.log(columns.counts / bscans * size.width_mm),
        "thickness": thickness,
        "thickest": thickest,
        "evenness": thickness / thickest,
        "steepness": height / extent,
        "solidity": columns.mean(columns.voxels / (columns.bottom - columns.top + 1)),
    }


def _place(view: _View) -> dict[str, FloatArray]:
    bscans, depths, widths = view.lesions.shape
    _, depth, width = view.places
    size, columns, um = view.size, view.columns, view.um
    ilm, bruch = (border[columns.ascan] for border in view.borders)
    retina = (view.borders[1] - view.borders[0]) * um
    extent = np.maximum(bruch - ilm, 1)
    along = (columns.ascan // widths - (bscans - 1) / 2) * size.bscan_mm
    across = (columns.ascan % widths - (widths - 1) / 2) * size.width_mm
    edge = np.minimum(view.least(width), widths - 1 - view.most(width)) * size.width_mm
    return {
        "bottom over Bruch": columns.known_mean((bruch - columns.bottom) * um),
        "top over Bruch": columns.known_mean((bruch - columns.top) * um),
        "top under ILM": columns.known_mean((columns.top - ilm) * um),
        "relative top": columns.known_mean((columns.top - ilm) / extent),
        "relative bottom": columns.known_mean((columns.bottom - ilm) / extent),
        "retina here": columns.known_mean((bruch - ilm) * um),
        "retina here, more": columns.known_mean((bruch - ilm) * um - _known_median(retina)),
        "Bruch seen": columns.mean(np.isfinite(bruch)),
        "ILM seen": columns.mean(np.isfinite(ilm)),
        "from the middle": np.hypot(columns.mean(along), columns.mean(across)),
        "from the side": edge,
        "from the bottom": np.minimum(
            (depths - 1 - view.most(depth)) * size.depth_mm, FARTHEST_EDGE_MM
        ),
        "from the top": np.minimum(view.least(depth) * size.depth_mm, FARTHEST_EDGE_MM),
    }


def _pigment_epithelium(view: _View) -> dict[str, FloatArray]:
    """Where the RPE of the same A-scans lies, how thick and how bright it is."""
    bscans, _, widths = view.lesions.shape
    voxel = np.flatnonzero(view.labels == RPE)
    bscan, depth, width = np.unravel_index(voxel, view.lesions.shape)
    ascan, ascans = bscan * widths + width, bscans * widths
    count = np.bincount(ascan, minlength=ascans)
    several = np.maximum(count, 1)
    middle = np.bincount(ascan, weights=depth, minlength=ascans) / several
    bright = np.bincount(ascan, weights=view.raw[voxel], minlength=ascans) / several
    columns, um = view.columns, view.um
    here = columns.ascan
    there = count[here] > 0
    lower = (columns.top + columns.bottom) / 2 - middle[here]
    return {
        "RPE there": columns.mean(there),
        "RPE thickness, more": (columns.mean(count[here]) - float(np.median(count))) * um,
        "below RPE": columns.known_mean(np.where(there, lower * um, np.nan)),
        "share below RPE": columns.mean(there & (lower > 0)),
        "RPE gray, more": columns.known_mean(
            np.where(there, bright[here] - _known_median(bright[count > 0]), np.nan)
        ),
    }


def _neighbors(view: _View) -> dict[str, FloatArray]:
    """Tissues above, below, beside, and on the neighboring B-scans."""
    bscans, depths, widths = view.lesions.shape
    bscan, _, width = view.places
    columns, voxel, of = view.columns, view.lesions.voxel, view.lesions.of
    start = (columns.ascan // widths * depths) * widths + columns.ascan % widths
    above = start + np.maximum(columns.top - 1, 0) * widths
    below = start + np.minimum(columns.bottom + 1, depths - 1) * widths
    left, right = voxel - (width > 0), voxel + (width < widths - 1)
    sides = np.concatenate((left, right))
    whose, own = np.concatenate((of, of)), np.concatenate((voxel, voxel))
    border = view.labels[sides] != view.labels[own]
    plane = depths * widths
    back, on = bscan > 0, bscan < bscans - 1
    across = np.concatenate((voxel[back] - plane, voxel[on] + plane))
    found = {
        "above": view.histogram(columns.of, above),
        "below": view.histogram(columns.of, below),
        "beside": view.histogram(whose[border], sides[border]),
        "across": view.histogram(np.concatenate((of[back], of[on])), across),
    }
    outline = np.bincount(whose[border], minlength=len(view.lesions)) / view.lesions.sizes
    return {
        **{f"{side} {group}": found[side][:, group] for side in found for group in range(GROUPS)},
        "outline": outline,
    }


def _gray(view: _View) -> dict[str, FloatArray]:
    voxel, of = view.lesions.voxel, view.lesions.of
    raw = view.raw[voxel].astype(np.float64)
    smooth = view.gray.smooth.reshape(-1)[voxel].astype(np.float64)
    order = np.lexsort((smooth, of))
    first = np.searchsorted(of[order], np.arange(len(view.lesions)))
    counts = view.lesions.sizes.astype(np.int64)
    percentiles = {
        f"smooth gray, {percent} %": smooth[order][
            first + np.minimum(counts * percent // 100, counts - 1)
        ]
        for percent in PERCENTS
    }
    return {
        "gray": view.mean(raw),
        "gray deviation": _deviation(view, raw),
        "smooth gray": view.mean(smooth),
        "smooth gray deviation": _deviation(view, smooth),
        **percentiles,
    }


def _deviation(view: _View, values: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(view.mean(values**2) - view.mean(values) ** 2, 0))


def _surroundings(view: _View) -> dict[str, FloatArray]:
    """Gray around: above, below, beside, and in the choroid behind."""
    _, depths, widths = view.lesions.shape
    _, _, width = view.places
    size, columns, voxel, of = view.size, view.columns, view.lesions.voxel, view.lesions.of
    start = (columns.ascan // widths * depths) * widths + columns.ascan % widths

    def layer(begin: IndexArray | FloatArray, steps: range) -> FloatArray:
        """Mean gray of every column over some depths; NaN outside of the picture."""
        total, seen = np.zeros((2, len(columns.of)))
        for step in steps:
            depth = begin + step
            inside = (depth >= 0) & (depth < depths)
            at = start + np.where(inside, depth, 0).astype(np.int64) * widths
            total += np.where(inside, view.raw[at], 0)
            seen += inside
        return np.where(seen > 0, total / np.maximum(seen, 1), np.nan)

    near = max(2, round(NEAR_MM / size.depth_mm))
    bruch = view.borders[1][columns.ascan]
    deep = [round(depth / size.depth_mm) for depth in DEEP_MM]
    behind = layer(
        np.nan_to_num(bruch).astype(np.int64),
        range(deep[0], deep[1] + 1, max(1, (deep[1] - deep[0]) // DEEP_STEPS)),
    )
    beside = max(2, round(BESIDE_MM / size.width_mm))
    total, seen = np.zeros((2, len(view.lesions)))
    for step in (-beside, beside):
        inside = (width + step >= 0) & (width + step < widths)
        at = voxel[inside] + step
        other = view.labels[at] != view.labels[voxel[inside]]
        whose = of[inside][other]
        total += np.bincount(whose, weights=view.raw[at[other]], minlength=len(view.lesions))
        seen += np.bincount(whose, minlength=len(view.lesions))
    around = np.where(seen > 0, total / np.maximum(seen, 1), UNKNOWN)
    own = view.mean(view.raw[voxel])
    return {
        **{
            f"gray less {name}": own - _median_gray(view, TISSUE_BY_NAME[name].label)
            for name in BACKGROUND
        },
        "gray less beside": np.where(seen > 0, own - around, 0),
        "gray above": columns.known_mean(layer(columns.top, range(-near, 0))),
        "gray far above": columns.known_mean(layer(columns.top, range(-3 * near, -near))),
        "gray below": columns.known_mean(layer(columns.bottom, range(1, near + 1))),
        "gray far below": columns.known_mean(layer(columns.bottom, range(near + 1, 3 * near + 1))),
        "gray behind Bruch": columns.known_mean(np.where(np.isfinite(bruch), behind, np.nan)),
        "gray beside": around,
    }


def _eye(view: _View) -> dict[str, FloatArray]:
    """All lesions of the eye."""
    label, sizes = view.lesions.label, view.lesions.sizes
    bscans = view.lesions.shape[0]
    volumes = np.bincount(label, weights=sizes, minlength=len(TISSUES))
    sections = volumes / bscans * view.um * view.size.width_mm
    larger = np.zeros(len(label))
    for one in LESION_LABELS:
        own = np.flatnonzero(label == one)
        larger[own[np.argsort(-sizes[own], kind="stable")]] = np.arange(len(own))
    return {
        **{
            f"all {name}": view.everywhere(float(np.log1p(sections[one])))
            for name, one in zip(LESION_TISSUES, LESION_LABELS, strict=True)
        },
        "share of its tissue": sizes / volumes[label],
        "lesions of its tissue": np.log(np.bincount(label)[label]),
        "larger ones": np.minimum(larger, MOST_BEFORE),
    }


def _median_gray(view: _View, label: int) -> float:
    sparse = np.s_[:, ::EYE_STRIDE]
    return _known_median(view.gray.raw[sparse][view.tissue_map[sparse] == label])


def _known_median(values: npt.NDArray[np.generic]) -> float:
    """Median of what is known, `UNKNOWN` of nothing."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if known.size else UNKNOWN
