from __future__ import annotations

import pytest
import scan_files
from scan_files import Export

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.registry import READERS, find_reader, read_volume


def one_of_each(folder):
    bscans = scan_files.speckle()
    return [
        scan_files.write_grid(folder / "a.nrrd", bscans),
        scan_files.write_grid(folder / "a.NII.gz".lower(), bscans),
        scan_files.write_grid(folder / "a.mha", bscans),
        scan_files.write_tiff_stack(folder / "a.tif", bscans),
        scan_files.write_picture_folder(folder / "p", ["1.png", "2.png", "3.png"], bscans),
        scan_files.write_vol(folder / "a.vol", Export()),
        scan_files.write_xml_export(folder / "x", Export()),
        folder / "x" / "export.xml",
    ]


def test_every_format_yields_the_same_kind_of_volume(tmp_path):
    for path in one_of_each(tmp_path):
        volume = read_volume(path)
        assert volume.shape == (3, 16, 20), path.name
        assert volume.voxels.flags.c_contiguous


def test_upper_case_suffix_is_known(tmp_path):
    path = scan_files.write_picture(tmp_path / "SCAN.PNG", scan_files.speckle()[0])
    assert find_reader(path) is READERS[".png"]


def test_vol_file_is_known_by_its_content(tmp_path):
    path = scan_files.write_vol(tmp_path / "export.raw", Export())
    assert read_volume(path).shape == (3, 16, 20)


def test_unknown_file_gets_the_list_of_what_can_be_read(tmp_path):
    path = tmp_path / "notes.docx"
    path.write_text("hello")
    with pytest.raises(InputError, match=r"\.nrrd.*\.vol.*Heidelberg XML"):
        read_volume(path)


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_volume(tmp_path)


def test_two_exports_in_one_folder_are_refused(tmp_path):
    folder = scan_files.write_xml_export(tmp_path / "x", Export())
    (folder / "other.xml").write_bytes((folder / "export.xml").read_bytes())
    with pytest.raises(InputError, match="several"):
        read_volume(folder)


def test_bscan_axis_applies_to_grids_only(tmp_path):
    paths = one_of_each(tmp_path)
    assert read_volume(paths[0], bscan_axis=0).shape == (3, 16, 20)
    with pytest.raises(InputError, match="leave out --bscan-axis"):
        read_volume(paths[5], bscan_axis=0)
