"""What is particular to the files of one maker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from makers.heidelberg import LINE_DEPTH, write_e2e, write_heidelberg_xml
from makers.optovue import write_optovue
from makers.scan import NAMES, made_scan
from makers.topcon import write_fda, write_fds
from makers.zeiss import img_name, write_img

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.readers.heidelberg_e2e import read_heidelberg_e2e
from RetinaTriageLib.readers.optovue import read_optovue
from RetinaTriageLib.readers.registry import list_series, read_volume
from RetinaTriageLib.readers.topcon import read_topcon
from RetinaTriageLib.readers.zeiss_img import read_zeiss_img
from RetinaTriageLib.volume import Laterality, ScanPattern, VoxelSpacing

SUPERIOR_FIRST = made_scan(superior_first=True)


def test_e2e_offers_the_spacing_of_a_medium_eye(tmp_path):
    volume = read_heidelberg_e2e(write_e2e(tmp_path / "a.E2E", made_scan()))
    assert "--spacing-um 120 3.87 12." in volume.assumed[0]


def test_e2e_lines_come_last_in_their_item(tmp_path):
    lines = read_heidelberg_e2e(write_e2e(tmp_path / "a.E2E", made_scan())).record.lines
    assert list(lines) == ["BM"]
    assert np.isnan(lines["BM"][:, 0]).all()
    assert (lines["BM"][:, 1:] == LINE_DEPTH).all()


def test_e2e_picture_without_a_place_is_left_out_and_this_is_said(tmp_path):
    volume = read_heidelberg_e2e(write_e2e(tmp_path / "a.E2E", made_scan()))
    assert volume.record.localizer is None
    assert "picture of 6 x 8 pixels is left out" in volume.assumed[-1]


def test_e2e_series_are_chosen_by_number(tmp_path):
    left = replace(made_scan((2, 16, 24), laterality=Laterality.OS))
    path = write_e2e(tmp_path / "a.E2E", made_scan(), left)
    assert [entry.title for entry in list_series(path)] == [
        "OD, raster, 4 B-scans of 16 x 20",
        "OS, raster, 2 B-scans of 16 x 24",
    ]
    with pytest.raises(InputError, match="choose one with --series"):
        read_volume(path)
    assert read_volume(path, series=2).laterality is Laterality.OS
    with pytest.raises(InputError, match="no series 3"):
        read_volume(path, series=3)


@pytest.mark.parametrize(
    ("code", "pattern"), [(2, ScanPattern.CIRCLE), (5, ScanPattern.RADIAL), (1, ScanPattern.LINE)]
)
def test_e2e_patterns_are_told(code, pattern, tmp_path):
    scan = made_scan((1, 16, 20))
    path = write_e2e(tmp_path / "a.E2E", scan, patterns=(code,))
    assert read_heidelberg_e2e(path).pattern is pattern


def test_e2e_directories_in_a_circle_are_refused(tmp_path):
    path = write_e2e(tmp_path / "a.E2E", made_scan())
    content = bytearray(path.read_bytes())
    last = int.from_bytes(content[36 + 40 : 36 + 44], "little")
    content[last + 44 : last + 48] = last.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(InputError, match="circle"):
        read_heidelberg_e2e(path)


def test_series_of_an_xml_export_are_chosen_by_number(tmp_path):
    folder = write_heidelberg_xml(tmp_path / "a", made_scan(), made_scan((2, 16, 20)))
    assert read_volume(folder, series=2).shape[0] == 2
    with pytest.raises(InputError, match="2 scans"):
        read_volume(folder)


def test_series_of_a_format_with_one_scan_is_refused(tmp_path):
    path = write_fds(tmp_path / "a.fds", SUPERIOR_FIRST)
    assert read_volume(path, series=1).shape == (4, 16, 20)
    with pytest.raises(InputError, match="leave out --series"):
        read_volume(path, series=2)


def test_topcon_bscans_lie_in_the_box_of_the_fundus_picture(tmp_path):
    localizer = read_topcon(write_fda(tmp_path / "a.fda", SUPERIOR_FIRST)).record.localizer
    assert localizer.pixels.shape == (40, 50)
    row_mm, column_mm = localizer.spacing_mm
    assert column_mm == pytest.approx(0.24 / 40)
    assert row_mm == pytest.approx(0.48 / 30)
    assert localizer.bscan_ends_mm[0, 0] == pytest.approx([4 * 0.006 + 0.006, 6 * 0.016 + 0.06])


@pytest.mark.parametrize("mode", [4, 6, 7, 11, 200])
def test_topcon_patterns_that_are_no_raster_are_refused(mode, tmp_path):
    with pytest.raises(GeometryError, match=f"scan mode {mode}"):
        read_topcon(write_fds(tmp_path / "a.fds", SUPERIOR_FIRST, mode=mode))


def test_topcon_radial_scan_has_no_distance(tmp_path):
    volume = read_topcon(write_fds(tmp_path / "a.fds", SUPERIOR_FIRST, mode=3))
    assert volume.pattern is ScanPattern.RADIAL
    assert volume.require_spacing().bscan_mm is None


def test_topcon_bscan_of_another_size_than_stated_is_refused(tmp_path):
    path = write_fda(tmp_path / "a.fda", SUPERIOR_FIRST)
    content = path.read_bytes().replace((20).to_bytes(4, "little"), (21).to_bytes(4, "little"), 1)
    path.write_bytes(content)
    with pytest.raises(InputError, match="16 x 20 pixels; expected 16 x 21"):
        read_topcon(path)


def cube():
    return made_scan((20, 1024, 120), VoxelSpacing(0.3, 2 / 1024, 0.05))


def test_cirrus_name_loses_the_patient(tmp_path):
    volume = read_zeiss_img(write_img(tmp_path / img_name(cube()), cube()))
    assert volume.name == "Macular Cube 120x20 OD"
    assert not any(name in repr(volume) for name in NAMES)


def test_cirrus_spacing_is_marked_as_nominal(tmp_path):
    volume = read_zeiss_img(write_img(tmp_path / img_name(cube()), cube()))
    assert volume.assumed[0].startswith("Spacing is that of the protocol")


def test_cirrus_file_without_its_protocol_has_no_spacing(tmp_path):
    volume = read_zeiss_img(write_img(tmp_path / "scan_120x20.img", cube()))
    assert volume.spacing is None
    assert volume.laterality is None


def test_cirrus_name_and_size_must_agree(tmp_path):
    with pytest.raises(InputError, match="states 120x21"):
        read_zeiss_img(write_img(tmp_path / "scan_120x21.img", cube()))


def test_crossed_cirrus_bscans_are_refused(tmp_path):
    path = write_img(tmp_path / img_name(cube(), end="hidef_z"), cube())
    with pytest.raises(GeometryError, match="crossed"):
        read_zeiss_img(path)


def test_optovue_scans_of_one_file_are_chosen_by_number(tmp_path):
    path = write_optovue(tmp_path / "a.OCT", made_scan(), made_scan((2, 16, 18), seed=2))
    assert np.array_equal(read_optovue(path, 2).voxels, made_scan((2, 16, 18), seed=2).voxels)
    with pytest.raises(InputError, match="2 scans"):
        read_optovue(path)


def test_optovue_without_description_is_refused(tmp_path):
    path = write_optovue(tmp_path / "a.OCT", made_scan())
    path.with_suffix(".txt").unlink()
    with pytest.raises(InputError, match=r"no a\.txt"):
        read_optovue(path)


def test_zip_archives_are_refused(tmp_path):
    path = write_optovue(tmp_path / "a.OCT", made_scan())
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(InputError, match="zip archive"):
        read_optovue(path)
    (tmp_path / "scan.zip").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="Unpack archives"):
        read_volume(tmp_path / "scan.zip")


@pytest.mark.parametrize("name", ["../other.raw", "/etc/passwd", "LIST", "bscan%03d.raw"])
def test_headers_that_lead_elsewhere_are_refused(name, tmp_path):
    (tmp_path / "other.raw").write_bytes(bytes(1000))
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "a.mhd").write_text(
        "NDims = 3\nDimSize = 20 16 3\nElementType = MET_UCHAR\nElementSpacing = 0.01 0.004 0.12\n"
        f"ElementDataFile = {name}\n"
    )
    (folder / "a.nhdr").write_text(
        f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 20 16 3\nencoding: raw\ndata file: {name}\n"
    )
    for path in folder.iterdir():
        with pytest.raises(InputError, match="plain file name"):
            read_volume(path)
