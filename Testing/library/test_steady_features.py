from __future__ import annotations

import numpy as np
import pytest

from RetinaTriageLib.networks.map_places import Cell
from RetinaTriageLib.networks.steady_features import (
    COVER_MM,
    PEAK_MM2,
    REACH_MM,
    SEEN_MM,
    SEEN_MM3,
    covered_share,
    nearby_mm3,
    outline_mm,
    steady_feature_names,
    steady_features,
    steady_ranges,
    thickest_mm,
)
from RetinaTriageLib.tissues import TISSUES

CELL = Cell(0.2, 0.02, 0.1)
NAMES = steady_feature_names(TISSUES)
IRF = "intraretinal_fluid"


def layered_grid() -> np.ndarray:
    """8 x 40 x 16 cells: vitreous, 15 cells of retina, choroid."""
    grid = np.zeros((15, 8, 40, 16), np.float32)
    grid[0, :, :12], grid[3, :, 12:27], grid[11, :, 27:] = 1, 1, 1
    return grid


def with_cysts(places: list[tuple[int, int, int]], share: float = 1.0) -> np.ndarray:
    """Layered grid with fluid in a share of some cells of the retina."""
    grid = layered_grid()
    for place in places:
        grid[3, *place], grid[4, *place] = 1 - share, share
    return grid


def measured(grid: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, steady_features(grid, CELL, TISSUES).tolist(), strict=True))


def test_layers_measure_what_they_are() -> None:
    found = measured(layered_grid())
    volume = 8 * 16 * 15 * 0.2 * 0.02 * 0.1
    assert found["neurosensory_retina:volume"] == pytest.approx(
        np.log1p((volume / SEEN_MM3) ** 2) / 2
    )
    assert found["retina:center"] == pytest.approx(0.3)
    assert found["retina:center_thinnest"] == pytest.approx(0.3)
    assert found["retina:deviation"] == pytest.approx(0, abs=1e-6)
    assert found[f"{IRF}:area"] == found["fluid:thickest"] == 0


def test_one_voxel_more_or_less_moves_every_measurement_by_little_of_a_split() -> None:
    cyst = [(4, 15, 7), (4, 15, 8), (3, 15, 8)]
    voxel = 0.05  # of a cell of 20 voxels
    for before, after in (
        (with_cysts([]), with_cysts(cyst[:1], voxel)),  # appears
        (with_cysts(cyst), with_cysts([*cyst, (4, 15, 10)], 1.0)),
        (with_cysts(cyst, 0.24), with_cysts(cyst, 0.26)),  # passes a quarter of a cell
    ):
        changed = float(np.abs(after - before).sum() / 2)  # cells
        change = np.abs(
            steady_features(after, CELL, TISSUES) - steady_features(before, CELL, TISSUES)
        )
        assert (change / steady_ranges(TISSUES) <= 1.5 * changed).all()


def test_border_of_the_grid_does_not_count_as_tissue_in_front_or_behind() -> None:
    grid = layered_grid()
    moved = np.roll(grid, 1, axis=2)
    moved[:, :, 0] = grid[:, :, 0]  # one cell more in front, one less behind
    assert measured(moved) == pytest.approx(measured(grid), abs=1e-5)
    assert measured(grid)["vitreous_subhyaloid:thickest"] == pytest.approx(
        np.hypot(REACH_MM, SEEN_MM) - SEEN_MM
    )


def test_thickest_place_is_a_mean_over_its_area() -> None:
    thickness = np.zeros((10, 10), np.float32)
    thickness[2, 3] = 0.5
    cells = round(PEAK_MM2 / CELL.area_mm2)
    assert thickest_mm(thickness, CELL) == pytest.approx(0.5 / cells)
    assert thickest_mm(thickness[:1, :2], CELL) == 0
    assert thickest_mm(thickness[:0], CELL) == 0


def test_thin_tissue_covers_a_part_of_a_cell() -> None:
    thickness = np.array([[0, COVER_MM / 4, COVER_MM, 1]], np.float32)
    np.testing.assert_allclose(covered_share(thickness), [[0, 0.25, 1, 1]])


def test_outline_tells_two_spots_from_one_of_their_area() -> None:
    one, two = np.zeros((2, 20, 40), np.float32)
    one[7:13, 14:26], two[7:13, 5:11], two[7:13, 29:35] = 1, 1, 1
    assert outline_mm(two, CELL) > 1.4 * outline_mm(one, CELL)


def test_lone_voxels_hardly_have_an_outline() -> None:
    voxels = np.zeros((33, 33), np.float32)
    voxels[4::8, 4::8] = 0.05  # 16 of them
    spot = np.zeros((33, 33), np.float32)
    spot[14:18, 12:20] = 1
    assert outline_mm(voxels, CELL) < 0.1 * outline_mm(spot, CELL)


def test_most_in_a_square_leaves_out_what_lies_elsewhere() -> None:
    thickness = np.zeros((20, 30), np.float32)
    thickness[3, 4:6], thickness[15, 25] = 0.1, 0.1
    assert nearby_mm3(thickness, CELL) == pytest.approx(2 * 0.1 * 0.02)


def test_hole_in_the_center_is_seen() -> None:
    grid = layered_grid()
    grid[3, 3:5, :, 6:10], grid[0, 3:5, 12:27, 6:10] = 0, 1
    found = measured(grid)
    assert found["retina:center_thinnest"] == pytest.approx(0, abs=1e-6)
    assert found["retina:center_empty_area"] == pytest.approx(8 * 0.02)


def test_cells_outside_the_scan_count_nowhere() -> None:
    grid = layered_grid()
    grid[..., :8] = 0
    found = measured(grid)
    assert found["scanned_area"] == pytest.approx(8 * 8 * 0.02)
    assert found["retina:thinnest"] == pytest.approx(0.3)
    assert found["retina:inner_ring:thinnest_sector"] == pytest.approx(0.3)


@pytest.mark.parametrize("axis", [1, 3])
def test_mirrored_map_measures_the_same(axis: int) -> None:
    grid = with_cysts([(1, 15, 6), (2, 15, 6)])
    here, there = measured(grid), measured(np.flip(grid, axis).copy())
    assert here == pytest.approx(there, abs=1e-5)


def test_empty_grid_measures_zero() -> None:
    assert not any(measured(np.zeros((15, 4, 4, 4), np.float32)).values())
