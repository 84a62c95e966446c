"""The hypothesis browser, walked through as a user does."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import slicer
from browser_steps import column, row_of, show_case, show_in, visible_maps
from example_result import SMALL
from panel_steps import wait_until
from RetinaTriageSlicer.browser_grid import FIRST_CLASSIFIER, NAME
from RetinaTriageSlicer.browser_opinions import PROBABILITY
from RetinaTriageSlicer.browser_views import SURFACE


def test_all_hypotheses_come_first_and_show_the_verdict_with_its_spread(panel: Any):
    browser = show_in(panel, show_case())
    assert not browser.button.isHidden()
    assert column(browser.grid, NAME) == [
        "All: the verdict",
        "1: segmentation 1",
        "2: segmentation 2",
        "3: segmentation 3",
    ]
    assert browser.row == 0
    assert browser.scores.horizontalHeaderItem(5).text() == "Decided"
    assert row_of(browser.scores, "Drusen")[5] == "yes"


def test_next_and_previous_go_round_and_show_one_map_at_a_time(panel: Any):
    browser = show_in(panel, show_case())
    browser.nextButton.click()
    assert visible_maps() == ["example_eye hypothesis 1"]
    assert "1: segmentation 1" in browser.shownLabel.text
    browser.previousButton.click()
    browser.previousButton.click()
    assert visible_maps() == ["example_eye hypothesis 3"]
    browser.nextButton.click()
    assert visible_maps() == ["example_eye consensus"]


def test_next_has_a_key(panel: Any):
    browser = show_in(panel, show_case())
    assert browser.nextButton.shortcut.toString() == "Ctrl+PgDown"
    assert browser.previousButton.shortcut.toString() == "Ctrl+PgUp"


def test_map_is_seen_in_the_views_of_the_one_before(panel: Any):
    nodes = show_case()
    browser = show_in(panel, nodes)
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetID()
    nodes.consensus.GetDisplayNode().AddViewNodeID(red)
    browser.choose(2)
    assert nodes.hypotheses[1].GetDisplayNode().GetViewNodeIDs() == (red,)


def test_columns_are_named_by_what_tells_classifiers_apart(panel: Any):
    browser = show_in(panel, show_case())
    header = [browser.grid.horizontalHeaderItem(at) for at in (2, 3)]
    assert [one.text() for one in header] == ["1", "2"]
    assert header[0].toolTip() == "Opinions of classifier 1, 0 to 1."


def test_hidden_tissues_stay_hidden_from_map_to_map(panel: Any):
    nodes = show_case()
    browser = show_in(panel, nodes)
    nodes.consensus.GetDisplayNode().SetSegmentVisibility("neurosensory_retina", False)
    browser.choose(2)
    assert not nodes.hypotheses[1].GetDisplayNode().GetSegmentVisibility("neurosensory_retina")


def test_cell_shows_one_opinion(panel: Any):
    nodes = show_case()
    browser = show_in(panel, nodes)
    browser.choose(2, FIRST_CLASSIFIER + 1)
    assert browser.shownLabel.text == "Opinion of classifier 2 on 2: segmentation 2"
    assert browser.scores.columnCount == 2
    assert row_of(browser.scores, "Drusen")[1] != row_of(browser.scores, "Normal")[1]


def test_grid_shows_the_chosen_outcome_in_its_colors(panel: Any):
    browser = show_in(panel, show_case())
    before = column(browser.grid, 1)
    browser.outcomeBox.setCurrentIndex(browser.outcomeBox.findText("Drusen"))
    assert column(browser.grid, 1) != before
    colors = {browser.grid.item(row, 1).background().color().name() for row in range(4)}
    assert "#000000" not in colors
    assert "score as the networks gave it, 0 to 1" in browser.legend.text


def test_likelier_hypotheses_come_first(panel: Any):
    nodes = show_case()
    for node, share in zip(nodes.hypotheses, ("0.2", "0.7", "0.1"), strict=True):
        node.SetAttribute(PROBABILITY, share)
    browser = show_in(panel, nodes)
    assert column(browser.grid, NAME)[1] == "2: segmentation 2 (probability 0.70)"
    browser.choose(1)
    assert visible_maps() == ["example_eye hypothesis 2"]


def test_surfaces_are_made_for_the_map_that_is_shown(panel: Any):
    nodes = show_case()
    browser = show_in(panel, nodes)
    browser.surfacesCheck.setChecked(True)
    browser.choose(1)
    browser.surfacesCheck.setChecked(False)
    assert nodes.hypotheses[0].GetSegmentation().ContainsRepresentation(SURFACE)
    assert not nodes.hypotheses[1].GetSegmentation().ContainsRepresentation(SURFACE)


def test_one_network_of_each_kind_is_enough(panel: Any):
    browser = show_in(panel, show_case(replace(SMALL, hypotheses=1, classifiers=1)))
    browser.nextButton.click()
    assert browser.grid.rowCount == 2
    assert not browser.comparison.swapButton.enabled
    assert not browser.comparison.differButton.enabled


def test_bundle_without_conditions(panel: Any):
    browser = show_in(panel, show_case(conditions=False))
    assert browser.outcomeBox.findText("Drusen") < 0
    browser.choose(1)
    assert browser.scores.rowCount == browser.outcomeBox.count == 10


def test_saved_scene_is_browsed_again(panel: Any, tmp_path: Path):
    browser = show_in(panel, show_case())
    texts = [column(browser.grid, at) for at in range(browser.grid.columnCount)]
    verdict = [column(browser.scores, at) for at in range(browser.scores.columnCount)]
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert browser.button.isHidden()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    wait_until(lambda: browser.case is not None)
    assert [column(browser.grid, at) for at in range(browser.grid.columnCount)] == texts
    assert [column(browser.scores, at) for at in range(browser.scores.columnCount)] == verdict
    browser.places.refresh()
    browser.choose(2)
    assert visible_maps() == ["example_eye hypothesis 2"]
    assert "torch" not in sys.modules


def test_two_scenes_one_after_the_other(panel: Any):
    show_in(panel, show_case())
    slicer.mrmlScene.Clear(False)
    browser = show_in(panel, show_case(replace(SMALL, hypotheses=2, name="other_eye")))
    browser.choose(1)
    assert visible_maps() == ["other_eye hypothesis 1"]
    assert browser.resultBox.count == 1


def test_volume_deleted_under_the_browser(panel: Any):
    nodes = show_case()
    browser = show_in(panel, nodes)
    slicer.mrmlScene.RemoveNode(nodes.volumeNode)
    browser.refresh()
    browser.nextButton.click()
    browser.places.refresh()
    assert visible_maps() == ["example_eye hypothesis 1"]
    browser.places.table.setCurrentCell(0, 0)
    assert browser.places.table.rowCount == 1


def test_map_deleted_under_the_browser(panel: Any):
    nodes = show_case()
    browser = show_in(panel, nodes)
    browser.choose(2)
    slicer.mrmlScene.RemoveNode(nodes.hypotheses[1])
    wait_until(lambda: "map removed" in browser.grid.item(2, NAME).text())
    browser.choose(2, FIRST_CLASSIFIER)
    assert browser.scores.rowCount > 0


def test_tables_deleted_under_the_browser_hide_it(panel: Any):
    nodes = show_case()
    browser = show_in(panel, nodes)
    slicer.mrmlScene.RemoveNode(nodes.tables["opinions"])
    wait_until(browser.button.isHidden)


def test_result_of_a_script_appears_by_itself(panel: Any):
    browser = panel.browser.browser
    assert browser.button.isHidden()
    show_case()
    wait_until(lambda: not browser.button.isHidden() and browser.grid.rowCount == 4)


@pytest.mark.parametrize("kind", [0, 1])
def test_place_moves_the_slice_views(panel: Any, kind: int):
    nodes = show_case()
    browser = show_in(panel, nodes)
    browser.places.kindBox.setCurrentIndex(kind)
    slice_node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    slice_node.JumpSliceByOffsetting(90, 90, 90)
    browser.places.table.setCurrentCell(0, 0)
    size, bscan, sector = (browser.places.table.item(0, at).text() for at in (1, 2, 3))
    assert float(size) > 0
    assert bscan.startswith("7")
    assert sector in ("C0", "N1", "T1")
    assert abs(slice_node.GetSliceOffset()) < 4


def test_list_of_pockets_follows_the_map(panel: Any):
    browser = show_in(panel, show_case())
    browser.choose(1)
    browser.places.refresh()
    large = float(browser.places.table.item(0, 1).text())
    browser.choose(3)
    browser.places.refresh()
    assert float(browser.places.table.item(0, 1).text()) < large


def test_swap_shows_the_other_map_and_keeps_the_choice(panel: Any):
    browser = show_in(panel, show_case())
    browser.choose(1)
    browser.comparison.compareBox.setCurrentIndex(2)
    browser.comparison.swapButton.click()
    assert visible_maps() == ["example_eye hypothesis 2"]
    assert browser.row == 1
    assert "The views show example_eye hypothesis 2" in browser.shownLabel.text
    browser.comparison.swapButton.click()
    assert visible_maps() == ["example_eye hypothesis 1"]


def test_blinking_shows_two_maps_in_turns_and_ends_where_it_began(panel: Any):
    browser = show_in(panel, show_case())
    browser.choose(1)
    browser.comparison.compareBox.setCurrentIndex(2)
    browser.comparison.blinkButton.click()
    for name in ("example_eye hypothesis 2", "example_eye hypothesis 1") * 2:
        wait_until(lambda name=name: visible_maps() == [name])
    browser.comparison.blinkButton.click()
    assert visible_maps() == ["example_eye hypothesis 1"]


def test_differences_stay_where_they_are_shown(panel: Any):
    nodes = show_case()
    browser = show_in(panel, nodes)
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetID()
    nodes.consensus.GetDisplayNode().AddViewNodeID(red)
    browser.choose(1)
    browser.comparison.differButton.click()
    (shown,) = slicer.util.getNodes("Where tissue maps differ").values()
    browser.refresh()
    assert slicer.mrmlScene.IsNodePresent(shown)
    assert shown.GetDisplayNode().GetViewNodeIDs() == (red,)
    browser.comparison.differButton.click()


def test_only_differences_are_shown_and_taken_away_again(panel: Any):
    nodes = show_case()
    browser = show_in(panel, nodes)
    browser.choose(1)
    browser.comparison.differButton.click()
    (name,) = visible_maps()
    assert name == "Where tissue maps differ"
    assert "of 3 maps outvoted" in browser.comparison.differLabel.text
    assert len(nodes.nodes) == len(set(nodes.nodes))
    browser.comparison.differButton.click()
    assert visible_maps() == ["example_eye hypothesis 1"]
    assert not slicer.util.getNodes("Where tissue maps differ")
