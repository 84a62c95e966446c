"""Connected regions of a tissue map, and the map without one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.explanation import TissueRegion
from RetinaTriageLib.measures.columns import class_counts
from RetinaTriageLib.tissues import TISSUES, Tissue, TissueGroup
from RetinaTriageLib.volume import LabelArray

BoolArray = npt.NDArray[np.bool_]
Box = tuple[slice, slice, slice]

LESION_GROUPS = (TissueGroup.FLUID, TissueGroup.PED)
LESIONS = ("posterior_hyaloid", "epiretinal_membrane", "subretinal_hyperreflective_material")
"""Tissues beside `LESION_GROUPS` that a healthy macula does not show."""

# Voxels that touch at a corner belong together: cuts along the B-scan are coarse.
TOUCHING = np.ones((3, 3, 3), np.bool_)

MIN_VOXELS = 8
"""Smaller regions are noise of the segmentation; ours."""

MIN_BORDER_SHARE = 0.2
"""Share of a region's border from which a tissue can be what surrounds it; ours."""


@dataclass(frozen=True)
class FoundRegion:
    """One region with the part of the map that it lies in.

    Attributes
    ----------
    box : slices of the map that hold the region
    mask : bool array (B-scan, depth, width) of the box
    label, filler : of the region's own tissue, and of the one that surrounds it
    """

    region: TissueRegion
    box: Box
    mask: BoolArray
    label: int
    filler: int


def lesion_tissues(tissues: tuple[Tissue, ...] = TISSUES) -> tuple[Tissue, ...]:
    """Tissues that come in regions and can be absent: fluids, detachments, membranes."""
    return tuple(t for t in tissues if t.group in LESION_GROUPS or t.name in LESIONS)


def find_regions(
    tissue_map: LabelArray,
    tissues: tuple[Tissue, ...] = TISSUES,
    of: Sequence[Tissue] | None = None,
    min_voxels: int = MIN_VOXELS,
) -> tuple[FoundRegion, ...]:
    """Find the connected regions of some tissues, the largest first.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    tissues : the vocabulary of the map
    of : whose regions to find; None for `lesion_tissues`

    Raises
    ------
    InputError
        If the array is no tissue map of this vocabulary.
    """
    names = {tissue.label: tissue.name for tissue in tissues}
    sizes = class_counts(tissue_map, 1 + max(names))
    found = []
    for tissue in lesion_tissues(tissues) if of is None else of:
        if sizes[tissue.label] < min_voxels:
            continue
        regions, count = ndimage.label(tissue_map == tissue.label, TOUCHING)
        voxels = np.bincount(regions.ravel(), minlength=count + 1)
        for number, box in enumerate(ndimage.find_objects(regions), start=1):
            if box is not None and voxels[number] >= min_voxels:
                mask = regions[box] == number
                bscans, depths, widths = box
                inside = (bscans, depths, widths)
                found.append(_found(tissue_map, inside, mask, tissue.label, names, sizes))
    return tuple(sorted(found, key=lambda one: -one.region.voxels))


def whole_tissues(found: Sequence[FoundRegion]) -> tuple[FoundRegion, ...]:
    """All regions of a tissue together, for each tissue that has several; the largest first.

    The tissue that surrounds most of them takes the place of all. Their middle is that of the
    largest one.
    """
    together = []
    for label in dict.fromkeys(one.label for one in found):
        parts = [one for one in found if one.label == label]
        if len(parts) > 1:
            together.append(_together(parts))
    return tuple(sorted(together, key=lambda one: -one.region.voxels))


def without_region(tissue_map: LabelArray, found: FoundRegion) -> LabelArray:
    """Copy of a map whose region is set to the tissue that surrounds it.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    """
    changed = tissue_map.copy()
    changed[found.box][found.mask] = found.filler
    return changed


def _found(
    tissue_map: LabelArray,
    box: Box,
    mask: BoolArray,
    label: int,
    names: dict[int, str],
    sizes: npt.NDArray[np.int64],
) -> FoundRegion:
    filler = _surrounding(tissue_map, box, mask, label, sizes)
    bscan, depth, width = _middle(mask)
    region = TissueRegion(
        names[label],
        names[filler],
        int(mask.sum()),
        bscan + box[0].start,
        depth + box[1].start,
        width + box[2].start,
        box[0].start,
        box[0].stop - 1,
    )
    return FoundRegion(region, box, mask, label, filler)


def _together(parts: Sequence[FoundRegion]) -> FoundRegion:
    starts = [min(one.box[axis].start for one in parts) for axis in range(3)]
    stops = [max(one.box[axis].stop for one in parts) for axis in range(3)]
    mask = np.zeros([stop - start for start, stop in zip(starts, stops, strict=True)], np.bool_)
    shares: dict[tuple[int, str], int] = {}
    for one in parts:
        inside = tuple(
            slice(s.start - start, s.stop - start) for s, start in zip(one.box, starts, strict=True)
        )
        mask[inside] |= one.mask
        filler = (one.filler, one.region.filled_with)
        shares[filler] = shares.get(filler, 0) + one.region.voxels
    surrounding, name = max(shares, key=lambda one: shares[one])
    largest = max(parts, key=lambda one: one.region.voxels)
    region = replace(
        largest.region,
        filled_with=name,
        voxels=int(mask.sum()),
        first_bscan=starts[0],
        last_bscan=stops[0] - 1,
        parts=len(parts),
    )
    bscans, depths, widths = (slice(*ends) for ends in zip(starts, stops, strict=True))
    return FoundRegion(region, (bscans, depths, widths), mask, largest.label, surrounding)


def _surrounding(
    tissue_map: LabelArray, box: Box, mask: BoolArray, label: int, sizes: npt.NDArray[np.int64]
) -> int:
    """Label of the largest tissue of the map that a good part of the border touches.

    The largest, and not the one that touches most: fluid below the retina touches retina and
    pigment epithelium alike, and a lifted retina comes down, while the epithelium grows no thicker.
    """
    wide = tuple(
        slice(max(0, s.start - 1), min(size, s.stop + 1))
        for s, size in zip(box, tissue_map.shape, strict=True)
    )
    around = tissue_map[wide]
    offset = [(s.start - w.start, w.stop - s.stop) for s, w in zip(box, wide, strict=True)]
    inside = np.pad(mask, offset)
    # Within the B-scan, where neighbors are near; across B-scans only where that shows nothing.
    in_plane = np.zeros((3, 3, 3), np.bool_)
    in_plane[1] = True
    for structure in (in_plane, TOUCHING):
        border = ndimage.binary_dilation(inside, structure) & ~inside
        counts = np.bincount(around[border], minlength=len(sizes))
        counts[label] = 0
        if counts.any():
            touching = np.flatnonzero(counts >= MIN_BORDER_SHARE * counts.sum())
            return int(touching[np.argmax(sizes[touching])])
    msg = "Found a map of one tissue alone; expected a region that something surrounds."
    raise InputError(msg)


def _middle(mask: BoolArray) -> tuple[int, int, int]:
    """Index of the voxel nearest to the center of the B-scan that has most of the region."""
    bscan = int(mask.sum(axis=(1, 2)).argmax())
    voxels = np.argwhere(mask[bscan])
    nearest = np.argmin(((voxels - voxels.mean(axis=0)) ** 2).sum(axis=1))
    depth, width = (int(index) for index in voxels[nearest])
    return bscan, depth, width
