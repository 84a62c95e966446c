from __future__ import annotations

import json

import scan_files
from scan_files import Export

from RetinaTriageLib.info import file_info


def test_info_is_json_and_complete(tmp_path):
    info = file_info(scan_files.write_xml_export(tmp_path / "case", Export(right_eye=False)))
    assert json.loads(json.dumps(info, allow_nan=False)) == info
    assert info["format"] == "Heidelberg XML with TIFF"
    assert info["shape"] == {"bscans": 3, "depths": 16, "widths": 20}
    assert info["spacing_um"] == {"bscan": 120.0, "depth": 3.8717, "width": 12.0}
    assert (info["laterality"], info["device"], info["pattern"]) == ("OS", "spectralis", "raster")
    assert info["thickness_table"]["center"] == {"bscan": 1.0, "width": 10.0}
    assert "Start to End" in info["sources"]["spacing"]


def test_directions_are_words(tmp_path):
    info = file_info(scan_files.write_vol(tmp_path / "a.vol", Export()))
    assert info["directions"] == {
        "width": "left",
        "depth": "posterior",
        "bscan": "superior",
        "tilt_degrees": 0.0,
    }
    assert info["device_lines"] == {"ILM": 0.95, "BM": 0.95}


def test_unknown_facts_are_none(tmp_path):
    info = file_info(scan_files.write_picture(tmp_path / "a.png", scan_files.speckle()[0]))
    unknown = ("spacing_um", "laterality", "device", "localizer", "thickness_table")
    assert [info[fact] for fact in unknown] == [None] * 5
    assert len(info["assumed"]) == 2


def test_no_identifier_is_shown(tmp_path):
    for path in (
        scan_files.write_vol(tmp_path / "a.vol", Export()),
        scan_files.write_xml_export(tmp_path / "case", Export()),
    ):
        assert not any(name in json.dumps(file_info(path)) for name in ("Doe", "John", "Roe"))
