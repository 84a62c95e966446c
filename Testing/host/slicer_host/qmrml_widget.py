"""Widgets that know a scene, and the one that holds a scripted module."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

from slicer_host.qt_module import install_qt
from slicer_host.qt_signals import signals

qt = install_qt()


@signals(mrmlSceneChanged="mrmlSceneChanged(vtkMRMLScene*)")
class qMRMLWidget(qt.QWidget):
    """A widget with a scene."""

    mrmlSceneChanged = QtCore.Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


@signals()
class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The Qt parent that owns the Python widget of a module."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._python: Any = None
        qt.QVBoxLayout(self)

    def setPythonWidget(self, widget: Any) -> None:
        self._python = widget

    def self(self) -> Any:
        return self._python

    def enter(self) -> None:
        if hasattr(self._python, "enter"):
            self._python.enter()

    def exit(self) -> None:
        if hasattr(self._python, "exit"):
            self._python.exit()
