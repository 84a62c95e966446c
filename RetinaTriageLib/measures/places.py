"""Places to look at: every pocket of a tissue, and the regions that hypotheses disagree on most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.measures.disagreement import vote_entropy
from RetinaTriageLib.measures.regions import Float64Array
from RetinaTriageLib.volume import LabelArray, VoxelSpacing

BoolArray = npt.NDArray[np.bool_]

SHEET_UM = 20.0
"""Disagreement thinner than this lies along every border of two tissues and is no place."""

UNKNOWN_DEPTH_SHEET_VOXELS = 5
SHEET_WIDTH_VOXELS = 3


@dataclass(frozen=True)
class Place:
    """One connected region of a scan.

    Attributes
    ----------
    label : tissue of the region; None where hypotheses disagree on it
    volume_mm3 : None where the spacing is not known
    at : (B-scan, depth, width) of a voxel of the region, in the B-scan that shows most of it
    first_bscan, last_bscan : B-scans that it reaches to
    sector : ETDRS sector that most of it lies in; "" where there is no grid, or outside of it
    entropy : mean vote entropy in it, in nats; 0 for a pocket
    """

    label: int | None
    voxels: int
    volume_mm3: float | None
    at: tuple[int, int, int]
    first_bscan: int
    last_bscan: int
    sector: str = ""
    entropy: float = 0.0


@dataclass(frozen=True)
class Frame:
    """What turns voxels into places; both may be unknown.

    Attributes
    ----------
    sectors : ETDRS sector to float array (B-scan, width), as of `EtdrsGrid`
    """

    spacing: VoxelSpacing | None = None
    sectors: Mapping[str, Float64Array] | None = None


def find_pockets(
    tissue_map: LabelArray, labels: Sequence[int], frame: Frame, smallest_voxels: int = 1
) -> tuple[Place, ...]:
    """Every connected pocket of some tissues, the largest first.

    Pockets of different tissues that touch are two; voxels connect through their faces.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    smallest_voxels : pockets of fewer voxels are left out
    """
    found = [
        place
        for label in labels
        for place in _places(tissue_map == label, label, frame, smallest_voxels)
    ]
    return tuple(sorted(found, key=lambda place: -place.voxels))


def find_disagreements(
    tissue_maps: Sequence[LabelArray], frame: Frame, smallest_voxels: int = 1
) -> tuple[Place, ...]:
    """Regions that the maps disagree on, those of most entropy first; none for one map.

    What is thinner than `SHEET_UM` along the depth is left out: maps differ by some voxels on
    every border of two tissues.

    Parameters
    ----------
    tissue_maps : uint8 arrays (B-scan, depth, width)
    """
    if len(tissue_maps) < 2:
        return ()
    entropy = np.stack(
        [vote_entropy([one[bscan] for one in tissue_maps]) for bscan in range(len(tissue_maps[0]))]
    )
    thin = np.ones((1, _sheet_voxels(frame.spacing), SHEET_WIDTH_VOXELS), dtype=bool)
    thick = ndimage.binary_opening(entropy > 0, thin)
    found = _places(thick, None, frame, smallest_voxels, entropy)
    return tuple(sorted(found, key=lambda place: -place.voxels * place.entropy))


def region_at(tissue_map: LabelArray, at: tuple[int, int, int]) -> BoolArray:
    """Mask of the connected region of one tissue that holds a voxel, (B-scan, depth, width).

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    at : (B-scan, depth, width)
    """
    numbers, _count = ndimage.label(tissue_map == tissue_map[at])
    region: BoolArray = numbers == numbers[at]
    return region


def _places(
    mask: BoolArray,
    label: int | None,
    frame: Frame,
    smallest_voxels: int,
    entropy: npt.NDArray[np.float32] | None = None,
) -> list[Place]:
    box = _bounding_box(mask)
    if box is None:
        return []
    numbers, _count = ndimage.label(mask[box])
    places = []
    for number, inside in enumerate(ndimage.find_objects(numbers), start=1):
        region = numbers[inside] == number
        if np.count_nonzero(region) < smallest_voxels:
            continue
        start = tuple(outer.start + inner.start for outer, inner in zip(box, inside, strict=True))
        mean = 0.0 if entropy is None else float(entropy[box][inside][region].mean())
        places.append(_place(region, start, label, frame, mean))
    return places


def _place(
    region: BoolArray, start: tuple[int, ...], label: int | None, frame: Frame, entropy: float
) -> Place:
    columns = region.sum(axis=1)  # (B-scan, width)
    voxels = int(columns.sum())
    bscan = int(columns.sum(axis=1).argmax())
    inside = np.argwhere(region[bscan])
    nearest = inside[np.square(inside - inside.mean(axis=0)).sum(axis=1).argmin()]
    spacing = frame.spacing
    known = spacing is not None and spacing.bscan_mm is not None
    return Place(
        label,
        voxels,
        voxels * spacing.voxel_mm3 if spacing is not None and known else None,
        (start[0] + bscan, start[1] + int(nearest[0]), start[2] + int(nearest[1])),
        start[0],
        start[0] + len(region) - 1,
        _sector(columns, start, frame),
        entropy,
    )


def _sector(columns: npt.NDArray[np.int64], start: tuple[int, ...], frame: Frame) -> str:
    """Sector that holds most of the region's voxels."""
    if frame.sectors is None:
        return ""
    bscans, widths = columns.shape
    part = np.s_[start[0] : start[0] + bscans, start[2] : start[2] + widths]
    shares = {name: float((area[part] * columns).sum()) for name, area in frame.sectors.items()}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] > 0 else ""


def _bounding_box(mask: BoolArray) -> tuple[slice, slice, slice] | None:
    """Box around all voxels of a mask; None where there is none."""
    if not mask.any():
        return None
    bscans, depths, widths = (
        np.flatnonzero(mask.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))
    )
    return (
        slice(int(bscans[0]), int(bscans[-1]) + 1),
        slice(int(depths[0]), int(depths[-1]) + 1),
        slice(int(widths[0]), int(widths[-1]) + 1),
    )


def _sheet_voxels(spacing: VoxelSpacing | None) -> int:
    if spacing is None:
        return UNKNOWN_DEPTH_SHEET_VOXELS
    return max(2, round(SHEET_UM / 1000 / spacing.depth_mm))
