"""Apply, progress, Cancel, log and verdict, pressed as a user does."""

from pathlib import Path
from typing import Any

import pytest
import qt
import slicer
from example_result import example_result
from panel_steps import ready, result_names, run, scan, wait_until
from RetinaTriageSlicer.run_progress import RunProgress
from RetinaTriageSlicer.scene import findResults, showResult
from RetinaTriageSlicer.volume_node import readVolumeNode
from volume_nodes import volume_node

from RetinaTriageLib.errors import CancelledError
from RetinaTriageLib.progress import Progress


def test_apply_shows_the_result_and_opens_no_window(panel: Any, tmp_path: Path):
    ready(panel, tmp_path)
    windows = len(qt.QApplication.topLevelWidgets())
    run(panel)
    assert len(findResults()) == 1
    assert panel.ui.applyButton.text == "Apply"
    assert len(qt.QApplication.topLevelWidgets()) == windows


def test_apply_becomes_cancel_and_the_scene_stays_as_it_was(panel: Any, tmp_path: Path):
    ready(panel, tmp_path, "endless")
    before = slicer.mrmlScene.GetNumberOfNodes()
    panel.ui.applyButton.click()
    going = panel.run
    assert panel.ui.applyButton.text == "Cancel"
    wait_until(lambda: going.job.progress is not None)
    panel.ui.applyButton.click()
    wait_until(lambda: panel.run is None)
    assert isinstance(going.error, CancelledError)
    assert "Stopped" in panel.ui.statusLabel.text
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_bar_counts_bscans_during_the_run_only(panel: Any, tmp_path: Path):
    ready(panel, tmp_path, "endless")
    bar = panel.ui.progressBar
    assert bar.isHidden()
    panel.ui.applyButton.click()
    wait_until(lambda: "B-scan 0 of" in panel.ui.statusLabel.text)
    assert bar.maximum > 1
    assert not bar.isHidden()
    panel.ui.applyButton.click()
    wait_until(lambda: panel.run is None)
    assert bar.isHidden()


def test_time_left_leaves_out_the_loading():
    progress = RunProgress()
    assert progress.text(Progress("load", 0, 1), 0.0) == "Loading the model bundle ..."
    first = progress.text(Progress("segment", 1, 50), 100.0)
    assert first == "Segmenting: B-scan 1 of 50"
    second = progress.text(Progress("segment", 11, 50), 120.0)
    assert second == "Segmenting: B-scan 11 of 50, about 1 min 18 s left"


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("no-memory", "Memory ran out"),
        ("device", "Found no cuda device"),
        ("bundle", "Found no bundle"),
        ("crash", "ended in the middle"),
        ("mistake", "mistake of this program"),
    ],
)
def test_each_failure_has_its_message(panel: Any, tmp_path: Path, does: str, says: str):
    ready(panel, tmp_path, does)
    run(panel)
    assert says in panel.ui.statusLabel.text
    assert findResults() == ()
    assert panel.ui.applyButton.enabled


def test_log_holds_what_the_worker_wrote(panel: Any, tmp_path: Path):
    ready(panel, tmp_path, "noise")
    run(panel)
    log = panel.ui.logText
    wait_until(lambda: "a stray print" in log.toPlainText())
    assert "Done" in log.toPlainText()


def test_log_is_copied_with_the_versions(panel: Any):
    panel.ui.clearLogButton.click()
    panel.ui.logText.appendPlainText("one line")
    panel.ui.copyLogButton.click()
    copied = qt.QApplication.clipboard().text()
    assert copied.startswith("RetinaTriage ")
    assert copied.endswith("one line")


def test_verdict_names_bundle_training_and_use(panel: Any, tmp_path: Path):
    ready(panel, tmp_path)
    assert panel.ui.verdictButton.isHidden()
    run(panel)
    text = panel.ui.verdictLabel.text
    assert not panel.ui.verdictButton.isHidden()
    assert text.startswith("Referral urgency: ")
    for said in ("example-bundle 0.1", "these scores are made up", "uncalibrated", "Research use"):
        assert said in text


def test_verdict_follows_the_volume(panel: Any, tmp_path: Path):
    node = ready(panel, tmp_path)
    run(panel)
    panel.ui.inputSelector.setCurrentNode(scan())
    assert panel.ui.verdictButton.isHidden()
    panel.ui.inputSelector.setCurrentNode(node)
    assert not panel.ui.verdictButton.isHidden()


def test_verdict_of_an_opened_scene_needs_no_run(panel: Any, tmp_path: Path):
    ready(panel, tmp_path)
    run(panel)
    said = panel.ui.verdictLabel.text
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert panel.ui.verdictButton.isHidden()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert panel.ui.verdictLabel.text == said


def test_result_of_a_script_is_shown_without_choosing_again(panel: Any):
    result = example_result()
    node = volume_node(result.volume)
    panel.ui.inputSelector.setCurrentNode(node)
    assert panel.ui.verdictButton.isHidden()
    showResult(result, node, readVolumeNode(node)[1])
    wait_until(lambda: not panel.ui.verdictButton.isHidden())
    assert panel.tools.nodes is not None


def test_panel_goes_on_after_the_scene_was_closed(panel: Any, tmp_path: Path):
    slicer.mrmlScene.Clear(False)
    ready(panel, tmp_path)
    run(panel)
    assert len(result_names()) == 1


def test_closing_the_scene_stops_the_run(panel: Any, tmp_path: Path):
    ready(panel, tmp_path, "endless")
    panel.ui.applyButton.click()
    slicer.mrmlScene.Clear(False)
    wait_until(lambda: panel.run is None)
    assert findResults() == ()
    assert "Choose an OCT volume" in panel.ui.applyButton.toolTip


def test_run_that_ends_while_another_module_is_shown_is_not_lost(panel: Any, tmp_path: Path):
    ready(panel, tmp_path)
    panel.ui.applyButton.click()
    panel.exit()
    wait_until(lambda: panel.run is None)
    assert len(findResults()) == 1
    panel.enter()
    assert not panel.ui.verdictButton.isHidden()
