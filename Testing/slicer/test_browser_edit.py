"""Edit and judge again, pressed as a user does, with a worker that sees edema where fluid is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from browser_steps import column, row_of, tissue_map, visible_maps
from judge_again_steps import COPY, EDEMA, FLUID, browser_of, erase_fluid, remove_pocket
from panel_steps import bundle_folder, choose_bundle, wait_until
from RetinaTriageSlicer.browser_grid import NAME
from RetinaTriageSlicer.browser_scan import mapScan
from RetinaTriageSlicer.edited_map import readTissueMap, writeTissueMap

from RetinaTriageLib.errors import InputError

STAND_IN = Path(__file__).parent / "stand_ins" / "SegmentEditor.py"


def test_removed_pocket_makes_edema_fall(panel: Any, again: Any):
    source = browser_of(panel).chosenMap
    before = tissue_map(source)
    copy = remove_pocket(panel, again)
    assert copy.GetName() == COPY
    assert not (tissue_map(copy) == FLUID).any()
    assert np.array_equal(tissue_map(source), before)
    edema = row_of(again.scoreTable, EDEMA)
    assert float(edema[1]) > 0.1 > float(edema[2])
    assert edema[3].startswith("-")
    fluid = row_of(again.sizeTable, "Intraretinal fluid, volume (nL)")
    assert float(fluid[1]) > 1
    assert float(fluid[2]) == 0
    assert EDEMA in again.statusLabel.text


def test_edited_map_becomes_a_hypothesis_of_its_own(panel: Any, again: Any):
    copy = remove_pocket(panel, again)
    browser = browser_of(panel)
    assert column(browser.grid, NAME)[-1] == COPY
    assert browser.grid.item(4, NAME).toolTip() == "Edited by the user."
    assert browser.grid.item(4, 1).text() != ""
    assert copy.GetAttribute("RetinaTriage.Edited") == "by the user"
    assert copy in browser.result.nodes
    assert visible_maps() == [COPY]


def test_list_of_pockets_follows_every_edit(panel: Any, again: Any):
    browser = browser_of(panel)
    node = again.copyChosen()
    browser.places.refresh()
    scan = mapScan(node)
    labels = readTissueMap(node, scan)
    bscan, depth, width = np.argwhere(labels == FLUID)[0]
    for count in (2, 3):  # one fluid voxel more than SMALLEST apart from the cyst, each time
        labels[2 * count, depth : depth + 4, 2:6] = FLUID
        writeTissueMap(node, labels, scan)
        browser.places.refresh()
        assert browser.places.table.rowCount == count
    assert bscan > 0
    assert width > 6


@pytest.mark.usefixtures("window")
def test_edit_opens_a_copy_in_the_segment_editor(panel: Any, again: Any):
    if not hasattr(slicer.modules, "segmenteditor"):
        slicer.app.moduleManager().loadScriptedModule(STAND_IN)
    again.editButton.click()
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    assert editor.segmentation.GetName() == COPY
    assert editor.volume is panel.browser.browser.result.volumeNode
    assert again.editButton.text == "Go on editing"
    again.editButton.click()
    assert editor.segmentation.GetName() == COPY


def test_erased_hole_takes_the_tissue_around_it(panel: Any, again: Any):
    node = again.copyChosen()
    erase_fluid(node)
    assert (tissue_map(node) == 0).sum() > (
        tissue_map(browser_of(panel).result.hypotheses[0]) == 0
    ).sum()
    again.judgeButton.click()
    wait_until(lambda: not again.busy)
    original = tissue_map(panel.browser.browser.result.hypotheses[0])
    filled = tissue_map(node)
    assert np.array_equal(filled == 0, original == 0)
    assert not (filled == FLUID).any()


def test_erased_hole_stays_vitreous_where_that_is_asked_for(again: Any):
    again.holesCheck.setChecked(False)
    node = again.copyChosen()
    erase_fluid(node)
    holes = tissue_map(node)
    again.judgeButton.click()
    wait_until(lambda: not again.busy)
    again.holesCheck.setChecked(True)
    assert np.array_equal(tissue_map(node), holes)


def test_every_edit_is_judged_where_that_is_chosen(again: Any):
    node = again.copyChosen()
    again.autoCheck.setChecked(True)
    erase_fluid(node)
    wait_until(lambda: EDEMA in again.statusLabel.text)
    assert float(row_of(again.scoreTable, EDEMA)[2]) < 0.1


def test_nothing_is_judged_by_itself_otherwise(again: Any):
    node = again.copyChosen()
    erase_fluid(node)
    assert not again.waiting
    assert not again.busy


def test_changes_of_a_saved_scene_are_shown_again(panel: Any, again: Any, tmp_path: Path):
    remove_pocket(panel, again)
    texts = [column(again.scoreTable, at) for at in range(4)]
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert again.button.isHidden()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    browser = browser_of(panel)
    wait_until(lambda: browser.grid.rowCount == 5)
    browser.choose(4)
    assert [column(again.scoreTable, at) for at in range(4)] == texts


def test_reopened_edit_is_judged_again(panel: Any, again: Any, tmp_path: Path):
    remove_pocket(panel, again)
    edema = row_of(again.scoreTable, EDEMA)
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    browser = browser_of(panel)
    wait_until(lambda: browser.grid.rowCount == 5)
    browser.choose(4)
    slicer.mrmlScene.RemoveNode(browser.result.volumeNode)
    again.judgeButton.click()
    wait_until(lambda: not again.busy)
    assert row_of(again.scoreTable, EDEMA) == edema


def test_foreign_segment_is_refused_in_words(again: Any):
    node = again.copyChosen()
    node.GetSegmentation().AddEmptySegment("Segment_1", "Segment_1")
    with pytest.raises(InputError, match="none of its tissues"):
        readTissueMap(node, mapScan(node))
    again.judgeButton.click()
    assert "Segment_1" in again.statusLabel.text


def test_failed_judgement_is_said_and_can_be_tried_again(panel: Any, again: Any, tmp_path: Path):
    again.copyChosen()
    choose_bundle(panel, bundle_folder(tmp_path, "bundle"))
    again.judgeButton.click()
    wait_until(lambda: "Found no bundle" in again.statusLabel.text)
    assert not again.busy
    choose_bundle(panel, bundle_folder(tmp_path, "work"))
    again.judgeButton.click()
    wait_until(lambda: not again.busy)
    assert EDEMA in again.statusLabel.text or "->" in again.statusLabel.text


def test_closing_the_scene_while_judging_is_no_error(again: Any):
    again.copyChosen()
    again.judgeButton.click()
    slicer.mrmlScene.Clear(False)
    wait_until(lambda: not again.busy)
    assert slicer.util.getNodesByClass("vtkMRMLTableNode") == []


def test_only_copies_can_be_judged(again: Any):
    assert not again.judgeButton.enabled
    assert "edit a copy" in again.judgeButton.toolTip
    again.copyChosen()
    assert again.judgeButton.enabled


def test_edit_can_be_written_into_overlapping_layers(again: Any):
    node = again.copyChosen()
    labels = tissue_map(node)
    node.GetSegmentation().SeparateSegmentLabelmap("intraretinal_fluid")
    assert node.GetSegmentation().GetNumberOfLayers() > 1
    assert np.array_equal(tissue_map(node), labels)
    writeTissueMap(node, labels, mapScan(node))
    assert np.array_equal(tissue_map(node), labels)
