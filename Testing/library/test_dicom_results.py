from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from example_result import Example, example_map, result_from_maps
from makers.dicom import ENHANCED, OLDER, opt_dataset, write_dicom, write_single_frames
from makers.heidelberg import write_vol
from makers.scan import NAMES, made_scan

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.dicom_case import (
    SCAN_FILE,
    SEGMENTATION_FILE,
    dicom_objects,
    find_dicom_source,
)
from RetinaTriageLib.writers.dicom_image import captured_image, placed_image

pytest.importorskip("highdicom", reason="highdicom is not installed: pip install highdicom")
import highdicom
import pydicom

LPS = np.array([-1, -1, 1])


def result_of(path: Path) -> TriageResult:
    volume = read_volume(path)
    shape = Example(shape=volume.shape)
    return result_from_maps(volume, [example_map(shape, 0), example_map(shape, 1)])


def objects_of(path: Path, *, report: bool = False, keep_identifiers: bool = False):
    result = result_of(path)
    source = find_dicom_source(path, keep_identifiers=keep_identifiers)
    return result, dicom_objects(result, source, segmentation=True, report=report)


def tissue_map_and_affine(result: TriageResult, segmentation):
    """Labels in the order of the B-scans, and index to RAS as `OCTVolume.ijk_to_ras` has it."""
    found = segmentation.get_volume(combine_segments=True, rescale_fractional=False)
    titles = {tissue.title: tissue.label for tissue in result.vocabulary.tissues}
    labels = np.zeros(256, np.uint8)
    for item in segmentation.SegmentSequence:
        labels[item.SegmentNumber] = titles[item.SegmentLabel]
    affine = np.diag([*LPS, 1]) @ found.affine[:, [2, 1, 0, 3]]
    expected = result.volume.ijk_to_ras()
    if affine[:3, 2] @ expected[:3, 2] > 0:
        return labels[found.array], affine
    affine[:, 3] += affine[:, 2] * (found.array.shape[0] - 1)  # highdicom turns the order round
    affine[:, 2] *= -1
    return labels[found.array[::-1]], affine


@cache
def dciodvfy() -> str:
    tool = shutil.which("dciodvfy")
    if tool is None:
        pytest.skip("dciodvfy is not installed: apt-get install dicom3tools")
    return tool


def faults(dataset, path: Path) -> list[str]:
    dataset.save_as(path, enforce_file_format=True)
    command = [dciodvfy(), "-new", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    assert lines, "the tool said nothing"
    return [line for line in lines if line.startswith("Error")]


SMALL_SCAN = made_scan((4, 64, 40))


@pytest.mark.parametrize("layout", [ENHANCED, OLDER])
def test_segmentation_lies_where_the_scan_lies(layout, tmp_path):
    result, objects = objects_of(write_dicom(tmp_path / "a.dcm", SMALL_SCAN, layout))
    tissue_map, affine = tissue_map_and_affine(result, objects[SEGMENTATION_FILE])
    np.testing.assert_array_equal(tissue_map, result.consensus)
    np.testing.assert_allclose(affine, result.volume.ijk_to_ras(), atol=1e-9)


def test_segmentation_survives_writing(tmp_path):
    result, objects = objects_of(write_dicom(tmp_path / "a.dcm", SMALL_SCAN))
    objects[SEGMENTATION_FILE].save_as(tmp_path / "seg.dcm")
    tissue_map, _ = tissue_map_and_affine(result, highdicom.seg.segread(tmp_path / "seg.dcm"))
    np.testing.assert_array_equal(tissue_map, result.consensus)


def test_all_tissues_that_are_there_have_a_coded_segment(tmp_path):
    result, objects = objects_of(write_dicom(tmp_path / "a.dcm", SMALL_SCAN))
    segments = objects[SEGMENTATION_FILE].SegmentSequence
    present = [tissue for tissue in result.vocabulary.tissues if tissue.label in result.consensus]
    assert [item.TrackingID for item in segments] == [tissue.name for tissue in present]
    for item, tissue in zip(segments, present, strict=True):
        kind = item.SegmentedPropertyTypeCodeSequence[0]
        assert (kind.CodingSchemeDesignator, kind.CodeValue) == (
            tissue.code.scheme,
            tissue.code.value,
        )
        assert tissue.code.exact != ("SegmentedPropertyTypeModifierCodeSequence" in kind)


def test_segmentation_names_the_frames_it_was_made_from(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", SMALL_SCAN)
    _, objects = objects_of(path)
    original = pydicom.dcmread(path)
    for group in objects[SEGMENTATION_FILE].PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        place = group.PlanePositionSequence[0].ImagePositionPatient
        frame = original.PerFrameFunctionalGroupsSequence[source.ReferencedFrameNumber - 1]
        assert source.ReferencedSOPInstanceUID == original.SOPInstanceUID
        assert place == pytest.approx(frame.PlanePositionSequence[0].ImagePositionPatient)


def test_segmentation_of_many_files_names_each_of_them(tmp_path):
    folder = write_single_frames(tmp_path / "scan", SMALL_SCAN)
    _, objects = objects_of(folder)
    groups = objects[SEGMENTATION_FILE].PerFrameFunctionalGroupsSequence
    sources = [group.DerivationImageSequence[0].SourceImageSequence[0] for group in groups]
    uids = {pydicom.dcmread(file).SOPInstanceUID for file in folder.iterdir()}
    assert {source.ReferencedSOPInstanceUID for source in sources} == uids
    assert {source.ReferencedFrameNumber for source in sources} == {1}


def test_scan_of_another_format_is_copied_beside_its_segmentation(tmp_path):
    result, objects = objects_of(write_vol(tmp_path / "a.vol", SMALL_SCAN))
    copy = objects[SCAN_FILE]
    references = objects[SEGMENTATION_FILE].ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert references[0].ReferencedSOPInstanceUID == copy.SOPInstanceUID
    tissue_map, affine = tissue_map_and_affine(result, objects[SEGMENTATION_FILE])
    np.testing.assert_array_equal(tissue_map, result.consensus)
    np.testing.assert_allclose(affine, result.volume.ijk_to_ras(), atol=1e-9)


def test_copy_of_a_scan_keeps_its_voxels():
    copy = captured_image(SMALL_SCAN)
    np.testing.assert_array_equal(copy.pixel_array, SMALL_SCAN.voxels)


def test_scan_without_spacing_is_refused():
    with pytest.raises(GeometryError, match="--spacing-um"):
        captured_image(replace(SMALL_SCAN, spacing=None))


def test_headers_of_another_scan_are_refused():
    with pytest.raises(InputError, match="as it was read from them"):
        placed_image(SMALL_SCAN, [opt_dataset(made_scan((3, 64, 40)))])


@pytest.mark.parametrize("made", [write_dicom, write_vol])
def test_results_name_nobody(made, tmp_path):
    _, objects = objects_of(
        made(tmp_path / "a.dcm" if made is write_dicom else tmp_path / "a.vol", SMALL_SCAN),
        report=True,
    )
    said = "".join(str(dataset) for dataset in objects.values())
    assert not any(name in said for name in NAMES)


def test_identifiers_are_repeated_where_asked(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", SMALL_SCAN)
    _, objects = objects_of(path, report=True, keep_identifiers=True)
    for dataset in objects.values():
        assert (dataset.PatientID, dataset.PatientBirthDate) == (NAMES[2], NAMES[3])


def test_what_is_repeated_of_the_scan_is_said(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", SMALL_SCAN)
    assert "nothing of patient or visit" in find_dicom_source(path).privacy
    kept = find_dicom_source(path, keep_identifiers=True).privacy
    assert "UIDs of the images and PatientName, PatientID, PatientBirthDate" in kept


@pytest.mark.parametrize("voxels", [np.float32, np.uint16, np.uint8])
@pytest.mark.parametrize("bscans", [1, 3])
def test_validator_finds_no_error_in_a_copied_scan(bscans, voxels, tmp_path):
    scan = made_scan((bscans, 32, 32))
    copy = captured_image(replace(scan, voxels=scan.voxels.astype(voxels)))
    assert faults(copy, tmp_path / "copy.dcm") == []


@pytest.mark.parametrize("made", [write_dicom, write_vol])
def test_validator_finds_no_error(made, tmp_path):
    path = made(tmp_path / ("a.dcm" if made is write_dicom else "a.vol"), SMALL_SCAN)
    _, objects = objects_of(path, report=True)
    found = {name: faults(dataset, tmp_path / name) for name, dataset in objects.items()}
    assert not any(found.values()), found
