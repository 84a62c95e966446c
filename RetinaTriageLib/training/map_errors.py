"""Errors of segmenters, carried from tissue maps whose truth is known to maps as they are drawn.

A drawn map holds no error, and classifiers that learned from such maps trust every voxel that a
segmenter finds. Maps of segmenters cost seconds each, drawn ones hardly anything: with the errors
of some hundred of the former, thousands of the latter look like them. What a segmenter took for
what is looked up at the same distance from the choroid of another eye; how often it missed a lesion
is looked up in an eye that has one, wherever it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.training.grid_augment import Grid, over_cells, patch_counts
from RetinaTriageLib.training.stack_batches import RARE_TISSUES

TRUE_MAP = "truth"  # array of a grid file: the true map of the same scan, like "grid"

CellMask = npt.NDArray[np.bool_]
CellIndices = npt.NDArray[np.intp]
TissueOfCell = npt.NDArray[np.int8]

NOTHING = -1
CHOROID = TISSUE_BY_NAME["choroid_outer"].label
PATCH_CELLS = (2, 6, 5)  # (B-scan, depth, width): what of a lesion is mistaken together
TOLD_BY_CELLS = 3  # fewer cells of a lesion tell nothing of how it is found
TRIES = 6  # eyes that are asked how a lesion is found


@dataclass(frozen=True)
class MapErrors:
    """How the map that a segmenter found of a scan departs from the true one.

    Attributes
    ----------
    tissue : int8 array (B-scan, depth, width), what truly fills most of a cell, or `NOTHING`
    choroid : intp array (B-scan, width), first cell of the choroid in the truth, or `NOTHING`
    wrong : intp array (3, cell), B-scan, depth and width of cells of which most was taken for
        another tissue
    found : uint8 array (class, cell), class fractions times 255 that were found there
    confusions : int array (class, class), number of cells by true and by found tissue
    """

    tissue: TissueOfCell
    choroid: CellIndices
    wrong: CellIndices
    found: npt.NDArray[np.uint8]
    confusions: npt.NDArray[np.int64]


def errors_between(truth: Grid, found: Grid) -> MapErrors:
    """Errors of a map, both of them uint8 arrays (class, B-scan, depth, width)."""
    tissue = _tissue(truth)
    choroid = _choroid(tissue)
    # Each grid lies around the retina of its own map, which errors move.
    taken = _choroid(_tissue(found))
    apart = (choroid - taken)[(choroid != NOTHING) & (taken != NOTHING)]
    found = _lowered(found, int(np.median(apart)) if apart.size else 0)
    given = _tissue(found)
    known = (tissue != NOTHING) & (given != NOTHING)
    wrong = np.array(np.nonzero(known & (tissue != given)))
    classes = len(truth)
    pairs = tissue[known].astype(np.int64) * classes + given[known]
    confusions = np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    return MapErrors(tissue, choroid, wrong, found[:, wrong[0], wrong[1], wrong[2]], confusions)


def read_errors(paths: Iterable[Path]) -> tuple[MapErrors, ...]:
    """Errors of all maps that lie in their file together with the true one.

    Raises
    ------
    InputError
        If there is no such map, or the two do not fit together.
    """
    errors = []
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            if not {TRUE_MAP, "grid"} <= set(file.files):
                continue
            truth, found = file[TRUE_MAP], file["grid"]
        if truth.shape != found.shape or truth.dtype != np.uint8 or found.dtype != np.uint8:
            msg = (
                f"{path}: found a true map {truth.dtype} {truth.shape} beside a grid "
                f"{found.dtype} {found.shape}; expected uint8 and the same shape."
            )
            raise InputError(msg)
        errors.append(errors_between(truth, found))
    if not errors:
        msg = (
            "Found no map of a segmenter with the true map of the scan beside it; expected some to "
            'take errors from. Make them with "train grids --maps automatic", of phantoms or of '
            "scans whose tissues are drawn."
        )
        raise InputError(msg)
    return tuple(errors)


def with_errors(grid: Grid, known: Sequence[MapErrors], rng: np.random.Generator) -> Grid:
    """Copy of a drawn map with the errors of segmenters.

    Parameters
    ----------
    grid : uint8 array (class, B-scan, depth, width), class fractions times 255
    known : errors in other eyes

    Raises
    ------
    InputError
        If those are known on a grid of another shape.
    """
    tissue = _tissue(grid)
    errors = known[int(rng.integers(len(known)))]
    if errors.tissue.shape != tissue.shape:
        msg = (
            f"Found a map on a grid of {tissue.shape} cells and errors on one of "
            f"{errors.tissue.shape}; expected the same (B-scan, depth, width). Make both with "
            "bundles of the same classifier grid."
        )
        raise InputError(msg)
    mistaken = np.array(grid, order="C")
    alike = _carry(errors, tissue, mistaken)
    for lesion in RARE_TISSUES:
        cells = (tissue == lesion) & ~alike
        if cells.any():
            _mistake(lesion, cells, mistaken, known, rng)
    return mistaken


def _carry(errors: MapErrors, tissue: TissueOfCell, grid: Grid) -> CellMask:
    """Carry errors into a map where the tissue is the same; returns where it is."""
    choroid = _choroid(tissue)
    both = (choroid != NOTHING) & (errors.choroid != NOTHING)
    lower = np.where(both, errors.choroid - choroid, 0)
    depths = grid.shape[2]
    there = np.arange(depths)[:, None] + lower[:, None]  # (B-scan, depth, width)
    inside = both[:, None] & (there >= 0) & (there < depths) & (tissue != NOTHING)
    other = np.take_along_axis(errors.tissue, np.clip(there, 0, depths - 1), axis=1)
    alike: CellMask = inside & (other == tissue)
    bscan, depth, width = errors.wrong
    depth = depth - lower[bscan, width]
    fits = (depth >= 0) & (depth < depths)
    fits[fits] = alike[bscan[fits], depth[fits], width[fits]]
    grid[:, bscan[fits], depth[fits], width[fits]] = errors.found[:, fits]
    return alike


def _mistake(
    lesion: int,
    cells: CellMask,
    grid: Grid,
    known: Sequence[MapErrors],
    rng: np.random.Generator,
) -> None:
    """Take patches of a lesion for what a segmenter took those of another eye for."""
    for _ in range(TRIES):
        counts = known[int(rng.integers(len(known)))].confusions[lesion]
        if counts.sum() >= TOLD_BY_CELLS:
            break
    else:
        return
    patches = patch_counts(cells.shape, PATCH_CELLS)
    drawn = rng.choice(len(counts), size=patches, p=counts / counts.sum())
    taken = over_cells(drawn, PATCH_CELLS, cells.shape)
    for other in np.flatnonzero(counts):
        if other != lesion:
            given = cells & (taken == other)
            grid[other][given] += grid[lesion][given]  # fractions of a cell add up to 255 at most
            grid[lesion][given] = 0


def _tissue(grid: Grid) -> TissueOfCell:
    """Tissue that fills most of each cell, int8 array (B-scan, depth, width)."""
    return np.where(grid.any(axis=0), grid.argmax(axis=0), NOTHING).astype(np.int8)


def _choroid(tissue: TissueOfCell) -> CellIndices:
    """First cell of the choroid in each column, intp array (B-scan, width)."""
    deep = tissue == CHOROID
    return np.where(deep.any(axis=1), deep.argmax(axis=1), NOTHING)


def _lowered(grid: Grid, cells: int) -> Grid:
    """Move a map down by some cells, or up where they are negative."""
    moved = np.zeros_like(grid)
    depths = grid.shape[2]
    source = slice(max(-cells, 0), min(depths - cells, depths))
    moved[:, :, source.start + cells : source.stop + cells] = grid[:, :, source]
    return moved
