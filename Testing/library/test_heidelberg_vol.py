from __future__ import annotations

import re

import numpy as np
import pytest
import scan_files
from scan_files import Export

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.readers.heidelberg_vol import read_heidelberg_vol
from RetinaTriageLib.volume import DeviceFamily, Laterality, ScanPattern

REAL = scan_files.REAL_DATA / "spectralis_vol"
SYNTHETIC = scan_files.REAL_DATA / "heyex_synthetic" / "heyex_vol" / "test_volume.vol"


def test_raster_is_read_with_its_geometry(tmp_path):
    volume = read_heidelberg_vol(scan_files.write_vol(tmp_path / "a.vol", Export()))
    assert volume.shape == (3, 16, 20)
    spacing = volume.require_spacing()
    assert spacing.bscan_mm == pytest.approx(0.12)
    assert (spacing.depth_mm, spacing.width_mm) == pytest.approx((0.00387167, 0.012))
    assert (volume.laterality, volume.device) == (Laterality.OD, DeviceFamily.SPECTRALIS)
    assert volume.superior_sign == 1
    assert volume.nasal_sign == 1
    assert volume.origin_mm == pytest.approx((-1.0, 0.0, -3.24))


def test_left_eye_has_its_nose_on_the_other_side(tmp_path):
    path = scan_files.write_vol(tmp_path / "a.vol", Export(right_eye=False))
    assert read_heidelberg_vol(path).nasal_sign == -1


def test_gray_is_the_fourth_root_and_pixels_without_data_are_black(tmp_path):
    export = Export()
    volume = read_heidelberg_vol(scan_files.write_vol(tmp_path / "a.vol", export))
    raw = scan_files.raw_reflectivity(export)
    assert volume.voxels.dtype == np.uint8
    assert volume.voxels[1, 5, 7] == round(255 * float(raw[1, 5, 7]) ** 0.25)
    assert (volume.voxels[:, 0, 0] == 0).all()


def test_device_lines_are_kept_with_nan_where_invalid(tmp_path):
    volume = read_heidelberg_vol(scan_files.write_vol(tmp_path / "a.vol", Export()))
    assert list(volume.record.lines) == ["ILM", "BM"]
    line = volume.record.lines["BM"]
    assert line.shape == (3, 20)
    assert np.isnan(line[:, 0]).all()
    assert (line[:, 1:] == 3).all()


def test_localizer_holds_the_position_of_the_last_ascan(tmp_path):
    localizer = read_heidelberg_vol(
        scan_files.write_vol(tmp_path / "a.vol", Export())
    ).record.localizer
    assert localizer.pixels.shape == (30, 40)
    assert localizer.bscan_ends_mm[2] == pytest.approx(np.array([[1.0, 3.0], [1.228, 3.0]]))


def test_circle_keeps_its_circumference_and_is_no_raster(tmp_path):
    radius = 20 * 0.012 / (2 * np.pi)
    export = Export([(1.0, 1.0)], [(1.0 + radius, 1.0)], pattern=2)
    volume = read_heidelberg_vol(scan_files.write_vol(tmp_path / "a.vol", export))
    assert volume.pattern is ScanPattern.CIRCLE
    assert volume.require_spacing().width_mm == pytest.approx(0.012)
    with pytest.raises(GeometryError, match="circle scan"):
        volume.require_raster()


def test_radial_scan_is_told_by_its_positions(tmp_path):
    export = Export([(1.0, 1.0), (1.12, 0.88)], [(1.24, 1.0), (1.12, 1.12)], pattern=0)
    volume = read_heidelberg_vol(scan_files.write_vol(tmp_path / "a.vol", export))
    assert volume.pattern is ScanPattern.RADIAL


def test_contradicting_pixel_size_leaves_the_spacing_unknown(tmp_path):
    path = scan_files.write_vol(tmp_path / "a.vol", Export(width_mm=0.011))
    volume = read_heidelberg_vol(path)
    assert volume.spacing is None
    assert "11.00 or 12.00 µm" in volume.assumed[0]


def test_nothing_of_the_patient_is_kept(tmp_path):
    volume = read_heidelberg_vol(scan_files.write_vol(tmp_path / "a.vol", Export()))
    assert "Doe" not in repr(volume)


@pytest.mark.parametrize("kept_bytes", [50, 2500, 4000, -1])
def test_truncated_file_is_refused(tmp_path, kept_bytes):
    path = scan_files.write_vol(tmp_path / "a.vol", Export())
    path.write_bytes(path.read_bytes()[:kept_bytes])
    with pytest.raises(InputError, match=r"truncated|does not start|export"):
        read_heidelberg_vol(path)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "a.vol"
    path.write_bytes(b"Comsol volume".ljust(4000))
    with pytest.raises(InputError, match="HSF-OCT-"):
        read_heidelberg_vol(path)


def test_damaged_size_is_refused(tmp_path):
    path = scan_files.write_vol(tmp_path / "a.vol", Export())
    content = bytearray(path.read_bytes())
    content[12:16] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_heidelberg_vol(path)


@pytest.mark.skipif(not REAL.exists(), reason="real .vol files are not on this machine")
@pytest.mark.parametrize(
    ("name", "pattern", "width_um", "lines"),
    [
        ("Willis_B_716_0", ScanPattern.LINE, 11.8206, ["ILM", "BM"]),
        ("Willis_B_716_2", ScanPattern.CIRCLE, 14.7220, ["ILM", "BM", "RNFL"]),
        ("Willis_B_716_4", ScanPattern.CIRCLE, 14.7220, ["ILM", "BM", "RNFL"]),
        ("valid", ScanPattern.CIRCLE, 17.8910, ["ILM", "BM", "RNFL"]),
    ],
)
def test_real_files_have_their_known_spacing(name, pattern, width_um, lines):
    volume = read_heidelberg_vol(REAL / f"{name}.vol")
    assert volume.shape == (1, 496, 768)
    assert volume.pattern is pattern
    spacing = volume.require_spacing()
    assert 1000 * spacing.width_mm == pytest.approx(width_um, abs=1e-3)
    assert 1000 * spacing.depth_mm == pytest.approx(3.87167, abs=1e-5)
    assert list(volume.record.lines) == lines
    assert re.match("OD", volume.laterality.value)


@pytest.mark.skipif(not REAL.exists(), reason="real .vol files are not on this machine")
def test_real_retina_lies_between_its_device_lines():
    volume = read_heidelberg_vol(REAL / "Willis_B_716_0.vol")
    inner, outer = (volume.record.lines[name][0] for name in ("ILM", "BM"))
    ascans = np.flatnonzero(np.isfinite(inner) & np.isfinite(outer))
    within = [volume.voxels[0, int(inner[a]) : int(outer[a]), a].mean() for a in ascans]
    above = [volume.voxels[0, : int(inner[a]) - 3, a].mean() for a in ascans]
    assert np.mean(within) > 3 * np.mean(above)


@pytest.mark.skipif(not SYNTHETIC.exists(), reason="synthetic export is not on this machine")
def test_file_rewritten_by_eyepy_is_read_without_its_false_spacing():
    volume = read_heidelberg_vol(SYNTHETIC)
    assert volume.shape == (10, 40, 50)
    assert volume.spacing is None
