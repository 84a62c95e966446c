from __future__ import annotations

import numpy as np
import pytest

from RetinaTriageLib.networks.map_places import Cell
from RetinaTriageLib.networks.tissue_features import feature_names, tissue_features
from RetinaTriageLib.tissues import TISSUES

CELL = Cell(0.5, 0.1, 0.5)
NAMES = feature_names(TISSUES)


def layered_grid() -> np.ndarray:
    """8 x 10 x 8 cells: vitreous, 3 cells of retina, choroid."""
    grid = np.zeros((15, 8, 10, 8), np.float32)
    grid[0, :, :4], grid[3, :, 4:7], grid[11, :, 7:] = 1, 1, 1
    return grid


def measured(grid: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, tissue_features(grid, CELL, TISSUES).tolist(), strict=True))


def test_layers_measure_what_they_are() -> None:
    found = measured(layered_grid())
    assert found["scanned_area"] == pytest.approx(64 * 0.25)
    assert found["neurosensory_retina:volume"] == pytest.approx(64 * 3 * 0.025)
    assert found["retina:center"] == pytest.approx(0.3)
    assert found["retina:inner_ring:thickest_sector"] == pytest.approx(0.3)
    assert found["intraretinal_fluid:regions"] == 0


def test_regions_are_counted_and_the_largest_measured() -> None:
    grid = layered_grid()
    for place in ((1, 5, 1), (5, 5, 5), (5, 5, 6)):
        grid[:, *place], grid[4, *place] = 0, 1
    found = measured(grid)
    assert found["intraretinal_fluid:regions"] == 2
    assert found["intraretinal_fluid:largest_region"] == pytest.approx(2 * 0.025)


def test_hole_in_the_center_is_seen() -> None:
    grid = layered_grid()
    grid[3, 3:5, :, 3:5], grid[0, 3:5, 4:7, 3:5] = 0, 1
    found = measured(grid)
    assert found["retina:center_thinnest"] == 0
    assert found["retina:center_empty_area"] == pytest.approx(1.0)


def test_cells_outside_the_scan_count_nowhere() -> None:
    grid = layered_grid()
    grid[..., :4] = 0
    found = measured(grid)
    assert found["scanned_area"] == pytest.approx(32 * 0.25)
    assert found["retina:thinnest"] == pytest.approx(0.3)


@pytest.mark.parametrize("axis", [1, 3])
def test_mirrored_map_measures_the_same(axis: int) -> None:
    grid = layered_grid()
    grid[:, 1, 5, 6], grid[4, 1, 5, 6] = 0, 1
    here, there = measured(grid), measured(np.flip(grid, axis).copy())
    assert here == pytest.approx(there, abs=1e-5)


def test_empty_grid_measures_zero() -> None:
    assert not any(measured(np.zeros((15, 4, 4, 4), np.float32)).values())
