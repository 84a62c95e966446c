from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from RetinaTriageLib.evaluation.contact_sheet import (
    Tile,
    as_rgb,
    contact_sheet,
    legend_tile,
    overlay,
    volume_tiles,
    write_contact_sheet,
)
from RetinaTriageLib.labels.label_sets import NOT_FLUID, SOME_FLUID
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import OCTVolume

RETINA = TISSUE_BY_NAME["neurosensory_retina"]


def gray(depth: int = 20, width: int = 30) -> np.ndarray:
    return np.full((depth, width), 100, np.uint8)


def scan(bscans: int) -> tuple[OCTVolume, np.ndarray]:
    voxels = np.zeros((bscans, 20, 30), np.uint8)
    voxels[:] = np.arange(bscans)[:, None, None]
    voxels[0, 0, 0] = 255
    return OCTVolume(voxels, None, name="eye"), np.full_like(voxels, 3)


def test_tissue_is_tinted_and_vitreous_stays_gray() -> None:
    labels = np.zeros((20, 30), np.uint8)
    labels[5:] = RETINA.label
    shown = overlay(gray(), labels)
    assert (shown[0, 0] == 100).all()
    expected = 0.58 * 100 + 0.42 * np.array(RETINA.color)
    np.testing.assert_allclose(shown[10, 10], expected, atol=0.6)


def test_fluid_of_unknown_kind_is_shown_and_other_sets_are_not() -> None:
    labels = np.full((20, 30), NOT_FLUID, np.uint8)
    labels[0, 0] = SOME_FLUID
    shown = overlay(gray(), labels)
    assert (shown[1, 1] == 100).all()
    assert shown[0, 0, 0] > shown[0, 0, 2]  # yellow


def test_bscans_are_spread_over_the_volume() -> None:
    tiles = volume_tiles(*scan(9), count=3)
    assert [tile.title for tile in tiles] == [f"eye, B-scan {n} of 9" for n in (2, 5, 8)]
    assert [int(tile.pictures[0][5, 5, 0]) for tile in tiles] == [1, 4, 7]


def test_fewer_bscans_than_asked_for_are_all_shown_once() -> None:
    assert len(volume_tiles(*scan(2), count=5)) == 2


def test_tiles_lie_in_rows_of_one_width() -> None:
    tiles = [Tile(str(n), (as_rgb(gray()),) * 2) for n in range(3)]
    sheet = contact_sheet(tiles, columns=2, tile_width=120)
    assert sheet.size == (2 * 126 + 6, 2 * (40 + 22) + 6)
    assert sheet.getpixel((10, 30)) == (100, 100, 100)
    assert sheet.getpixel((200, 100)) == (255, 255, 255)  # no fourth tile


def test_sheet_is_written_as_png(tmp_path: Path) -> None:
    write_contact_sheet([legend_tile()], tmp_path / "sheet.png", columns=1)
    with Image.open(tmp_path / "sheet.png") as sheet:
        colors = {color for _, color in sheet.getcolors(1 << 20)}
    assert RETINA.color in colors
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
