"""DICOM in the module: scans come in by its plugin, results go back into the database."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scan_makers  # noqa: F401 - makes `makers` importable
import slicer
from dicom_stand_in import standIn
from example_result import Example, example_map, result_from_maps
from makers.dicom import write_dicom, write_photograph, write_single_frames
from makers.scan import NAMES, made_scan
from RetinaTriageSlicer.scene import ResultNodes, showResult
from RetinaTriageSlicer.volume_node import ijkToRas, readVolumeNode

from RetinaTriageLib.errors import InputError

highdicom = pytest.importorskip("highdicom", reason="highdicom comes with Slicer; not installed")

SCAN = made_scan((4, 64, 40))


def plugin() -> Any:
    from RetinaTriageSlicer.dicom_plugin import DICOMRetinaTriagePluginClass

    return DICOMRetinaTriagePluginClass()


def loaded(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    database = standIn(monkeypatch, path)
    (loadable,) = plugin().examineForImport([[str(path)]])
    return plugin().load(loadable), database


def shown(node: Any) -> ResultNodes:
    volume, grid = readVolumeNode(node)
    example = Example(shape=volume.shape)
    result = result_from_maps(volume, [example_map(example, 0), example_map(example, 1)])
    return showResult(result, node, grid)


def test_plugin_wins_over_scalar_volumes_and_says_why(tmp_path: Path, monkeypatch: Any):
    path = write_dicom(tmp_path / "a.dcm", SCAN)
    standIn(monkeypatch, path)
    (loadable,) = plugin().examineForImport([[str(path)]])
    assert loadable.selected
    assert loadable.confidence > 0.7
    assert "does not check the geometry" in loadable.tooltip


def test_other_images_are_left_to_other_plugins(tmp_path: Path, monkeypatch: Any):
    from makers.dicom import Layout, opt_dataset

    photograph = write_photograph(tmp_path / "p.dcm", opt_dataset(SCAN, Layout(located=True)))
    standIn(monkeypatch, photograph)
    assert plugin().examineForImport([[str(photograph)]]) == []


def test_single_frames_of_a_series_are_one_scan(tmp_path: Path, monkeypatch: Any):
    files = sorted(write_single_frames(tmp_path / "scan", SCAN).iterdir())
    standIn(monkeypatch, *files)
    (loadable,) = plugin().examineForImport([[str(file) for file in files]])
    node = plugin().load(loadable)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), SCAN.voxels)


def test_node_of_the_plugin_lies_where_the_images_lie(tmp_path: Path, monkeypatch: Any):
    node, _ = loaded(write_dicom(tmp_path / "a.dcm", SCAN), monkeypatch)
    np.testing.assert_allclose(ijkToRas(node), SCAN.ijk_to_ras(), atol=1e-9)
    assert node.GetAttribute("RetinaTriage.Laterality") == "OD"
    assert node.GetAttribute("RetinaTriage.Device") == "spectralis"
    assert node.GetAttribute("RetinaTriage.SpacingSource").startswith("DICOM")


def test_exported_segmentation_overlays_the_volume(tmp_path: Path, monkeypatch: Any):
    node, database = loaded(write_dicom(tmp_path / "a.dcm", SCAN), monkeypatch)
    nodes = shown(node)
    from RetinaTriageSlicer.dicom_export import exportToDatabase

    exportToDatabase(nodes)
    dataset = highdicom.seg.Segmentation.from_dataset(database.imported["segmentation.dcm"])
    matrix = ijkToRas(node)
    for group in dataset.PerFrameFunctionalGroupsSequence:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        expected = matrix @ [0, 0, source.ReferencedFrameNumber - 1, 1]
        place = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        np.testing.assert_allclose(place * [-1, -1, 1], expected[:3], atol=1e-6)
    assert dataset.PatientID == NAMES[2]


def test_exported_segmentation_opens_over_the_volume(tmp_path: Path, monkeypatch: Any):
    node, database = loaded(write_dicom(tmp_path / "a.dcm", SCAN), monkeypatch)
    nodes = shown(node)
    from RetinaTriageSlicer.dicom_export import exportToDatabase

    exportToDatabase(nodes)
    dataset = highdicom.seg.Segmentation.from_dataset(database.imported["segmentation.dcm"])
    opened = openSegmentation(dataset, node)
    ids = opened.GetSegmentation().GetSegmentIDs()  # in the order of the labels
    names = [item.TrackingID for item in dataset.SegmentSequence]
    shownIds = nodes.consensus.GetSegmentation().GetSegmentIDs()
    assert set(names) - set(shownIds) == {"vitreous_subhyaloid"}  # label 0 is no segment in views
    for one, name in zip(ids, names, strict=True):
        if name in shownIds:
            np.testing.assert_array_equal(
                slicer.util.arrayFromSegmentBinaryLabelmap(opened, one, node),
                slicer.util.arrayFromSegmentBinaryLabelmap(nodes.consensus, name, node),
            )


def openSegmentation(dataset: Any, volumeNode: Any) -> Any:
    """Segmentation node made from nothing but a DICOM segmentation's own geometry."""
    stored = dataset.get_volume(combine_segments=True, rescale_fractional=False)
    lpsToRas = np.diag([-1.0, -1.0, 1.0, 1.0])
    labels = slicer.util.addVolumeFromArray(
        stored.array,
        ijkToRAS=lpsToRas @ stored.affine[:, [2, 1, 0, 3]],
        nodeClassName="vtkMRMLLabelMapVolumeNode",
    )
    opened = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    opened.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(labels, opened)
    return opened


def test_exported_segments_are_those_of_the_scene(tmp_path: Path, monkeypatch: Any):
    node, database = loaded(write_dicom(tmp_path / "a.dcm", SCAN), monkeypatch)
    nodes = shown(node)
    from RetinaTriageSlicer.dicom_export import exportToDatabase

    exportToDatabase(nodes)
    dataset = highdicom.seg.Segmentation.from_dataset(database.imported["segmentation.dcm"])
    number = next(i.SegmentNumber for i in dataset.SegmentSequence if i.TrackingID == "rpe")
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(nodes.consensus, "rpe", node)
    stored = dataset.get_volume(segment_numbers=[number]).array
    assert stored.sum() == mask.sum()


def test_exported_report_repeats_the_tables(logic: Any, tmp_path: Path, monkeypatch: Any):
    node, database = loaded(write_dicom(tmp_path / "a.dcm", SCAN), monkeypatch)
    uids = logic.exportToDicomDatabase(shown(node))
    report = highdicom.sr.Comprehensive3DSR.from_dataset(database.imported["report.dcm"])
    assert report.SOPInstanceUID in uids
    groups = report.content.get_image_measurement_groups()
    assert any(group.tracking_identifier == "Referral urgency: Urgent" for group in groups)


def test_report_measures_the_edited_segments(logic: Any, tmp_path: Path, monkeypatch: Any):
    node, database = loaded(write_dicom(tmp_path / "a.dcm", SCAN), monkeypatch)
    nodes = shown(node)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(nodes.consensus, "rpe", node)
    mask[:2] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, nodes.consensus, "rpe", node)
    logic.exportToDicomDatabase(nodes)
    report = highdicom.sr.Comprehensive3DSR.from_dataset(database.imported["report.dcm"])
    groups = report.content.get_volumetric_roi_measurement_groups()
    (volume,) = [
        measured.value
        for group in groups
        if group.tracking_identifier == "Retinal pigment epithelium"
        for measured in group.get_measurements()
        if measured.name.meaning == "Volume"
    ]
    assert volume == pytest.approx(mask.sum() * SCAN.require_spacing().voxel_mm3, rel=1e-4)


def test_segments_that_are_no_tissue_are_refused(logic: Any, tmp_path: Path, monkeypatch: Any):
    node, _ = loaded(write_dicom(tmp_path / "a.dcm", SCAN), monkeypatch)
    nodes = shown(node)
    nodes.consensus.GetSegmentation().AddEmptySegment("scar")
    with pytest.raises(InputError, match="scar, which no tissue code stands for"):
        logic.exportToDicomDatabase(nodes)


def test_scan_of_a_file_gets_a_copy_of_nobody(monkeypatch: Any):
    from RetinaTriageSlicer.loaded_scan import makeScanNode

    database = standIn(monkeypatch)
    from RetinaTriageSlicer.dicom_export import exportToDatabase

    exportToDatabase(shown(makeScanNode(SCAN)), report=False)
    copy, dataset = database.imported["scan.dcm"], database.imported["segmentation.dcm"]
    assert (copy.PatientID, copy.PatientName) == ("", "")
    assert dataset.StudyInstanceUID == copy.StudyInstanceUID


def test_copy_of_a_scan_is_loaded_as_a_volume(tmp_path: Path, monkeypatch: Any):
    from RetinaTriageLib.writers.dicom_image import captured_image

    captured_image(SCAN).save_as(tmp_path / "scan.dcm", enforce_file_format=True)
    node, _ = loaded(tmp_path / "scan.dcm", monkeypatch)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), SCAN.voxels)
    np.testing.assert_allclose(ijkToRas(node), SCAN.ijk_to_ras(), atol=1e-9)
    assert node.GetAttribute("RetinaTriage.Laterality") == "OD"


def test_images_that_left_the_database_are_refused(tmp_path: Path, monkeypatch: Any):
    node, _ = loaded(write_dicom(tmp_path / "a.dcm", SCAN), monkeypatch)
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3")
    from RetinaTriageSlicer.dicom_export import exportToDatabase

    with pytest.raises(InputError, match="import them again"):
        exportToDatabase(shown(node))
