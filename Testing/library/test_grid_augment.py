from __future__ import annotations

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.training.grid_augment import GridAugmentation, augmented_grid, confuse, moved

STILL = GridAugmentation(shift_cells=(0, 0, 0), zoom=0.0, tilt=0.0)


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
