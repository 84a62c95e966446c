from __future__ import annotations

import numpy as np
import pytest
import scan_files
from PIL import Image

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.pictures import (
    read_picture_file,
    read_picture_folder,
    read_separate_pictures,
)
from RetinaTriageLib.volume import ScanPattern

DUKE = scan_files.REAL_DATA / "duke_dme" / "volume_subject_01"
KERMANY = scan_files.REAL_DATA / "kermany_samples"


def test_folder_is_read_in_the_order_of_its_numbers(tmp_path):
    bscans = scan_files.speckle()
    folder = scan_files.write_picture_folder(
        tmp_path / "eye", ["b10.png", "b2.png", "B1.PNG"], bscans
    )
    volume = read_picture_folder(folder)
    assert volume.name == "eye"
    assert np.array_equal(volume.voxels, bscans[::-1])
    assert volume.pattern is ScanPattern.RASTER


def test_spacing_and_eye_stay_unknown(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(scan_files.speckle()[0]).save(path, dpi=(300, 300))
    volume = read_picture_file(path)
    assert volume.spacing is None
    assert volume.laterality is None
    assert volume.assumed[0].startswith("Spacing is unknown")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff"])
def test_one_picture_is_one_bscan(tmp_path, suffix):
    path = scan_files.write_picture(tmp_path / f"a{suffix}", scan_files.speckle()[0])
    volume = read_picture_file(path)
    assert (volume.shape, volume.pattern) == ((1, 16, 20), ScanPattern.LINE)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tiff_stack_has_a_bscan_a_page(tmp_path, dtype):
    bscans = scan_files.speckle().astype(dtype)
    volume = read_picture_file(scan_files.write_tiff_stack(tmp_path / "a.tif", bscans))
    assert volume.voxels.dtype == dtype
    assert np.array_equal(volume.voxels, bscans)


def test_gray_stored_as_color_palette_or_opaque_is_gray(tmp_path):
    gray = scan_files.speckle()[0]
    as_palette = Image.fromarray(gray).convert("P")
    as_rgba = Image.fromarray(gray).convert("RGBA")
    for name, picture in (("p.png", as_palette), ("a.png", as_rgba)):
        picture.save(tmp_path / name)
        assert np.array_equal(read_picture_file(tmp_path / name).voxels[0], gray)


def test_colored_picture_is_refused_by_name(tmp_path):
    color = np.repeat(scan_files.speckle()[0][..., np.newaxis], 3, axis=-1)
    color[3, 3] = (200, 0, 0)
    with pytest.raises(InputError, match=r"a\.png: Found colors"):
        read_picture_file(scan_files.write_picture(tmp_path / "a.png", color))


def test_transparent_picture_is_refused(tmp_path):
    picture = Image.fromarray(scan_files.speckle()[0]).convert("LA")
    picture.putalpha(100)
    picture.save(tmp_path / "a.png")
    with pytest.raises(InputError, match="transparent"):
        read_picture_file(tmp_path / "a.png")


def test_picture_of_another_size_is_named(tmp_path):
    folder = scan_files.write_picture_folder(tmp_path / "eye", ["1.png"], scan_files.speckle()[:1])
    scan_files.write_picture(folder / "fundus.png", scan_files.speckle((30, 30)))
    with pytest.raises(InputError, match=r"fundus\.png is 30 × 30 and 1\.png is 20 × 16"):
        read_picture_folder(folder)


def test_masks_are_refused(tmp_path):
    masks = scan_files.speckle() // 64
    folder = scan_files.write_picture_folder(tmp_path / "m", ["1.png", "2.png", "3.png"], masks)
    with pytest.raises(InputError, match="looks like a label map"):
        read_picture_folder(folder)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nnonsense", b"not a picture"])
def test_damaged_picture_is_refused(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as PNG"):
        read_picture_file(path)


def test_truncated_picture_is_refused(tmp_path):
    path = scan_files.write_picture(tmp_path / "a.png", scan_files.speckle((200, 200)))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="cannot be read as PNG"):
        read_picture_file(path)


@pytest.mark.skipif(not DUKE.exists(), reason="the Duke volume is not on this machine")
def test_real_folder_is_read():
    volume = read_picture_folder(DUKE)
    assert volume.shape == (61, 496, 768)
    assert volume.spacing is None


@pytest.mark.skipif(not KERMANY.exists(), reason="the Kermany samples are not on this machine")
def test_real_pictures_are_read():
    paths = sorted(KERMANY.rglob("*.jpeg"))
    assert len(paths) == 18
    assert all(read_picture_file(path).shape[0] == 1 for path in paths)


def test_faint_tint_is_gray_for_pictures_judged_alone(tmp_path):
    colors = np.full((16, 16, 3), 100, np.uint8) + np.array([0, 6, 12], np.uint8)
    Image.fromarray(colors).save(tmp_path / "a.jpg", quality=95)
    ((name, gray),) = read_separate_pictures(tmp_path)
    assert (name, gray.shape) == ("a.jpg", (16, 16))
    with pytest.raises(InputError, match="Found colors"):
        read_picture_folder(tmp_path)
