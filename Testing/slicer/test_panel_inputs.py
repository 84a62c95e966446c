"""Bundle, device, geometry and patient: what the panel shows, and why Apply is disabled."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from panel_steps import (
    MANIFEST,
    bundle_folder,
    choose,
    choose_bundle,
    ready,
    run,
    scan,
    wait_until,
)
from RetinaTriageSlicer.parameters import (
    AxisChoice,
    BundleChoice,
    ComputeChoice,
    LateralityChoice,
    ScannerChoice,
    SexChoice,
)


def reasons(panel: Any) -> str:
    """Why Apply is disabled; the label below says what the tooltip says."""
    assert not panel.ui.applyButton.enabled
    assert panel.ui.reasonsLabel.text == panel.ui.applyButton.toolTip
    assert not panel.ui.reasonsLabel.isHidden()
    return str(panel.ui.applyButton.toolTip)


def test_every_reason_is_told_at_once(panel: Any):
    choose(panel.ui.bundleBox, BundleChoice.FOLDER)
    panel.ui.bundlePath.currentPath = "/nowhere"
    told = reasons(panel).splitlines()
    assert len(told) == 2
    assert "Choose an OCT volume" in told[0]
    assert "no model bundle at /nowhere" in told[1]


def test_reasons_go_when_all_is_chosen(panel: Any, tmp_path: Path):
    ready(panel, tmp_path)
    assert panel.ui.applyButton.enabled
    assert panel.ui.reasonsLabel.isHidden()


def test_constant_volume_is_refused(panel: Any):
    node = slicer.util.addVolumeFromArray(np.zeros((4, 32, 32), np.uint8), name="empty")
    panel.ui.inputSelector.setCurrentNode(node)
    assert "constant volume" in reasons(panel)


def test_volume_without_voxels_is_refused(panel: Any):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    panel.ui.inputSelector.setCurrentNode(node)
    assert "no voxels" in reasons(panel)


def test_circle_scan_is_refused(panel: Any):
    node = scan()
    node.SetAttribute("RetinaTriage.ScanPattern", "circle")
    panel.ui.inputSelector.setCurrentNode(node)
    assert "circle scan" in reasons(panel)


def test_shipped_bundle_says_what_it_was_trained_on(panel: Any):
    assert "Trained on synthetic eyes" in panel.ui.bundleLabel.text
    assert "License: " in panel.ui.bundleLabel.text
    assert panel.ui.bundlePath.isHidden()


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_bundle_of_the_user_says_what_it_is(panel: Any, tmp_path: Path, kind: str):
    path = bundle_folder(tmp_path)
    if kind == "zip":
        path = tmp_path / "bundle.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("bundle/bundle.json", json.dumps(MANIFEST))
    choose_bundle(panel, path)
    assert panel.ui.bundleLabel.text == (
        "pretended 1.0: 2 segmentation and 1 classification networks. Trained on nothing.\n"
        "License: Apache-2.0"
    )


def test_path_that_is_being_typed_stays_as_typed(panel: Any):
    choose(panel.ui.bundleBox, BundleChoice.FOLDER)
    panel.ui.bundlePath.currentPath = "/home/"
    assert panel.ui.bundlePath.currentPath == "/home/"


def test_empty_path_of_a_bundle_is_a_reason(panel: Any):
    choose(panel.ui.bundleBox, BundleChoice.ZIP)
    panel.ui.bundlePath.currentPath = ""
    assert "Choose the folder or zip file" in reasons(panel)


@pytest.mark.parametrize("content", ["{", '{"format": "another"}', "[" * 100_000])
def test_file_that_is_no_bundle_is_a_reason(panel: Any, tmp_path: Path, content: str):
    (tmp_path / "bundle.json").write_text(content)
    choose_bundle(panel, tmp_path)
    assert "There is no model bundle" in reasons(panel)


def test_find_tells_what_the_devices_are(panel: Any):
    panel.ui.findDevicesButton.click()
    assert not panel.ui.findDevicesButton.enabled
    wait_until(lambda: panel.ui.findDevicesButton.enabled)
    assert panel.ui.deviceLabel.text == ("Runs on test GPU (CUDA), bfloat16, 72.0 of 80.0 GB free.")
    choose(panel.ui.computeBox, ComputeChoice.CPU)
    assert panel.ui.deviceLabel.text == "Runs on test CPU."


def test_device_that_is_not_there_is_a_reason(panel: Any, tmp_path: Path):
    ready(panel, tmp_path)
    choose(panel.ui.computeBox, ComputeChoice.MPS)
    assert panel.ui.applyButton.enabled  # nobody has looked yet
    panel.ui.findDevicesButton.click()
    wait_until(lambda: panel.ui.findDevicesButton.enabled)
    assert "no Apple GPU (MPS) that can be used" in reasons(panel)
    assert panel.ui.computeBox.currentText == "Apple GPU (MPS): not found"


def test_a_run_finds_the_devices_too(panel: Any, tmp_path: Path):
    ready(panel, tmp_path)
    run(panel)
    assert "test GPU" in panel.ui.deviceLabel.text


def test_geometry_names_its_origins(panel: Any):
    node = scan()
    node.SetAttribute("RetinaTriage.Device", "cirrus")
    panel.ui.inputSelector.setCurrentNode(node)
    ui = panel.ui
    assert ui.depthSpacingLabel.text.endswith("\u00b5m, from the volume node")
    assert ui.axisLabel.text == "K (slices), found by spacing"
    assert ui.lateralityLabel.text == "unknown"
    assert ui.scannerLabel.text == "Zeiss Cirrus, node attribute"


def test_geometry_of_a_file_is_said_to_be_of_the_file(panel: Any, tmp_path: Path):
    slicer.util.saveNode(scan(), str(tmp_path / "scan.nrrd"))
    node = slicer.util.loadVolume(str(tmp_path / "scan.nrrd"))
    panel.ui.inputSelector.setCurrentNode(node)
    assert "from the file" in panel.ui.widthSpacingLabel.text


def test_source_that_a_reader_left_is_shown(panel: Any):
    node = scan()
    node.SetAttribute("RetinaTriage.SpacingSource", "HEYEX XML")
    panel.ui.inputSelector.setCurrentNode(node)
    assert "HEYEX XML (node attribute)" in panel.ui.depthSpacingLabel.text


def test_stated_values_win_and_say_so(panel: Any):
    panel.ui.inputSelector.setCurrentNode(scan())
    panel.ui.depthSpacing.value = 3.9
    choose(panel.ui.lateralityBox, LateralityChoice.OS)
    choose(panel.ui.scannerBox, ScannerChoice.TOPCON)
    choose(panel.ui.axisBox, AxisChoice.SLOWEST)
    ui = panel.ui
    assert ui.depthSpacingLabel.text == "3.90 \u00b5m, stated here"
    assert "from the volume node" in ui.widthSpacingLabel.text
    assert ui.lateralityLabel.text == "Left eye (OS), stated here"
    assert ui.scannerLabel.text == "Topcon, stated here"
    assert ui.axisLabel.text == "K (slices), stated here"


def test_stated_spacing_and_patient_reach_the_worker(panel: Any, tmp_path: Path):
    ready(panel, tmp_path)
    panel.ui.depthSpacing.value = 3.9
    panel.ui.ageBox.value = 71
    choose(panel.ui.sexBox, SexChoice.FEMALE)
    panel.ui.acuityBox.value = 0.3
    run(panel)
    log = panel.ui.logText
    wait_until(lambda: "spacing " in log.toPlainText())
    assert "depth_mm=0.0039" in log.toPlainText()
    assert "PatientFacts(age_years=71.0, sex='F', visual_acuity_logmar=0.3)" in log.toPlainText()


def test_unknown_patient_reaches_the_worker_as_unknown(panel: Any, tmp_path: Path):
    ready(panel, tmp_path)
    panel.ui.clearLogButton.click()
    run(panel)
    log = panel.ui.logText
    wait_until(lambda: "asked for" in log.toPlainText())
    asked = "PatientFacts(age_years=None, sex=None, visual_acuity_logmar=None)"
    assert asked in log.toPlainText()


def test_unknown_spacing_stops_until_it_is_accepted(panel: Any):
    panel.ui.geometryButton.collapsed = True
    node = scan()
    node.SetSpacing(1, 1, 1)
    panel.ui.inputSelector.setCurrentNode(node)
    assert "Distances between voxels are not known" in reasons(panel)
    assert not panel.ui.geometryButton.collapsed
    assert panel.ui.depthSpacingLabel.text == "unknown"
    panel.ui.runWithoutSpacing.setChecked(True)
    assert panel.ui.applyButton.enabled


def test_unknown_spacing_can_be_stated(panel: Any):
    node = scan()
    node.SetSpacing(1, 1, 1)
    panel.ui.inputSelector.setCurrentNode(node)
    panel.ui.depthSpacing.value = 3.9
    assert "State all distances" in reasons(panel)
    panel.ui.bscanSpacing.value = 120
    panel.ui.widthSpacing.value = 11.5
    assert panel.ui.applyButton.enabled
    assert panel.ui.runWithoutSpacing.isHidden()
    assert "Spacing is unknown" not in panel.ui.geometryLabel.text


def test_spacing_of_no_scanner_is_a_reason_in_words_of_the_panel(panel: Any):
    panel.ui.inputSelector.setCurrentNode(scan())
    panel.ui.depthSpacing.value = 400
    assert "400 \u00b5m along the depth" in reasons(panel)
    assert "State it under Scan geometry." in reasons(panel)


def test_single_bscan_has_no_distance_to_a_neighbor(panel: Any):
    voxels = np.random.default_rng(0).integers(0, 255, (1, 32, 32), np.uint8)
    node = slicer.util.addVolumeFromArray(voxels, ijkToRAS=np.diag([0.01, 0.004, 1.0, 1.0]))
    panel.ui.inputSelector.setCurrentNode(node)
    assert panel.ui.bscanSpacingLabel.text == "single B-scan"
    assert not panel.ui.bscanSpacing.enabled
    assert panel.ui.applyButton.enabled


def test_changed_volume_is_read_again(panel: Any):
    node = scan()
    panel.ui.inputSelector.setCurrentNode(node)
    before = panel.ui.widthSpacingLabel.text
    width, depth, bscan = node.GetSpacing()
    node.SetSpacing(width * 1.1, depth, bscan)
    assert panel.ui.widthSpacingLabel.text != before


def test_acuity_is_shown_in_other_notations(panel: Any):
    assert panel.ui.acuityLabel.text == "unknown"
    panel.ui.acuityBox.value = 0.3
    assert panel.ui.acuityLabel.text == "20/40, decimal 0.50"


def test_acuity_of_nobody_is_a_reason(panel: Any):
    panel.ui.acuityBox.value = -0.45
    assert "visual acuity -0.45 logMAR" in reasons(panel)
