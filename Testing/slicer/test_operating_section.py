"""What a user does to try other priorities, without torch and without a run."""

import hashlib
import sys
from dataclasses import replace
from typing import Any

import pytest
from example_result import example_result
from RetinaTriageSlicer.scene import findResults, showResult
from RetinaTriageSlicer.volume_node import readVolumeNode
from volume_nodes import volume_node

from RetinaTriageLib.bundle import bundled_models


@pytest.fixture
def operating(panel: Any) -> Any:
    """Section with a result that the shipped bundle is said to have made."""
    text = (bundled_models() / "bundle.json").read_bytes()
    known = example_result()
    made = replace(known.provenance, bundle_sha256=hashlib.sha256(text).hexdigest())
    node = volume_node(known.volume)
    _, grid = readVolumeNode(node)
    showResult(replace(known, provenance=made), node, grid)
    panel.ui.inputSelector.setCurrentNode(node)
    panel.enter()
    return panel.tools.operating


def column(section: Any, at: int) -> list[str]:
    return [section.scoreTable.item(row, at).text() for row in range(section.scoreTable.rowCount)]


def test_slider_starts_where_the_result_was_made(operating: Any):
    assert operating.slider.value == 1
    assert "Balanced" in operating.pointLabel.text
    assert column(operating, 0) == ["Urgent", "Semi-urgent", "Routine", "Observation only"]


def test_slider_reweights_the_scores_live(operating: Any):
    balanced = [float(text) for text in column(operating, 2)]
    operating.slider.setValue(0)
    sensitive = [float(text) for text in column(operating, 2)]
    assert sensitive != balanced
    operating.slider.setValue(1)
    assert [float(text) for text in column(operating, 2)] == balanced


def test_rates_that_the_bundle_states_are_shown(operating: Any):
    assert all(50 < float(text) <= 100 for text in [*column(operating, 5), *column(operating, 6)])
    assert "fitted on other patients" in operating.label.text


def test_a_single_bscan_has_points_of_its_own(operating: Any):
    volume = operating.label.text
    (nodes,) = findResults()
    nodes.consensus.SetAttribute("RetinaTriage.Bscans", "1")
    operating.show(None)
    operating.show(nodes)
    assert "line scans" in operating.label.text
    assert "line scans" not in volume


def test_what_the_bundle_does_not_state_is_not_stated(operating: Any):
    case = operating._case
    operating._case = replace(case, manifest=replace(case.manifest, measured=()))
    operating.slider.setValue(0)
    assert set(column(operating, 5)) == {"-"}
    assert "states no sensitivity" in operating.label.text
    assert "fitted on" in operating.label.text


def test_typed_penalty_changes_the_decision(operating: Any):
    decided = column(operating, 4).index("yes")
    for row in range(4):
        if row != 3:
            operating.penaltyTable.item(row, 3).setText("0")
    operating.penaltyTable.item(3, 0).setText("90")
    operating.penaltyTable.item(3, 1).setText("90")
    operating.penaltyTable.item(3, 2).setText("90")
    assert column(operating, 4).index("yes") == 3 != decided
    assert "least expected penalty" in operating.label.text
    operating.resetButton.click()
    assert column(operating, 4).index("yes") == decided


@pytest.mark.parametrize("text", ["", "-1", "many", "nan"])
def test_typed_nonsense_is_put_back(operating: Any, text: str):
    operating.penaltyTable.item(0, 1).setText(text)
    assert operating.penaltyTable.item(0, 1).text() == "4"
    assert "A penalty is a number" in operating.label.text


def test_right_answers_cost_nothing_and_cannot_be_edited(operating: Any):
    import qt

    assert not operating.penaltyTable.item(2, 2).flags() & qt.Qt.ItemIsEditable


def test_conditions_have_no_penalties(operating: Any):
    operating.headBox.setCurrentIndex(operating.headBox.findText("Conditions"))
    assert operating.penaltyTable.isHidden()
    assert operating.scoreTable.rowCount == 10


def test_choices_are_kept_with_the_result(operating: Any):
    operating.slider.setValue(2)
    operating.penaltyTable.item(0, 1).setText("7")
    (nodes,) = findResults()
    operating.show(None)
    operating.show(nodes)
    assert operating.slider.value == 2
    assert operating.penaltyTable.item(0, 1).text() == "7"


def test_torch_is_not_needed(operating: Any):
    operating.slider.setValue(0)
    assert "torch" not in sys.modules


def test_unknown_bundle_is_asked_for(operating: Any):
    (nodes,) = findResults()
    nodes.consensus.SetAttribute("RetinaTriage.BundleSha256", "0" * 64)
    operating.show(nodes)
    assert not operating.slider.enabled
    assert "is not at hand. Choose it under Inputs" in operating.label.text
