"""Augmentation of tissue maps on a grid: where the scan lay, and errors of a segmentation.

A mirrored scan is one of the other eye. No tissue and no outcome names a side, so no label changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.tissues import TISSUE_BY_NAME

Grid = npt.NDArray[np.uint8]
Value = TypeVar("Value", bound=np.generic)

BLINK = TISSUE_BY_NAME["blink_artifact"].label
PATCH_CELLS = (3, 10, 10)  # (B-scan, depth, width): size of a patch with a segmentation error


@dataclass(frozen=True)
class GridAugmentation:
    """How far tissue maps are changed; a chance is the share of samples that undergo a change.

    Attributes
    ----------
    shift_cells : largest shift along (B-scan, depth, width)
    zoom : largest relative change of depth and width, each
    tilt : largest slope, cells of depth a cell of width
    bend_cells : largest sag of a parabola over the width
    errors : largest number of confusions of one tissue with another
    error_share : largest share of the patches in which a confusion happens
    """

    flip_chance: float = 0.5
    shift_cells: tuple[int, int, int] = (2, 8, 6)
    zoom: float = 0.1
    tilt: float = 0.1
    bend_cells: float = 2.0
    errors: int = 3
    error_share: float = 0.3
    blink_chance: float = 0.1
    forget_patient_chance: float = 0.5


def augmented_grid(
    grid: Grid,
    plan: GridAugmentation,
    rng: np.random.Generator,
    err: Callable[[Grid], Grid] | None = None,
) -> Grid:
    """Change class fractions (class, B-scan, depth, width); zeros outside the scan.

    Parameters
    ----------
    err : gives a map with errors of a segmentation; None for those of `mistaken`
    """
    return augmented_maps(grid, plan, rng, 1, err)[0]


def augmented_maps(
    grid: Grid,
    plan: GridAugmentation,
    rng: np.random.Generator,
    maps: int,
    err: Callable[[Grid], Grid] | None = None,
) -> list[Grid]:
    """Change one map into several of the same scan: moved alike, each with errors of its own."""
    if rng.random() < plan.flip_chance:
        grid = grid[:, ::-1]
    grid = moved(grid, plan, rng)
    if rng.random() < plan.flip_chance:
        grid = grid[..., ::-1]
    found = [mistaken(grid, plan, rng) if err is None else err(grid) for _ in range(maps)]
    if rng.random() < plan.blink_chance:
        bscan = rng.integers(grid.shape[1])
        for one in found:
            one[:, bscan] = 0
            one[BLINK, bscan] = 255
    return found


def mistaken(grid: Grid, plan: GridAugmentation, rng: np.random.Generator) -> Grid:
    """Copy of a tissue map with the errors of a segmentation."""
    grid = np.array(grid, order="C")
    for _ in range(rng.integers(plan.errors + 1)):
        confuse(grid, rng.uniform(0, plan.error_share), rng)
    return grid


def moved(grid: Grid, plan: GridAugmentation, rng: np.random.Generator) -> Grid:
    """Tissue map shifted, zoomed, tilted and bent, by the nearest cell."""
    classes, bscans, depth, width = grid.shape
    shift = [rng.uniform(-limit, limit) for limit in plan.shift_cells]
    zoom_depth, zoom_width = (1 + rng.uniform(-plan.zoom, plan.zoom) for _ in range(2))
    tilt = rng.uniform(-plan.tilt, plan.tilt)
    bend = rng.uniform(-plan.bend_cells, plan.bend_cells)
    across = (np.arange(width) - width / 2) * zoom_width
    columns = np.rint(across + width / 2 + shift[2]).astype(np.int64)
    sag = bend * (across / (width / 2)) ** 2
    down = (np.arange(depth) - depth / 2)[:, None] * zoom_depth
    rows = np.rint(down + depth / 2 + shift[1] + tilt * across + sag).astype(np.int64)
    inside = (rows >= 0) & (rows < depth) & (columns >= 0) & (columns < width)
    places = np.where(inside, rows * width + columns, 0)
    result = np.zeros_like(grid)
    step = round(shift[0])
    for bscan in range(max(0, -step), min(bscans, bscans - step)):
        planes = grid[:, bscan + step].reshape(classes, -1)
        result[:, bscan] = np.take(planes, places, axis=1) * inside
    return result


def confuse(grid: Grid, share: float, rng: np.random.Generator) -> None:
    """Take one tissue for another, in patches, as a segmentation network may."""
    present = np.flatnonzero(grid.any(axis=(1, 2, 3)))
    if len(present) < 2:
        return
    taken, given = rng.choice(present, 2, replace=False)
    shape = grid.shape[1:]
    patches = rng.random(patch_counts(shape, PATCH_CELLS)) < share
    wrong = over_cells(patches, PATCH_CELLS, shape)
    lost = grid[taken] * wrong
    grid[taken] -= lost
    grid[given] += lost  # fractions of a cell add up to 255 at most


def patch_counts(shape: tuple[int, ...], patch: tuple[int, ...]) -> tuple[int, ...]:
    """Count the patches along each axis that cover a grid."""
    return tuple(-(-size // cells) for size, cells in zip(shape, patch, strict=True))


def over_cells(
    values: npt.NDArray[Value], patch: tuple[int, ...], shape: tuple[int, ...]
) -> npt.NDArray[Value]:
    """Give every cell of a grid the value of its patch, array of ``shape``."""
    for axis, cells in enumerate(patch):
        values = values.repeat(cells, axis=axis)
    return values[tuple(slice(size) for size in shape)]
