"""What a user does to have a volume judged by its B-scans, beside the tissue maps."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import slicer
from example_result import example_result
from image_manifests import IMAGES
from panel_steps import wait_until
from RetinaTriageSlicer.bscan_nodes import findChart, findVerdict, readVerdict
from RetinaTriageSlicer.bscan_section import POOLINGS
from RetinaTriageSlicer.bscan_table import REFERRAL_COLUMN, REFERRALS
from RetinaTriageSlicer.case_result import storedResult
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.scene import findResults, showResult
from RetinaTriageSlicer.shown_case import readCase
from RetinaTriageSlicer.volume_node import readVolumeNode
from volume_nodes import volume_node

from RetinaTriageLib.bundle_image_manifest import image_manifest_json
from RetinaTriageLib.image_classes import Pooling


@pytest.fixture
def section(panel: Any, tmp_path: Path) -> Any:
    """Section of a volume, with a bundle chosen."""
    panel.ui.inputSelector.setCurrentNode(volume_node(example_result().volume))
    panel.enter()
    found = panel.bscans
    found.bundleEdit.currentPath = str(image_bundle(tmp_path, "pictures"))
    yield found
    found.bundleEdit.currentPath = ""
    found.poolingBox.setCurrentIndex(0)


def image_bundle(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    (folder / "bundle.json").write_bytes(image_manifest_json(IMAGES))
    return folder


def judged(section: Any) -> Any:
    section.runButton.click()
    wait_until(lambda: section.job is None)
    return section


def cells(section: Any, column: int) -> list[str]:
    table = section.classes.table
    return [table.item(row, column).text() for row in range(table.rowCount)]


def column(table: Any, name: str) -> list[Any]:
    found = table.GetTable().GetColumnByName(name)
    return [found.GetValue(row) for row in range(table.GetNumberOfRows())]


def show_tissue_maps(panel: Any, node: Any) -> None:
    known = example_result()
    showResult(known, node, readVolumeNode(node)[1])
    panel.connectScene()


def test_volume_is_judged_without_tissue_maps(section: Any):
    judged(section)
    assert "B-scan classifier: Drusen 0.90" in section.verdictLabel.text
    assert "Referral: Routine" in section.verdictLabel.text
    assert "not calibrated" in section.verdictLabel.text
    assert cells(section, 0) == ["Choroidal neovascularization", "Drusen", "Normal"]


def test_table_node_has_a_row_a_bscan_with_its_unit(section: Any):
    judged(section)
    table = findVerdict(section._volumeNode)
    bscans = example_result().volume.shape[0]
    assert column(table, "bscan") == list(range(1, bscans + 1))
    assert max(column(table, "probability_DRUSEN")) == pytest.approx(0.9)
    assert table.GetColumnUnitLabel("probability_DRUSEN") == "1"
    assert table.GetAttribute(PREFIX + "Bundle") == "pictures 1.0"


def test_chart_has_a_line_a_class_over_the_bscans(section: Any):
    judged(section)
    chart = findChart(section._volumeNode)
    assert chart.GetNumberOfPlotSeriesNodes() == 3
    series = chart.GetNthPlotSeriesNode(1)
    assert series.GetName() == "Drusen"
    assert (series.GetXColumnName(), series.GetYColumnName()) == ("bscan", "probability_DRUSEN")
    assert series.GetTableNode() is findVerdict(section._volumeNode)


def test_curve_is_shown_in_a_plot_view(section: Any, monkeypatch: pytest.MonkeyPatch):
    shown: list[Any] = []
    logic = SimpleNamespace(ShowChartInLayout=shown.append)
    plots = SimpleNamespace(logic=lambda: logic)
    monkeypatch.setattr(slicer.modules, "plots", plots, raising=False)
    assert not section.plotButton.enabled
    judged(section).plotButton.click()
    assert shown == [findChart(section._volumeNode)]


def test_disagreement_with_the_tissue_maps_is_said(panel: Any, section: Any):
    judged(section)
    show_tissue_maps(panel, section._volumeNode)
    said = section.verdictLabel.text
    assert "The two verdicts disagree. Referral: the tissue maps say Urgent" in said
    assert "the B-scan classifier says Routine (0.90)." in said


def test_reports_from_the_scene_hold_the_verdict(panel: Any, section: Any):
    judged(section)
    show_tissue_maps(panel, section._volumeNode)
    (nodes,) = findResults()
    stored = storedResult(readCase(nodes, None)).bscan_verdict
    assert stored is not None
    assert stored.answer == section.verdict.answer


def test_other_volume_hides_the_verdict_of_this_one(panel: Any, section: Any):
    judged(section)
    first = section._volumeNode
    panel.ui.inputSelector.setCurrentNode(volume_node(example_result().volume))
    assert section.verdictLabel.text == ""
    panel.ui.inputSelector.setCurrentNode(first)
    assert "Drusen 0.90" in section.verdictLabel.text


def test_pooling_changes_at_once_without_judging_again(section: Any):
    judged(section)
    section.poolingBox.setCurrentIndex(POOLINGS.index(Pooling.MEAN))
    assert section.job is None
    bscans = column(findVerdict(section._volumeNode), "probability_DRUSEN")
    assert cells(section, 1)[1] == f"{np.mean(bscans):.3f}"
    assert "Mean of the" in section.verdictLabel.text


def test_chosen_pooling_is_asked_of_the_worker(section: Any):
    section.poolingBox.setCurrentIndex(POOLINGS.index(Pooling.ATTENTION))
    judged(section)
    assert "no trained attention" in section.verdictLabel.text
    weights = column(findVerdict(section._volumeNode), "weight")
    assert sum(weights) == pytest.approx(1)


def test_class_may_ask_for_another_referral(section: Any):
    judged(section)
    box = section.classes.table.cellWidget(1, REFERRAL_COLUMN)
    box.setCurrentIndex(REFERRALS.index("semi_urgent"))
    section.classes._onBox("DRUSEN", box)
    assert "Referral: Semi-urgent" in section.verdictLabel.text
    stored = readVerdict(findVerdict(section._volumeNode))
    assert stored.answer.referral == "semi_urgent"


def test_verdict_is_there_again_in_a_saved_scene(panel: Any, section: Any, tmp_path: Path):
    judged(section)
    show_tissue_maps(panel, section._volumeNode)
    section.poolingBox.setCurrentIndex(POOLINGS.index(Pooling.MEAN))
    before = section.verdictLabel.text
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert section.verdict is None
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    node = slicer.util.getNode(example_result().volume.name)
    panel.ui.inputSelector.setCurrentNode(node)
    panel.connectScene()
    assert section.verdictLabel.text == before
    assert findChart(node).GetNumberOfPlotSeriesNodes() == 3


def test_second_run_takes_the_place_of_the_first(section: Any):
    judged(section)
    judged(section)
    assert len(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")) == 1
    assert len(slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode")) == 3


def test_cancel_leaves_the_scene_alone(section: Any):
    section.runButton.click()
    assert section.runButton.text == "Cancel"
    section.runButton.click()
    assert section.job is None
    assert "Stopped" in section.status.text
    assert findVerdict(section._volumeNode) is None


def test_answer_of_a_stopped_run_is_not_taken_for_the_next(section: Any):
    section.runButton.click()
    section.runButton.click()
    assert "Drusen 0.90" in judged(section).verdictLabel.text


def test_choosing_a_class_moves_the_views_to_its_bscan(section: Any):
    judged(section)
    section.classes.table.selectRow(1)
    volume, _grid = readVolumeNode(section._volumeNode)
    offset = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetSliceOffset()
    section.classes.table.selectRow(2)
    moved = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetSliceOffset()
    steps = section.verdict.strongest_bscan("NORMAL") - section.verdict.strongest_bscan("DRUSEN")
    assert abs(moved - offset) == pytest.approx(abs(steps) * volume.spacing.bscan_mm, abs=1e-3)


def test_bundle_says_what_it_is(section: Any):
    assert "pictures 1.0: Drusen, Normal. For: Any picture." in section.bundleLabel.text


def test_missing_bundle_is_asked_for(section: Any):
    section.bundleEdit.currentPath = ""
    section.runButton.click()
    assert section.job is None
    assert "Choose the folder or zip" in section.status.text


def test_error_of_the_worker_is_shown(section: Any, tmp_path: Path):
    section.bundleEdit.currentPath = str(image_bundle(tmp_path, "bundle"))
    judged(section)
    assert section.status.text == "Found no bundle."
    assert findVerdict(section._volumeNode) is None


def test_removed_table_takes_the_verdict_from_the_panel(section: Any):
    judged(section)
    slicer.mrmlScene.RemoveNode(findVerdict(section._volumeNode))
    assert section.verdict is None
    assert section.verdictLabel.text == ""


def test_image_bundle_under_inputs_is_refused_with_the_remedy(panel: Any, section: Any):
    from panel_steps import choose_bundle

    choose_bundle(panel, Path(section.bundleEdit.currentPath))
    assert "choose it under B-scan classifier" in panel.ui.reasonsLabel.text


def test_bundle_is_kept_with_the_scene(panel: Any, section: Any):
    chosen = section.bundleEdit.currentPath
    assert panel._parameters.bscanBundlePath == chosen
    panel.exit()
    section.bundleEdit.currentPath = "elsewhere"  # as another scene would leave it
    panel.enter()
    assert section.bundleEdit.currentPath == chosen
