"""New results by default, existing ones after a question, and back again."""

from pathlib import Path
from typing import Any

import pytest
import slicer
from panel_steps import Questions, ready, result_names, run, scan, wait_until
from RetinaTriageSlicer.scene import findResults


@pytest.fixture
def first(panel: Any, tmp_path: Path) -> Any:
    """Result that is in the scene, chosen as output."""
    ready(panel, tmp_path)
    run(panel)
    (result,) = findResults()
    panel.ui.outputSelector.setCurrentNode(result.consensus)
    return result


def test_results_are_new_by_default(panel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    questions = Questions(monkeypatch, answer=False)
    ready(panel, tmp_path)
    run(panel)
    run(panel)
    assert len(findResults()) == 2
    assert questions.asked == []


@pytest.mark.usefixtures("first")
def test_only_results_are_offered(panel: Any):
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "by hand")
    assert panel.ui.outputSelector.nodeCount() == 1


def test_no_leaves_the_existing_result(panel: Any, first: Any, monkeypatch: pytest.MonkeyPatch):
    questions = Questions(monkeypatch, answer=False)
    panel.ui.applyButton.click()
    assert panel.run is None
    assert "will be replaced" in questions.asked[0]
    assert findResults() == (first,)


def test_yes_replaces_the_existing_result(panel: Any, first: Any, monkeypatch: pytest.MonkeyPatch):
    names = result_names()
    Questions(monkeypatch, answer=True)
    run(panel)
    (second,) = findResults()
    assert second.case != first.case
    assert len(result_names()) == len(names)
    assert panel.ui.outputSelector.currentNode() is second.consensus


def test_old_result_stays_until_the_new_one_is_complete(
    panel: Any, first: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    Questions(monkeypatch, answer=True)
    ready(panel, tmp_path, "crash")
    panel.ui.inputSelector.setCurrentNode(first.volumeNode)
    run(panel)
    assert findResults() == (first,)
    assert not panel.ui.undoButton.enabled


def test_undo_brings_back_what_was_replaced(
    panel: Any, first: Any, monkeypatch: pytest.MonkeyPatch
):
    Questions(monkeypatch, answer=True)
    before = state()
    run(panel)
    assert panel.ui.undoButton.enabled
    panel.ui.undoButton.click()
    assert findResults() == (first,)
    assert state() == before
    assert panel.ui.outputSelector.currentNode() is first.consensus


@pytest.mark.usefixtures("first")
def test_redo_brings_back_the_newer_result(panel: Any, monkeypatch: pytest.MonkeyPatch):
    Questions(monkeypatch, answer=True)
    run(panel)
    (second,) = findResults()
    panel.ui.undoButton.click()
    assert panel.ui.undoButton.text == "Redo"
    panel.ui.undoButton.click()
    assert findResults() == (second,)
    assert panel.ui.undoButton.text == "Undo"


@pytest.mark.usefixtures("first")
def test_nothing_can_be_undone_once_the_volume_is_gone(panel: Any, monkeypatch: pytest.MonkeyPatch):
    Questions(monkeypatch, answer=True)
    run(panel)
    slicer.mrmlScene.RemoveNode(panel.ui.inputSelector.currentNode())
    assert not panel.ui.undoButton.enabled
    assert "volume of the replaced result was removed" in panel.ui.undoButton.toolTip


@pytest.mark.usefixtures("first")
def test_nothing_can_be_undone_in_another_scene(panel: Any, monkeypatch: pytest.MonkeyPatch):
    Questions(monkeypatch, answer=True)
    run(panel)
    slicer.mrmlScene.Clear(False)
    assert not panel.ui.undoButton.enabled


def test_result_removed_during_the_run_is_no_trouble(
    panel: Any, first: Any, monkeypatch: pytest.MonkeyPatch
):
    Questions(monkeypatch, answer=True)
    panel.ui.applyButton.click()
    slicer.mrmlScene.RemoveNode(first.consensus)
    wait_until(lambda: panel.run is None)
    assert len(findResults()) == 1


@pytest.mark.usefixtures("first")
def test_result_of_another_volume_cannot_be_replaced(panel: Any):
    panel.ui.inputSelector.setCurrentNode(scan())
    assert not panel.ui.applyButton.enabled
    assert "is of another volume" in panel.ui.applyButton.toolTip


def state() -> dict[str, Any]:
    """Every node of the results with its name, its place in the tree and what it refers to."""
    tree = slicer.mrmlScene.GetSubjectHierarchyNode()
    return {
        node.GetID(): (node.GetName(), tree.GetItemName(parent_of(node)), references(node))
        for result in findResults()
        for node in result.nodes
    }


def parent_of(node: Any) -> int:
    tree = slicer.mrmlScene.GetSubjectHierarchyNode()
    return int(tree.GetItemParent(tree.GetItemByDataNode(node)))


def references(node: Any) -> list[tuple[str, str]]:
    roles = [node.GetNthNodeReferenceRole(at) for at in range(node.GetNumberOfNodeReferenceRoles())]
    return [(role, node.GetNodeReferenceID(role)) for role in roles]
