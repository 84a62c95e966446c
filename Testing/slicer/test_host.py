"""The host refuses what Slicer refuses."""

from pathlib import Path
from typing import Any

import pytest
import qt
import slicer
from slicer_host import packaging
from slicer_host.main_window import photograph, qSlicerMainWindow


def test_unknown_attributes_of_widgets_are_refused():
    with pytest.raises(AttributeError, match="tooltip"):
        qt.QPushButton().tooltip = "a typing mistake"


def test_unknown_signals_are_refused():
    with pytest.raises(ValueError, match=r"no signal 'clickd\(\)'"):
        qt.QPushButton().connect("clickd()", print)


def test_properties_are_attributes_not_methods():
    button = qt.QPushButton("Apply")
    assert button.text == "Apply"
    button.enabled = False
    assert not button.isEnabled()


def test_names_of_the_wheel_are_hidden():
    assert not hasattr(slicer, "arrayFromVolume")
    assert hasattr(slicer.util, "arrayFromVolume")


def test_installation_is_recorded_and_refused():
    with pytest.raises(RuntimeError, match="installs nothing"):
        slicer.packaging.pip_ensure(["pytest", "no-such-package>=1"])
    assert packaging.requests.pop() == ("no-such-package>=1",)


def test_nodes_get_and_lose_items_of_the_subject_hierarchy():
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "numbers")
    item = tree.GetItemByDataNode(node)
    assert tree.GetItemName(item) == "numbers"
    slicer.mrmlScene.RemoveNode(node)
    assert tree.GetItemName(item) == ""


def test_parameters_of_a_wrong_type_are_refused():
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    @parameterNodeWrapper
    class Parameters:
        count: int = 3

    parameters: Any = Parameters(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))
    assert parameters.count == 3
    with pytest.raises(TypeError, match="count takes int"):
        parameters.count = "3"


def test_window_can_be_photographed(tmp_path: Path):
    photograph(qSlicerMainWindow(), tmp_path / "window.png", (900, 600))
    assert qt.QImage(str(tmp_path / "window.png")).width() == 900
