"""The script for folders, run as a program in the host without a window, with real networks."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_batch import scan_file
from torch_python import make_bundle, torch_python

HERE = Path(__file__).parent
SCRIPT = HERE.parents[1] / "RetinaTriage" / "RetinaTriageSlicer" / "batch_script.py"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables with which the host finds a PythonSlicer that has torch."""
    launcher = tmp_path / "bin" / "PythonSlicer"
    launcher.parent.mkdir()
    launcher.write_text(f'#!/bin/sh\nexec "{torch_python()}" "$@"\n')
    launcher.chmod(0o755)
    path = f"{launcher.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "QT_QPA_PLATFORM": "offscreen"}


def run(environment: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, HERE / "host_script.py", SCRIPT, *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_folder_is_worked_and_the_code_tells_of_a_bad_case(
    environment: dict[str, str], tmp_path: Path
):
    bundle, out = make_bundle(tmp_path / "bundle"), tmp_path / "out"
    scan_file(tmp_path / "scans" / "a.nrrd")
    options = ("--output", out, "--bundle", bundle, "--compute", "cpu", "--laterality", "OS")
    first = run(environment, "--input", tmp_path / "scans", *options)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "1 of 1 cases done" in first.stdout
    (tmp_path / "scans" / "bad.nrrd").write_text("not a scan")
    second = run(environment, "--", "--input", tmp_path / "scans", *options)
    assert second.returncode == 1
    assert "a: kept" in second.stdout
    assert "bad: failed: bad.nrrd" in second.stdout
    with (out / "summary.csv").open(newline="") as file:
        assert [row["laterality"] for row in csv.DictReader(file)] == ["OS", ""]


def test_wrong_options_end_with_their_own_code(environment: dict[str, str], tmp_path: Path):
    done = run(environment, "--input", "/nowhere", "--output", tmp_path / "out")
    assert done.returncode == 2
    assert "/nowhere does not exist" in done.stdout
