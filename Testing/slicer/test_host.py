"""The host refuses what Slicer refuses."""

import gc
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import qt
import slicer
from slicer_host import packaging
from slicer_host.main_window import photograph, qSlicerMainWindow
from slicer_host.wheel_names import LEFT_BEHIND, leaked_names


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
    assert leaked_names() == []
    assert not any(hasattr(slicer, name) for name in LEFT_BEHIND)
    assert hasattr(slicer.util, "arrayFromVolume")


def test_hidden_names_cannot_be_imported():
    with pytest.raises(ImportError, match="arrayFromVolume"):
        from slicer import arrayFromVolume  # noqa: F401 - it must fail


def test_modules_that_the_host_lacks_cannot_be_imported():
    for name in ("slicer.cli", "slicer.testing", "sitkUtils", "SampleData"):
        if name not in sys.modules:
            assert importlib.util.find_spec(name) is None, name


def test_calls_into_qt_give_back_what_they_borrow():
    bar = qt.QProgressBar()
    before = sys.getrefcount(None)
    for _ in range(1000):
        bar.setRange(0, 5)
    assert sys.getrefcount(None) > before - 500


def test_start_up_environment_is_that_of_the_process():
    assert slicer.util.startupEnvironment()["PATH"] == os.environ["PATH"]


def test_stretched_depth_of_a_slice_view_stays_when_it_is_drawn():
    node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    slicer.app.layoutManager().draw()
    node.SetFieldOfView(6.0, 2.0, 1.0)
    slicer.app.layoutManager().draw()
    assert node.GetFieldOfView()[:2] == (6.0, 2.0)


def test_user_chooses_a_module_in_the_list_of_the_window(module: Any, window: Any):
    slicer.util.selectModule(module)
    assert window.moduleSelector().findChild("QComboBox").currentText == "Retina Triage"
    window.leaveModule()
    assert module.widgetRepresentation().parent() is None


def test_installation_is_recorded_and_refused():
    with pytest.raises(RuntimeError, match="installs nothing"):
        slicer.packaging.pip_ensure(["pytest", "no-such-package>=1"], prompt_install=False)
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


def test_window_can_be_photographed(window: Any, tmp_path: Path):
    photograph(window, tmp_path / "window.png", (900, 600))
    assert qt.QImage(str(tmp_path / "window.png")).width() == 900


def test_views_outlive_a_window():
    for _ in range(2):
        window = qSlicerMainWindow()
        window.show()
        window.dismantle()
        del window
        gc.collect()
        slicer.app.processEvents()
    slicer.app.layoutManager().draw()
