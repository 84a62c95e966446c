from __future__ import annotations

import json
import subprocess
import sys

import pytest
from makers.dicom import write_dicom
from makers.heidelberg import write_e2e, write_heidelberg_xml, write_vol
from makers.optovue import write_optovue
from makers.scan import NAMES, made_scan
from makers.topcon import write_fda
from makers.zeiss import img_name, write_img

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.info import file_info
from RetinaTriageLib.volume import VoxelSpacing

CUBE = made_scan((20, 1024, 120), VoxelSpacing(0.3, 2 / 1024, 0.05))
WRITERS = {
    "dicom": lambda folder: write_dicom(folder / "a.dcm", made_scan()),
    "e2e": lambda folder: write_e2e(folder / "a.E2E", made_scan()),
    "vol": lambda folder: write_vol(folder / "a.vol", made_scan()),
    "xml": lambda folder: write_heidelberg_xml(folder / "a", made_scan()),
    "fda": lambda folder: write_fda(folder / "a.fda", made_scan(superior_first=True)),
    "oct": lambda folder: write_optovue(folder / "a.OCT", made_scan()),
    "img": lambda folder: write_img(folder / img_name(CUBE), CUBE),
}


@pytest.mark.parametrize("made", WRITERS)
def test_info_names_nobody(made, tmp_path):
    said = json.dumps(file_info(WRITERS[made](tmp_path)))
    assert not any(name in said for name in NAMES)


@pytest.mark.parametrize("made", ["dicom", "e2e", "xml", "fda", "img"])
def test_identifiers_are_kept_where_asked(made, tmp_path):
    identifiers = file_info(WRITERS[made](tmp_path), keep_identifiers=True)["identifiers"]
    assert "file name" in identifiers
    assert any(NAMES[2] in value or NAMES[0] in value for value in identifiers.values())


def test_info_lists_the_scans_of_a_file_that_holds_several(tmp_path, capsys):
    path = write_e2e(tmp_path / "a.E2E", made_scan(), made_scan((2, 16, 20)))
    assert main(["info", str(path)]) == 0
    assert "2: OD, raster, 2 B-scans" in capsys.readouterr().out
    assert main(["info", str(path), "--series", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["shape"]["bscans"] == 2


@pytest.mark.parametrize("made", WRITERS)
def test_a_format_imports_only_what_it_needs(made, tmp_path):
    path = WRITERS[made](tmp_path)
    heavy = {"pydicom", "SimpleITK", "torch", "scipy", "highdicom", "matplotlib"}
    code = (
        "import sys; from RetinaTriageLib import read_volume; read_volume(sys.argv[1]);"
        "sys.exit(' '.join(set(sys.argv[2:]) & sys.modules.keys()) or 0)"
    )
    unneeded = sorted(heavy - {"pydicom"} if made == "dicom" else heavy)
    command = [sys.executable, "-c", code, str(path), *unneeded]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
