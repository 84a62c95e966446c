"""The straightened retina: what lies where, and that it comes back."""

from __future__ import annotations

import numpy as np
import pytest

from RetinaTriageLib.inference.finish_maps import common_borders
from RetinaTriageLib.networks.flat_view import BRUCH_ROW, ROW_MM, ROWS, FlatView, flat_view
from RetinaTriageLib.networks.lesion_view import VoxelSize

SPECTRALIS = VoxelSize(bscan_mm=0.24, depth_mm=0.0039, width_mm=0.0117)
TOPCON = VoxelSize(bscan_mm=0.05, depth_mm=0.0026, width_mm=0.0117)
DEPTHS, WIDTH = 400, 512


def tilted_view(size: VoxelSize = SPECTRALIS, depths: int = DEPTHS) -> FlatView:
    """Two B-scans whose Bruch's membrane rises, 0.3 mm under the ILM."""
    bruch = np.tile(np.linspace(300, 180, WIDTH, dtype=np.float32), (2, 1))
    return flat_view((bruch - np.float32(0.3 / size.depth_mm), bruch), depths, size)


def below(view: FlatView, depths: int = DEPTHS) -> np.ndarray:
    """Whether each voxel lies below Bruch's membrane, (B-scan, depth, width)."""
    return np.arange(depths)[:, None] > view.bruch[:, None, :]


@pytest.mark.parametrize("size", [SPECTRALIS, TOPCON])
def test_tilted_membrane_lies_in_one_row(size: VoxelSize) -> None:
    view = tilted_view(size)
    flat = view.flattened(below(view).astype(np.uint8) * 200)
    rows = (flat > 100).argmax(axis=1)[:, 8:-8]  # beside the edges, where a line is smoothed
    assert set(rows.ravel().tolist()) <= {BRUCH_ROW, BRUCH_ROW + 1}


@pytest.mark.parametrize("size", [SPECTRALIS, TOPCON])
def test_row_is_as_high_for_every_scanner(size: VoxelSize) -> None:
    view = tilted_view(size)
    height = (BRUCH_ROW - view.ilm_rows[:, 8:-8]) * ROW_MM
    np.testing.assert_allclose(height, 0.3, atol=0.005)
    assert view.shape == (2, ROWS, 256)


def test_what_is_flattened_comes_back_to_its_place() -> None:
    view = tilted_view()
    disc = np.zeros((2, DEPTHS, WIDTH), np.uint8)
    depth, width = np.ogrid[:DEPTHS, :WIDTH]
    disc[1][(depth - 190) ** 2 + (width - 256) ** 2 < 25**2] = 255
    back = view.restored(np.rint(view.flattened(disc)).astype(np.uint8)) > 127
    both = (back & (disc > 0)).sum()
    assert 2 * both / (back.sum() + (disc > 0).sum()) > 0.95
    assert not back[0].any()


def test_voxel_lies_at_the_place_that_shows_it() -> None:
    view = tilted_view()
    one = np.zeros((2, DEPTHS, WIDTH), np.uint8)
    one[1, 196:204, 300:308] = 255
    flat = view.flattened(one)
    places = view.places(view.covered(np.flatnonzero(one)))
    assert flat.reshape(-1)[places].mean() > 150
    assert flat.sum() == pytest.approx(flat[1].sum())


def test_voxels_far_above_are_not_covered() -> None:
    view = tilted_view(TOPCON)
    shown = view.covered(np.arange(2 * DEPTHS * WIDTH))
    bscan, depth, width = np.unravel_index(shown, (2, DEPTHS, WIDTH))
    heights = (view.bruch[bscan, width] - depth) * TOPCON.depth_mm
    assert heights.max() < (BRUCH_ROW + 1) * ROW_MM
    assert heights.min() > (BRUCH_ROW - ROWS) * ROW_MM


def test_bscan_without_a_retina_shows_nothing() -> None:
    bruch = np.full((2, WIDTH), 200, np.float32)
    bruch[1] = np.nan
    view = flat_view((bruch - 80, bruch), DEPTHS, SPECTRALIS)
    assert view.seen.tolist() == [True, False]
    voxels = np.full((2, DEPTHS, WIDTH), 90, np.uint8)
    flat = view.flattened(voxels)
    assert flat[0, BRUCH_ROW - 40 :].min() > 80  # higher up the view leaves the picture
    assert not flat[1].any()
    assert not view.restored(flat.astype(np.uint8))[1].any()
    assert view.covered(np.arange(voxels.size)).max() < DEPTHS * WIDTH


def test_gap_and_leap_of_a_border_are_bridged() -> None:
    bruch = np.full((1, WIDTH), 200, np.float32)
    bruch[0, 100:200] = np.nan
    bruch[0, 300:305] = 350
    view = flat_view((bruch - 80, bruch), DEPTHS, SPECTRALIS)
    np.testing.assert_allclose(view.bruch, 200, atol=1)


def test_maps_have_the_lower_median_border_in_common() -> None:
    ilm = [np.array([[10, np.nan, 12.0]], np.float32), np.array([[14, np.nan, np.nan]], np.float32)]
    ilm.append(np.array([[90, np.nan, 20]], np.float32))
    common, _ = common_borders([(one, one) for one in ilm])
    np.testing.assert_array_equal(common, [[14, np.nan, 12]])
