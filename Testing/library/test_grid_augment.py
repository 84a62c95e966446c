from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.training.grid_augment import (
    BLINK,
    GridAugmentation,
    augmented_grid,
    confuse,
    moved,
)

STILL = GridAugmentation(shift_cells=(0, 0, 0), zoom=0.0, tilt=0.0, bend_cells=0.0)


def two_tissues() -> npt.NDArray[np.uint8]:
    """Vitreous above retina; every cell is full."""
    grid = np.zeros((15, 4, 20, 20), np.uint8)
    grid[0, :, :10], grid[3, :, 10:] = 255, 255
    return grid


def test_no_movement_changes_nothing() -> None:
    np.testing.assert_array_equal(
        moved(two_tissues(), STILL, np.random.default_rng(0)), two_tissues()
    )


def test_cells_hold_no_more_than_one_whole() -> None:
    for seed in range(10):
        grid = augmented_grid(two_tissues(), GridAugmentation(), np.random.default_rng(seed))
        assert grid.sum(axis=0, dtype=np.int64).max() <= 255


def test_confusion_keeps_every_cell_full() -> None:
    grid = two_tissues()
    confuse(grid, 0.5, np.random.default_rng(0))
    assert (grid != two_tissues()).any()
    assert (grid.sum(axis=0, dtype=np.int64) == 255).all()


def test_original_is_not_changed() -> None:
    grid = two_tissues()
    augmented_grid(grid, GridAugmentation(), np.random.default_rng(1))
    np.testing.assert_array_equal(grid, two_tissues())


def test_bent_layer_is_mirrored_about_the_middle() -> None:
    bent = moved(two_tissues(), replace(STILL, bend_cells=12.0), np.random.default_rng(1))
    border = (bent[0, 0] > 0).sum(axis=0)  # (width,)
    assert len(np.unique(border)) > 2
    assert abs(int(border[1]) - int(border[-1])) <= 1


def test_blink_takes_the_tissue_from_one_bscan() -> None:
    plan = replace(STILL, blink_chance=1.0, flip_chance=0.0, errors=0)
    grid = augmented_grid(two_tissues(), plan, np.random.default_rng(0))
    gone = (grid[BLINK] == 255).all(axis=(1, 2))
    assert gone.sum() == 1
    assert not grid[:3, gone].any()
    np.testing.assert_array_equal(grid[:, ~gone], two_tissues()[:, ~gone])


def test_flips_mirror_all_tissues_alike() -> None:
    plan = replace(STILL, blink_chance=0.0, flip_chance=1.0, errors=0)
    grid = two_tissues()
    grid[3, 1, 12:, :4], grid[4, 1, 12:, :4] = 0, 255
    flipped = augmented_grid(grid, plan, np.random.default_rng(0))
    np.testing.assert_array_equal(flipped, grid[:, ::-1, :, ::-1])
