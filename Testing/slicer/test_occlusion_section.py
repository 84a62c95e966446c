"""What a user does to see which part of a B-scan a score rests on."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from example_result import example_result
from image_manifests import IMAGES
from panel_steps import bundle_folder, choose_bundle, scan, wait_until
from RetinaTriageSlicer.occlusion_node import ROLE, bscanIjkToRas
from RetinaTriageSlicer.places import pointOf
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.scene import findResults, showResult
from RetinaTriageSlicer.shown_case import readCase
from RetinaTriageSlicer.shown_maps import findNodes
from RetinaTriageSlicer.volume_node import readVolumeNode
from volume_nodes import volume_node

from RetinaTriageLib.bundle_image_manifest import image_manifest_json
from RetinaTriageLib.explain.lone_bscan import lone_bscan, picture_of

BLACK = 2  # of the fills, in the order in which they are shown


@pytest.fixture
def section(panel: Any, tmp_path: Path) -> Any:
    """Opened section with a result whose bundle is at hand."""
    known = example_result()
    node = volume_node(known.volume)
    node.SetAttribute("RetinaTriage.Laterality", "OD")
    grid = readVolumeNode(node)[1]
    nodes = showResult(known, node, grid)
    folder = bundle_folder(tmp_path)
    sha256 = hashlib.sha256((folder / "bundle.json").read_bytes()).hexdigest()
    nodes.consensus.SetAttribute(PREFIX + "BundleSha256", sha256)
    panel.ui.inputSelector.setCurrentNode(node)
    choose_bundle(panel, folder)
    panel.enter()
    found = panel.tools.occlusion
    found.button.collapsed = False
    yield found
    found.everyCheck.checked = False
    found.grayBox.setCurrentIndex(0)
    found.scoreBox.setCurrentIndex(0)
    found.bundleEdit.currentPath = ""
    found.button.collapsed = True


def finished(section: Any) -> str:
    section.runButton.click()
    wait_until(lambda: section.job is None)
    return str(section.status.text)


def overlay() -> Any:
    (nodes,) = findResults()
    found = findNodes("vtkMRMLScalarVolumeNode", ROLE, nodes)
    return found[0] if found else None


def texts(box: Any) -> list[str]:
    return [box.itemText(at) for at in range(box.count)]


def test_scores_of_the_bundle_can_be_chosen(section: Any):
    assert "Referral urgency: Urgent" in texts(section.scoreBox)
    assert section.bscanBox.maximum == example_result().volume.shape[0]


def test_drops_lie_over_the_tested_bscan(section: Any):
    section.bscanBox.value = 3
    finished(section)
    case = readCase(findResults()[0], None)
    node = overlay()
    drop = slicer.util.arrayFromVolume(node)
    assert case.grid.fromNode(drop).shape == (1, *case.volume.shape[1:])
    first = slicer.util.arrayFromVTKMatrix(_matrix(node)) @ [0, 0, 0, 1]
    assert first[:3] == pytest.approx(
        pointOf(case.volumeNode, case.grid, case.volume.shape[1], (2, 0, 0)), abs=1e-3
    )
    composite = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    assert composite.GetSliceCompositeNode().GetForegroundVolumeID() == node.GetID()


def _matrix(node: Any) -> Any:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


def test_drops_are_those_of_the_chosen_bscan(section: Any):
    section.bscanBox.value = 3
    finished(section)
    case = readCase(findResults()[0], None)
    picture = picture_of(lone_bscan(case.volume, 2))
    depths, widths = picture.shape
    drop = case.grid.fromNode(slicer.util.arrayFromVolume(overlay()))[0]
    assert np.all(drop[depths * 3 // 4 :] == 0)
    assert drop[: depths // 2, widths // 2 :].max() > 0
    assert f"{float(overlay().GetAttribute(PREFIX + 'Probability')):.2f}" in section.status.text


def test_overlay_has_a_legend_that_names_the_score(section: Any):
    finished(section)
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(overlay())
    assert "Urgent" in legend.GetTitleText()
    assert overlay().GetAttribute(PREFIX + "Score") == "Referral urgency: Urgent"


def test_views_move_to_the_largest_drop(section: Any):
    section.bscanBox.value = 4
    finished(section)
    case = readCase(findResults()[0], None)
    place = pointOf(case.volumeNode, case.grid, case.volume.shape[1], (3, 0, 0))
    axial = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    assert axial.GetSliceOffset() == pytest.approx(place[2], abs=1e-3)
    assert "on B-scan 4 alone" in section.status.text


def test_testing_again_leaves_one_overlay(section: Any):
    finished(section)
    first = overlay().GetID()
    section.bscanBox.value = 2
    finished(section)
    (nodes,) = findResults()
    assert len(findNodes("vtkMRMLScalarVolumeNode", ROLE, nodes)) == 1
    assert overlay().GetAttribute(PREFIX + "Bscan") == "2"
    assert first is not None


def test_score_that_no_box_lowers_shows_nothing(section: Any):
    section.grayBox.setCurrentIndex(BLACK)  # the score falls with brightness
    finished(section)
    at = texts(section.scoreBox).index("Referral urgency: Observation only")
    section.scoreBox.setCurrentIndex(at)
    finished(section)
    assert overlay() is None
    assert "no box lowers it" in section.status.text


def test_every_position_takes_a_box_a_pixel(section: Any):
    section.everyCheck.checked = True
    finished(section)
    _bscans, depths, widths = example_result().volume.shape
    assert f"; {depths * widths} boxes were judged" in overlay().GetDescription()


def test_box_is_filled_as_was_chosen(section: Any):
    drops = []
    for fill in range(section.grayBox.count):
        section.grayBox.setCurrentIndex(fill)
        finished(section)
        drops.append(float(slicer.util.arrayFromVolume(overlay()).max()))
    sides, gray, black = drops
    assert len({sides, gray, black}) == 3
    assert 0 < gray < black  # it hides less of what is bright


def test_cancel_leaves_the_scene_alone(section: Any):
    section.runButton.click()
    assert section.runButton.text == "Cancel"
    section.runButton.click()
    assert section.job is None
    assert section.runButton.text == "Test"
    assert overlay() is None
    assert "Stopped" in section.status.text


def test_test_right_after_a_cancelled_one_goes_on(section: Any):
    section.runButton.click()
    section.runButton.click()
    assert "Referral urgency: Urgent is" in finished(section)
    assert overlay() is not None


def test_choosing_a_bscan_shows_it(section: Any):
    section.bscanBox.value = 5
    case = readCase(findResults()[0], None)
    place = pointOf(case.volumeNode, case.grid, case.volume.shape[1], (4, 0, 0))
    axial = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    assert axial.GetSliceOffset() == pytest.approx(place[2], abs=1e-3)


def test_classes_of_a_whole_image_bundle_can_be_chosen(section: Any, tmp_path: Path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "bundle.json").write_bytes(image_manifest_json(IMAGES))
    section.bundleEdit.currentPath = str(folder)
    assert section.status.text == ""
    assert texts(section.scoreBox) == ["Drusen", "Normal"]
    assert "Drusen is" in finished(section)
    assert overlay().GetAttribute(PREFIX + "Score") == "Drusen"


def test_bundle_that_is_not_there_is_named(section: Any, tmp_path: Path):
    section.bundleEdit.currentPath = str(tmp_path / "gone")
    section.runButton.click()
    assert section.job is None
    assert "There is no model bundle at" in section.status.text


def test_result_without_its_bundle_asks_for_one(section: Any):
    (nodes,) = findResults()
    nodes.consensus.SetAttribute(PREFIX + "BundleSha256", "0" * 64)
    section.runButton.click()
    assert section.job is None
    assert "is not at hand" in section.status.text


def test_another_volume_hides_the_section(panel: Any, section: Any):
    panel.ui.inputSelector.setCurrentNode(scan())
    assert section.button.isHidden()


def test_bscan_lies_in_its_scan_however_that_is_stored():
    node = volume_node(example_result().volume, axes=(1, 0, 2), flipped=(0,))
    volume, grid = readVolumeNode(node)
    bscan = np.zeros((1, *volume.shape[1:]))
    bscan[0, 7, 5] = 1
    (kji,) = np.argwhere(grid.toNode(bscan))
    found = bscanIjkToRas(grid, 4) @ [*kji[::-1], 1]
    assert found[:3] == pytest.approx(pointOf(node, grid, volume.shape[1], (4, 7, 5)), abs=1e-3)
