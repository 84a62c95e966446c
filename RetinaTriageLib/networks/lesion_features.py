"""Measurements of whole lesions, by which trees tell what each of them is.

A convolutional network names every voxel by what lies around it; a druse and a fibrovascular
detachment differ in how they look as a whole. Lengths are in mm and µm, gray values 0 to 255 on
the common scale of `networks.gray`. Nothing here depends on the distance between B-scans, which
line scans do not have, but for how far a lesion reaches across them. Nothing says which scanner it
was either: what a scanner makes of the whole eye is left out, and lesions are compared to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.networks.lesion_view import (
    GROUPS,
    UNKNOWN,
    Borders,
    GrayScan,
    LesionView,
    VoxelSize,
    gray_scan,
    known_median,
)
from RetinaTriageLib.networks.lesions import (
    LESION_LABELS,
    LESION_TISSUES,
    FloatArray,
    IndexArray,
    Lesions,
    find_lesions,
)
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES
from RetinaTriageLib.volume import LabelArray

Features = npt.NDArray[np.float32]

LESION_FEATURE_VERSION = 1
"""Version that bundles state; whoever changes a measurement, or their order, takes a new one."""

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

CALLED = slice(0, len(LESION_LABELS))
"""Places of the measurements that say what the map calls a lesion, 1 at its `LESION_LABELS`."""

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

RPE = TISSUE_BY_NAME["rpe"].label
BACKGROUND = ("vitreous_subhyaloid", "neurosensory_retina", "choroid_outer")


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
    measured = _measured(LesionView(tissue_map, borders, gray, size, lesions))
    return np.stack([values.astype(np.float32) for values in measured.values()], axis=1)


@cache
def lesion_feature_names() -> tuple[str, ...]:
    """Names of the measurements in their order."""
    druse = np.zeros((1, 3, 3), np.uint8)
    druse[0, 1, 1] = TISSUE_BY_NAME["drusenoid_ped"].label
    size, unseen = VoxelSize(0.0, 1.0, 1.0), np.full((1, 3), np.nan, np.float32)
    view = LesionView(druse, (unseen, unseen), gray_scan(druse, size), size, find_lesions(druse))
    return tuple(_measured(view))


def size_columns() -> list[int]:
    """Places of `SIZES` among the measurements."""
    names = lesion_feature_names()
    return [names.index(name) for name in SIZES]


def _measured(view: LesionView) -> Mapping[str, FloatArray]:
    parts = (_shape, _place, _pigment_epithelium, _neighbors, _gray, _surroundings, _eye)
    return {name: values for part in parts for name, values in part(view).items()}


def _shape(view: LesionView) -> dict[str, FloatArray]:
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


def _place(view: LesionView) -> dict[str, FloatArray]:
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
        "retina here, more": columns.known_mean((bruch - ilm) * um - known_median(retina)),
        "Bruch seen": columns.mean(np.isfinite(bruch)),
        "ILM seen": columns.mean(np.isfinite(ilm)),
        "from the middle": np.hypot(columns.mean(along), columns.mean(across)),
        "from the side": edge,
        "from the bottom": np.minimum(
            (depths - 1 - view.most(depth)) * size.depth_mm, FARTHEST_EDGE_MM
        ),
        "from the top": np.minimum(view.least(depth) * size.depth_mm, FARTHEST_EDGE_MM),
    }


def _pigment_epithelium(view: LesionView) -> dict[str, FloatArray]:
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
            np.where(there, bright[here] - known_median(bright[count > 0]), np.nan)
        ),
    }


def _neighbors(view: LesionView) -> dict[str, FloatArray]:
    """Tissues above, below, beside, and on the neighboring B-scans."""
    bscans, depths, widths = view.lesions.shape
    bscan, _, width = view.places
    columns, voxel, of = view.columns, view.lesions.voxel, view.lesions.of
    start = view.column_start
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


def _gray(view: LesionView) -> dict[str, FloatArray]:
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


def _deviation(view: LesionView, values: FloatArray) -> FloatArray:
    return np.sqrt(np.maximum(view.mean(values**2) - view.mean(values) ** 2, 0))


def _surroundings(view: LesionView) -> dict[str, FloatArray]:
    """Gray around: above, below, beside, and in the choroid behind."""
    _, depths, widths = view.lesions.shape
    _, _, width = view.places
    size, columns, voxel, of = view.size, view.columns, view.lesions.voxel, view.lesions.of
    start = view.column_start

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
            f"gray less {name}": own - view.median_gray(TISSUE_BY_NAME[name].label)
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


def _eye(view: LesionView) -> dict[str, FloatArray]:
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
