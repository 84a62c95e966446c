import numpy as np
import pytest
import torch

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.classifier_input import (
    ClassifierGrid,
    GridAccumulator,
    grid_from_labels,
    sample_labels,
    voxel_size_mm,
)
from RetinaTriageLib.networks.grid_axes import depth_cells, row_weights, width_overlap
from RetinaTriageLib.volume import VoxelSpacing

VITREOUS, RETINA, CHOROID = 0, 3, 11
GRID = ClassifierGrid(spacing_mm=(0.2, 0.008, 0.04), shape=(3, 8, 6))
SPACING = VoxelSpacing(bscan_mm=0.2, depth_mm=0.004, width_mm=0.02)


def layered_map(*, first: int = 14, bscans: int = 3) -> np.ndarray:
    """32 depths of 12 A-scans: vitreous, four voxels of retina from ``first`` on, choroid."""
    labels = np.full((bscans, 32, 12), CHOROID, np.uint8)
    labels[:, : first + 4] = RETINA
    labels[:, :first] = VITREOUS
    return labels


def one_hot(labels: np.ndarray) -> torch.Tensor:
    planes = np.arange(15, dtype=np.uint8)[:, None, None] == labels[:, None]
    return torch.from_numpy(planes.astype(np.float32))


def test_fractions_in_the_scan_add_up_to_one():
    grid = grid_from_labels(layered_map(), SPACING, GRID)
    assert grid.shape == (15, 3, 8, 6)
    assert grid.dtype == np.float32
    np.testing.assert_allclose(grid.sum(axis=0), 1, rtol=1e-6)


def test_cell_holds_the_share_of_its_voxels():
    labels = layered_map()
    labels[:, 14, 0] = VITREOUS  # one of the 2 x 2 voxels of a cell
    grid = grid_from_labels(labels, SPACING, GRID)
    assert grid[RETINA, 1, :, 0].sum() == pytest.approx(2 - 0.25)


@pytest.mark.parametrize("first", [4, 14, 24])
def test_retina_lies_in_the_middle_wherever_the_scan_has_it(first):
    grid = grid_from_labels(layered_map(first=first), SPACING, GRID)
    assert np.flatnonzero(grid[RETINA, 1, :, 0]).tolist() == [3, 4]


def test_cells_beyond_the_scan_are_zero_in_every_class():
    grid = grid_from_labels(layered_map(first=0), SPACING, GRID)
    assert not grid[:, :, :3].any()
    narrow = grid_from_labels(layered_map()[:, :, :8], SPACING, GRID)
    assert narrow.sum(axis=(0, 1, 2)).tolist() == pytest.approx([0, 24, 24, 24, 24, 0])


def test_wider_scan_is_cropped_around_its_middle():
    labels = np.concatenate([np.full((3, 32, 4), 13, np.uint8), layered_map()], axis=2)
    labels = np.concatenate([labels, np.full((3, 32, 4), 13, np.uint8)], axis=2)
    expected = grid_from_labels(layered_map(), SPACING, GRID)
    np.testing.assert_array_equal(grid_from_labels(labels, SPACING, GRID), expected)


def test_map_without_retina_is_centered_on_the_scan():
    grid = grid_from_labels(np.full((3, 16, 12), 14, np.uint8), SPACING, GRID)
    np.testing.assert_allclose(grid[14], 1)


def test_mirrored_eye_gives_the_mirrored_grid():
    labels = np.random.default_rng(0).integers(0, 15, (3, 32, 13), dtype=np.uint8)
    mirrored = grid_from_labels(labels[:, :, ::-1], SPACING, GRID)
    np.testing.assert_allclose(
        mirrored, grid_from_labels(labels, SPACING, GRID)[..., ::-1], atol=1e-6
    )


@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_certain_probabilities_give_the_grid_of_their_labels_for_any_chunk(chunk):
    labels = np.random.default_rng(0).integers(0, 15, (5, 33, 17), dtype=np.uint8)
    accumulator = GridAccumulator(labels.shape, SPACING, GRID)
    for part in torch.split(one_hot(labels), chunk):
        accumulator.add_probabilities(part)
    expected = grid_from_labels(labels, SPACING, GRID)
    np.testing.assert_allclose(accumulator.finish(), expected, atol=1e-6)


@pytest.mark.parametrize("depth_mm", [0.004, 0.012])
@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_labels_on_a_device_give_the_grid_of_labels_at_home_for_any_chunk(chunk, depth_mm):
    labels = np.random.default_rng(0).integers(0, 15, (5, 33, 17), dtype=np.uint8)
    spacing = VoxelSpacing(0.1, depth_mm, 0.03)
    accumulator = GridAccumulator(labels.shape, spacing, GRID)
    for part in torch.split(torch.from_numpy(labels), chunk):
        accumulator.add_label_tensor(part)
    expected = grid_from_labels(labels, spacing, GRID)
    np.testing.assert_allclose(accumulator.finish(), expected, atol=1e-6)


def test_row_between_two_bscans_takes_from_both_by_distance():
    weights = row_weights(bscans=2, bscan_mm=0.8, row_mm=0.2, rows=3)
    np.testing.assert_allclose(weights, [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]], atol=1e-6)


def test_dense_bscans_are_all_used():
    weights = row_weights(bscans=9, bscan_mm=0.05, row_mm=0.2, rows=3)
    assert (weights.sum(axis=0) > 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)


def test_rows_beyond_the_scan_are_empty():
    weights = row_weights(bscans=2, bscan_mm=0.2, row_mm=0.2, rows=7)
    assert weights.any(axis=1).tolist() == [False, False, True, True, True, False, False]


def test_single_bscan_is_the_middle_row():
    spacing = VoxelSpacing(None, 0.004, 0.02)
    grid = grid_from_labels(layered_map(bscans=1), spacing, GRID)
    assert grid.sum(axis=(0, 2, 3)).tolist() == pytest.approx([0, 48, 0])


def test_unknown_spacing_lets_the_scan_span_the_grid():
    size = voxel_size_mm((6, 16, 12), None, GRID)
    assert size == pytest.approx((0.1, 0.004, 0.02))
    grid = grid_from_labels(layered_map(first=14), None, GRID)
    assert (grid.sum(axis=(0, 2)) > 0).all()


def test_voxels_larger_than_cells_fill_every_cell():
    overlap = width_overlap(voxels=3, voxel_mm=0.2, cell_mm=0.1, cells=6)
    assert overlap.argmax(axis=0).tolist() == [0, 0, 1, 1, 2, 2]
    np.testing.assert_allclose(overlap.sum(axis=0), 1)
    assert depth_cells(voxels=2, voxel_mm=0.02, cell_mm=0.008).cells.tolist() == [0, 1, 2, 3, 4]


def test_voxel_on_a_border_counts_on_both_sides():
    overlap = width_overlap(voxels=3, voxel_mm=0.1, cell_mm=0.2, cells=2)
    np.testing.assert_allclose(overlap, [[0.5, 0], [0.25, 0.25], [0, 0.5]])


def test_depth_cells_end_with_the_scan():
    assert depth_cells(voxels=496, voxel_mm=0.00387, cell_mm=0.016).count == 120
    assert depth_cells(voxels=8, voxel_mm=0.004, cell_mm=0.008).cells[-1] == 3


def test_missing_bscans_are_noticed():
    accumulator = GridAccumulator((3, 32, 12), SPACING, GRID)
    accumulator.add_labels(layered_map(bscans=2))
    with pytest.raises(InputError, match="2 B-scans, expected 3"):
        accumulator.finish()


def test_label_of_another_vocabulary_is_refused():
    with pytest.raises(InputError, match="tissue label 15"):
        grid_from_labels(np.full((3, 32, 12), 15, np.uint8), SPACING, GRID)


def test_draw_follows_the_probabilities():
    chances = torch.tensor([0.2, 0.0, 0.8]).reshape(1, 3, 1, 1).expand(1, 3, 100, 100)
    labels = sample_labels(chances, first_bscan=0, seed=1)
    counts = np.bincount(labels.ravel(), minlength=3) / labels.size
    assert counts == pytest.approx([0.2, 0.0, 0.8], abs=0.02)


def test_draw_does_not_depend_on_the_chunk_but_on_the_seed():
    chances = torch.full((4, 15, 8, 8), 1 / 15)
    whole = sample_labels(chances, first_bscan=0, seed=1)
    parts = [sample_labels(chances[:1], 0, seed=1), sample_labels(chances[1:], 1, seed=1)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert not np.array_equal(whole, sample_labels(chances, first_bscan=0, seed=2))
    assert not np.array_equal(whole[0], whole[1])
