"""Surfaces planted in speckle are found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.graph_search import find_surfaces
from RetinaTriageLib.networks.surface_cost import clipping_mask
from RetinaTriageLib.readers.heidelberg_vol import read_heidelberg_vol
from RetinaTriageLib.volume import VoxelSpacing

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SPACING = VoxelSpacing.from_um(120, 3.87, 11.5)
DEPTHS, WIDTHS = 320, 256
COLUMN = np.arange(WIDTHS)
FLAT_ILM = 100 + 0.05 * COLUMN
FLAT_BM = 180 + 0.05 * COLUMN

Line = npt.NDArray[np.floating]


def speckled(
    ilm: Line = FLAT_ILM, bm: Line = FLAT_BM, lift: Line | float = 0.0
) -> npt.NDArray[np.uint8]:
    """One B-scan (1, depth, width) of brightness bands under speckle averaged over 16 frames."""
    row = np.arange(DEPTHS)[:, None] + 0.0
    outer = bm - lift
    bands = ((ilm, 0.35), (ilm + 15, 0.25), (outer - 17, 0.6), (outer - 12, 0.4), (outer - 9, 0.7))
    signal = np.full((DEPTHS, WIDTHS), 0.05)
    for depth, brightness in bands:
        signal = np.where(row >= depth, brightness, signal)
    signal = np.where(row >= outer, 0.3, signal)  # deposit, where there is room for one
    signal = np.where(row >= bm, 0.25 * np.exp(-(row - bm) / 80), signal)
    speckle = np.random.default_rng(3).gamma(16, 1 / 16, signal.shape)
    return np.round(255 * np.clip(signal * speckle, 0, 0.99)).astype(np.uint8)[None]


def median_error(found: Line, planted: Line) -> float:
    return float(np.median(np.abs(found[0] - planted)))


@pytest.mark.parametrize("slope", [-0.3, 0.0, 0.3])
def test_planted_surfaces_are_found_to_less_than_a_pixel(slope: float) -> None:
    bow = slope * (COLUMN - WIDTHS / 2) + 30 * (COLUMN / WIDTHS - 0.5) ** 2
    found = find_surfaces(speckled(110 + bow, 190 + bow), SPACING)
    # Pixel r covers r - 0.5 to r + 0.5 and is bright from the first whole depth on.
    assert median_error(found.ilm, 110 + bow) < 1
    assert median_error(found.bm, 190 + bow) < 1
    assert median_error(found.ellipsoid, 173 + bow) < 1.5
    assert median_error(found.rpe, 181 + bow) < 1.5


def test_clear_edges_are_sure_and_noise_is_not() -> None:
    clear = find_surfaces(speckled(), SPACING).confidence["bm"]
    noise = np.random.default_rng(4).integers(0, 120, (1, DEPTHS, WIDTHS)).astype(np.uint8)
    assert np.median(clear) > 0.8
    assert np.median(find_surfaces(noise, SPACING).confidence["bm"]) < 0.3


@pytest.mark.parametrize("fill", [0, 255])
def test_wedges_are_masked_and_do_not_attract_a_surface(fill: int) -> None:
    voxels = speckled()
    wedge = np.arange(DEPTHS)[:, None] < 60 - 0.2 * COLUMN
    voxels[0][wedge] = fill
    found = find_surfaces(voxels, SPACING)
    assert np.mean(found.clipped[0] == wedge) > 0.995
    assert median_error(found.ilm, FLAT_ILM) < 1


def test_narrow_white_column_at_the_border_is_clipped() -> None:
    voxels = speckled()
    voxels[0, :, 0] = 255
    assert clipping_mask(voxels)[0].any(axis=0).nonzero()[0].tolist() == [0]


def test_membrane_runs_straight_under_a_druse() -> None:
    lift = 25 * np.exp(-(((COLUMN - 128) / 18) ** 2))
    found = find_surfaces(speckled(lift=lift), SPACING)
    assert np.abs(found.bm[0] - FLAT_BM).max() < 3
    assert found.bm[0, 128] - found.rpe[0, 128] > 25


def test_detached_hyaloid_is_not_the_retina() -> None:
    voxels = speckled()
    voxels[0, 60:63] = 110
    assert median_error(find_surfaces(voxels, SPACING).ilm, FLAT_ILM) < 1


def test_cyst_does_not_move_the_surfaces() -> None:
    voxels = speckled(bm=FLAT_BM + 40)
    voxels[0, 130:180, 100:140] //= 6
    found = find_surfaces(voxels, SPACING)
    assert median_error(found.ilm[:, 100:140], FLAT_ILM[100:140]) < 1
    assert median_error(found.bm[:, 100:140], FLAT_BM[100:140] + 40) < 1


def test_mirrored_image_gives_mirrored_surfaces() -> None:
    voxels = speckled()
    here, there = find_surfaces(voxels, SPACING), find_surfaces(voxels[:, :, ::-1], SPACING)
    assert np.median(np.abs(here.bm - there.bm[:, ::-1])) < 0.1


def test_shift_between_bscans_does_not_cost_confidence() -> None:
    volume = np.concatenate([speckled(), np.roll(speckled(), 12, axis=1), speckled()])
    assert np.median(find_surfaces(volume, SPACING).confidence["ilm"]) > 0.8


def test_two_dimensional_array_is_refused() -> None:
    with pytest.raises(InputError, match="stack the B-scans"):
        find_surfaces(speckled()[0], SPACING)


def test_lines_of_the_device_are_met_on_a_real_scan() -> None:
    path = DATA / "spectralis_vol" / "Willis_B_716_0.vol"
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    volume = read_heidelberg_vol(path)
    found = find_surfaces(volume.voxels, volume.require_spacing())
    for name, line in (("ILM", found.ilm), ("BM", found.bm)):
        assert np.nanmedian(np.abs(line - volume.record.lines[name])) < 0.5
