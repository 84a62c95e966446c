from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from example_bundle import example_bundle
from example_result import example_result
from makers.dicom import write_dicom
from makers.heidelberg import write_e2e, write_heidelberg_xml
from makers.scan import NAMES, made_scan

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.writers.dicom_case import (
    REPORT_FILE,
    SEGMENTATION_FILE,
    find_dicom_source,
)
from RetinaTriageLib.writers.dicom_image import captured_image
from RetinaTriageLib.writers.nifti import nifti_writers, write_nifti


def run(tmp_path: Path, *more: str) -> int:
    scan = write_dicom(tmp_path / "scan.dcm", made_scan((3, 48, 32)))
    example_bundle(tmp_path / "bundle")
    words = ("run", scan, "--bundle", tmp_path / "bundle", "--out", tmp_path / "case", *more)
    return main([str(word) for word in words])


def test_run_writes_what_hospitals_store(tmp_path: Path):
    pydicom = pytest.importorskip("pydicom")
    pytest.importorskip("highdicom", reason="highdicom is not installed")
    assert run(tmp_path, "--dicom-seg", "--dicom-sr", "--nifti") == 0
    listed = json.loads((tmp_path / "case" / "result.json").read_text(encoding="utf-8"))["files"]
    assert {SEGMENTATION_FILE, REPORT_FILE, "consensus.nii.gz"} <= set(listed)
    scan = pydicom.dcmread(tmp_path / "scan.dcm")
    for name in (SEGMENTATION_FILE, REPORT_FILE):
        written = pydicom.dcmread(tmp_path / "case" / name)
        assert written.StudyInstanceUID == scan.StudyInstanceUID
        assert not any(one in str(written) for one in NAMES)


def test_run_without_highdicom_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("RetinaTriageLib.writers.dicom_case.find_spec", lambda _name: None)
    assert run(tmp_path, "--dicom-seg") != 0
    assert "retina-triage[dicom]" in capsys.readouterr().err
    assert not (tmp_path / "case").exists()


def test_nifti_lies_where_the_scan_lies(tmp_path: Path):
    result = example_result()
    write_nifti(result.consensus, result.volume, tmp_path / "a.nii.gz")
    image = SimpleITK.ReadImage(str(tmp_path / "a.nii.gz"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), result.consensus)
    last = tuple(size - 1 for size in result.consensus.shape[::-1])
    expected = result.volume.ijk_to_ras() @ [*last, 1] * [-1, -1, 1, 1]
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(last), expected[:3], atol=1e-4)


def test_every_hypothesis_gets_a_nifti():
    names = nifti_writers(example_result()).keys()
    assert set(names) == {"consensus.nii.gz", *(f"hypothesis_{n}.nii.gz" for n in (1, 2, 3))}


def test_nifti_without_spacing_is_refused():
    result = example_result()
    with pytest.raises(GeometryError, match="--spacing-um"):
        nifti_writers(replace(result, volume=replace(result.volume, spacing=None)))


def test_run_asks_for_the_spacing_before_the_long_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("RetinaTriageLib.pipeline.triage", None)
    scan = write_e2e(tmp_path / "scan.E2E", made_scan((3, 48, 32)))
    out = tmp_path / "case"
    assert main(["run", str(scan), "--out", str(out), "--nifti"]) != 0
    assert "--spacing-um" in capsys.readouterr().err


def test_copy_of_another_format_keeps_the_patient_where_asked(tmp_path: Path):
    pytest.importorskip("highdicom", reason="highdicom is not installed")
    scan = write_heidelberg_xml(tmp_path / "export", made_scan())
    copy = captured_image(made_scan(), find_dicom_source(scan, keep_identifiers=True).patient)
    assert (copy.PatientID, copy.PatientName) == (NAMES[2], f"{NAMES[0]}^{NAMES[1]}")
    assert find_dicom_source(scan).patient == {}
