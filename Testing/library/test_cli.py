from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from example_bundle import example_bundle
from scan_files import write_picture_folder

from RetinaTriageLib.cli.main import NOT_READ, main

FACTS = ("--spacing-um", "120", "3.87", "11.7", "--laterality", "OD", "--scanner", "spectralis")


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    bscans = np.random.default_rng(3).integers(0, 255, (3, 48, 32), dtype=np.uint8)
    return write_picture_folder(tmp_path / "scan", ("b0.png", "b1.png", "b2.png"), bscans)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    example_bundle(tmp_path / "bundle")
    return tmp_path / "bundle"


def run(scan: Path, bundle: Path, out: Path, *more: str) -> int:
    words = ["run", scan, "--bundle", bundle, "--out", out, "--compute", "cpu", *FACTS, *more]
    return main([str(word) for word in words])


def test_run_writes_a_case_and_says_where_the_report_lies(
    scan: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(scan, bundle, tmp_path / "case") == 0
    assert (tmp_path / "case" / "report.html").exists()
    said = capsys.readouterr().out
    assert str(tmp_path / "case" / "report.html") in said
    assert "Research use only" in said


def test_run_prints_result_json(
    scan: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(scan, bundle, tmp_path / "case", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "case" / "result.json").read_text(encoding="utf-8"))


def test_stated_facts_are_marked_as_assumed(scan: Path, bundle: Path, tmp_path: Path) -> None:
    run(scan, bundle, tmp_path / "case")
    text = (tmp_path / "case" / "result.json").read_text(encoding="utf-8")
    assert "Spacing as stated by the user" in text
    assert "Laterality as stated by the user: OD" in text


def test_existing_case_is_kept_without_overwrite(
    scan: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(scan, bundle, tmp_path / "case")
    before = (tmp_path / "case" / "result.json").read_bytes()
    assert run(scan, bundle, tmp_path / "case") == 6
    assert (tmp_path / "case" / "result.json").read_bytes() == before
    assert run(scan, bundle, tmp_path / "case", "--overwrite") == 0
    assert "choose a new folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("info", "absent.nrrd"), 3),
        (("bundle", "check", "absent"), 4),
    ],
)
def test_errors_have_their_exit_codes(words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    *command, name = words
    assert main([*command, str(tmp_path / name)]) == code


def test_device_grid_center_needs_a_device_table(
    scan: Path, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(scan, bundle, tmp_path / "case", "--grid-center", "device") == 3
    assert "--grid-center BSCAN WIDTH" in capsys.readouterr().err
    assert not (tmp_path / "case").exists()


def test_info_prints_json_with_unknown_spacing(
    scan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", str(scan), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["spacing_um"] is None


def test_bundle_check_names_every_network(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "check", str(bundle)]) == 0
    said = capsys.readouterr().out
    assert "segmenter0" in said
    assert "classifier0" in said


@pytest.mark.parametrize(
    "statement",
    [
        "import RetinaTriageLib",
        "from RetinaTriageLib import OCTVolume, read_volume",
        "from RetinaTriageLib.cli.main import main; main(['info', 'absent'])",
    ],
)
def test_start_loads_neither_torch_nor_scipy(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint({{'torch', 'scipy', 'SimpleITK'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_reader_who_leaves_early_gets_no_traceback(tmp_path: Path) -> None:
    example_bundle(tmp_path / "bundle")
    words = [sys.executable, "-m", "RetinaTriageLib.cli.main", "bundle", "check"]
    with subprocess.Popen(
        [*words, str(tmp_path / "bundle")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        command.stdout.close()
        assert command.stderr is not None
        complaint = command.stderr.read()
    assert (command.returncode, complaint) == (NOT_READ, "")
