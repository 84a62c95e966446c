from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.map_errors import TRUE_MAP, errors_between, read_errors, with_errors

VITREOUS, RETINA, FLUID, CHOROID = 0, 3, 4, 11
Grid = npt.NDArray[np.uint8]


def eye(choroid: int = 16, *, fluid: slice | None = None) -> Grid:
    """Vitreous, eight cells of retina, choroid; fluid in its middle where asked for."""
    grid = np.zeros((15, 4, 24, 20), np.uint8)
    grid[VITREOUS, :, : choroid - 8] = 255
    grid[RETINA, :, choroid - 8 : choroid] = 255
    grid[CHOROID, :, choroid:] = 255
    if fluid is not None:
        paint(grid, FLUID, choroid, fluid)
    return grid


def paint(grid: Grid, tissue: int, choroid: int, widths: slice) -> None:
    grid[RETINA, 1:3, choroid - 6 : choroid - 2, widths] = 0
    grid[tissue, 1:3, choroid - 6 : choroid - 2, widths] = 255


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_an_eye_with_its_own_errors_is_what_was_found(rng: np.random.Generator) -> None:
    truth, found = eye(fluid=slice(2, 8)), eye(fluid=slice(5, 12))
    np.testing.assert_array_equal(with_errors(truth, [errors_between(truth, found)], rng), found)


def test_false_fluid_lies_as_far_from_the_choroid_of_another_eye(rng: np.random.Generator) -> None:
    errors = errors_between(eye(), eye(fluid=slice(5, 12)))
    np.testing.assert_array_equal(with_errors(eye(13), [errors], rng), eye(13, fluid=slice(5, 12)))


def test_grids_around_different_depths_are_laid_over_each_other(rng: np.random.Generator) -> None:
    errors = errors_between(eye(16), eye(13, fluid=slice(5, 12)))
    np.testing.assert_array_equal(with_errors(eye(16), [errors], rng), eye(16, fluid=slice(5, 12)))


def test_lesion_is_missed_as_often_as_elsewhere(rng: np.random.Generator) -> None:
    truth, found = eye(fluid=slice(0, 6)), eye(fluid=slice(0, 3))
    errors = errors_between(truth, found)
    other = eye(fluid=slice(8, 20))
    left = [with_errors(other, [errors], rng)[FLUID].sum() / other[FLUID].sum() for _ in range(99)]
    assert np.mean(left) == pytest.approx(0.5, abs=0.1)


def test_lesion_that_no_other_eye_has_stays(rng: np.random.Generator) -> None:
    errors = errors_between(eye(), eye())
    lesion = eye(fluid=slice(8, 20))
    np.testing.assert_array_equal(with_errors(lesion, [errors], rng), lesion)


def test_cells_hold_no_more_than_one_whole(rng: np.random.Generator) -> None:
    blurred = (eye(fluid=slice(2, 9)) // 2 + eye(15, fluid=slice(4, 12)) // 2).astype(np.uint8)
    errors = errors_between(blurred, eye(17, fluid=slice(6, 14)))
    for _ in range(10):
        assert with_errors(blurred, [errors], rng).sum(axis=0, dtype=np.int64).max() <= 255


def test_map_outside_the_scan_has_no_errors(rng: np.random.Generator) -> None:
    errors = errors_between(eye(), eye(fluid=slice(5, 12)))
    nothing = np.zeros_like(eye())
    assert not with_errors(nothing, [errors], rng).any()


def test_files_without_a_true_map_give_no_errors(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", grid=eye())
    with pytest.raises(InputError, match="no map of a segmenter with the true map"):
        read_errors([tmp_path / "a.npz"])
    np.savez(tmp_path / "b.npz", grid=eye(fluid=slice(2, 5)), **{TRUE_MAP: eye()})
    assert len(read_errors(sorted(tmp_path.iterdir()))) == 1


def test_true_map_of_another_shape_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", grid=eye(), **{TRUE_MAP: eye()[:, :2]})
    with pytest.raises(InputError, match=r"a\.npz: found a true map uint8 \(15, 2, 24, 20\)"):
        read_errors([tmp_path / "a.npz"])


def test_errors_on_another_grid_are_refused(rng: np.random.Generator) -> None:
    errors = errors_between(eye(), eye(fluid=slice(5, 12)))
    with pytest.raises(InputError, match=r"grid of \(2, 24, 20\) cells and errors on one of"):
        with_errors(eye()[:, :2], [errors], rng)


def test_map_without_any_choroid_is_not_moved() -> None:
    found = np.zeros_like(eye())
    found[VITREOUS] = 255
    assert errors_between(eye(), found).confusions[CHOROID, VITREOUS] == 4 * 8 * 20
