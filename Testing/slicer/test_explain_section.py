"""What a user does to learn what a score rests on."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from panel_steps import bundle_folder, choose_bundle, scan, wait_until
from RetinaTriageSlicer.browser_scan import mapScan
from RetinaTriageSlicer.edited_map import makeEditedCopy, readTissueMap, writeTissueMap
from RetinaTriageSlicer.explain_table import findExplanation, readExplanation
from RetinaTriageSlicer.places import indexOf, pointOf
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.scene import findResults
from RetinaTriageSlicer.shown_case import readCase, tissueLabels
from RetinaTriageSlicer.volume_node import readVolumeNode
from shown_results import shown


@pytest.fixture
def explain(panel: Any, tmp_path: Path) -> Any:
    """Section with a result whose bundle is at hand."""
    nodes, _result, _node = shown()
    folder = bundle_folder(tmp_path)
    sha256 = hashlib.sha256((folder / "bundle.json").read_bytes()).hexdigest()
    nodes.consensus.SetAttribute(PREFIX + "BundleSha256", sha256)
    panel.ui.inputSelector.setCurrentNode(nodes.volumeNode)
    choose_bundle(panel, folder)
    panel.enter()
    return panel.tools.explain


def explained(section: Any) -> Any:
    section.runButton.click()
    wait_until(lambda: section.job is None)
    return section


def cells(section: Any, column: int) -> list[str]:
    return [section.table.item(row, column).text() for row in range(section.table.rowCount)]


@pytest.mark.parametrize("stored", [{}, {"axes": (2, 1, 0)}, {"axes": (1, 0, 2), "flipped": (0,)}])
def test_labels_return_from_segments_however_the_scan_is_stored(stored: dict[str, Any]):
    nodes, _result, _node = shown(**stored)
    volume, grid = readVolumeNode(nodes.volumeNode)
    case = readCase(nodes, None)
    labels = tissueLabels(nodes.hypotheses[0], nodes.volumeNode, grid, case.tissues)
    cyst = slicer.util.arrayFromSegmentBinaryLabelmap(
        nodes.hypotheses[0], "intraretinal_fluid", nodes.volumeNode
    )
    assert labels.shape == volume.shape
    assert np.array_equal(grid.toNode(labels == 4), cyst.astype(bool))


def test_places_are_found_again():
    nodes, _result, _node = shown(axes=(1, 0, 2), flipped=(0,), turned_degrees=20.0)
    volume, grid = readVolumeNode(nodes.volumeNode)
    there = pointOf(nodes.volumeNode, grid, volume.shape[1], (3, 40, 20.5))
    assert indexOf(nodes.volumeNode, grid, volume.shape[1], there) == pytest.approx((3, 40, 20.5))


def test_section_is_hidden_without_a_result(panel: Any):
    assert panel.tools.explain.button.isHidden()


def test_regions_are_listed_by_the_change_of_the_score(explain: Any):
    explained(explain)
    assert not explain.button.isHidden()
    changes = [abs(float(text)) for text in cells(explain, 2)]
    assert len(changes) > 1
    assert changes == sorted(changes, reverse=True)
    assert "Urgent is 0.93 on this map. Without the" in explain.status.text


def test_another_score_sorts_anew(explain: Any):
    explained(explain)
    before = cells(explain, 2)
    explain.scoreBox.setCurrentIndex(explain.scoreBox.findText("Conditions: Drusen"))
    assert cells(explain, 2) != before


def test_choosing_a_region_moves_the_views_there(explain: Any):
    explained(explain)
    explain.table.selectRow(0)
    region = explain._shown[0][0].region
    case = readCase(findResults()[0], None)
    place = pointOf(case.volumeNode, case.grid, case.volume.shape[1], (region.bscan, 0, 0))
    axial = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    assert axial.GetSliceOffset() == pytest.approx(place[2], abs=1e-3)


def test_explanation_is_in_the_scene(explain: Any):
    explained(explain)
    (nodes,) = findResults()
    table = findExplanation(nodes.consensus, nodes)
    assert readExplanation(table).scores["referral"][0] == pytest.approx(0.93)
    explain.show(nodes)
    assert len(cells(explain, 0)) == table.GetNumberOfRows() - 1


def test_edited_map_is_explained_until_it_is_edited_again(explain: Any):
    (nodes,) = findResults()
    copy = makeEditedCopy(nodes, nodes.hypotheses[0])
    explain.showMaps()
    explain.mapBox.setCurrentIndex(explain.mapBox.findText(copy.GetName()))
    explained(explain)
    assert findExplanation(copy, nodes) is not None
    assert len(cells(explain, 0)) > 1
    scan = mapScan(copy)
    labels = readTissueMap(copy, scan)
    labels[labels == 4] = 3
    writeTissueMap(copy, labels, scan)
    explain.showMaps()
    assert cells(explain, 0) == []
    assert "edited since it was explained" in explain.status.text


def test_cancel_leaves_the_scene_alone(explain: Any):
    explain.runButton.click()
    assert explain.runButton.text == "Cancel"
    explain.runButton.click()
    assert explain.job is None
    (nodes,) = findResults()
    assert findExplanation(nodes.consensus, nodes) is None
    assert "Stopped" in explain.status.text


def test_explaining_right_after_a_cancel_goes_on(explain: Any):
    explain.runButton.click()
    explain.runButton.click()
    explained(explain)
    assert "Urgent is 0.93" in explain.status.text


def test_bundle_that_is_not_at_hand_is_asked_for(explain: Any):
    (nodes,) = findResults()
    nodes.consensus.SetAttribute(PREFIX + "BundleSha256", "0" * 64)
    explain.runButton.click()
    assert explain.job is None
    assert "is not at hand: choose it under Inputs" in explain.status.text


def test_volume_removed_meanwhile_hides_the_section(panel: Any, explain: Any):
    (nodes,) = findResults()
    slicer.mrmlScene.RemoveNode(nodes.volumeNode)
    assert panel.tools.nodes is None
    assert explain.button.isHidden()


def test_another_volume_shows_nothing_of_the_first(panel: Any, explain: Any):
    explained(explain)
    panel.ui.inputSelector.setCurrentNode(scan())
    assert explain.button.isHidden()
    assert explain.table.rowCount == 0
