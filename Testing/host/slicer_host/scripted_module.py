"""``slicer.ScriptedLoadableModule``: the four base classes of a scripted module."""

from __future__ import annotations

import sys
import types
import unittest
from pathlib import Path
from typing import Any

import slicer

from slicer_host.qt_module import install_qt

qt = install_qt()


class ScriptedLoadableModule:
    """Title, help and place of a module."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        icon = Path(self.resourcePath(f"Icons/{self.moduleName}.png"))
        if icon.is_file():
            parent.icon = qt.QIcon(str(icon))
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, fileName: str) -> str:
        return str(Path(self.parent.path).parent / "Resources" / fileName)

    def runTest(self, **options: Any) -> None:
        test = getattr(sys.modules[self.moduleName], f"{self.moduleName}Test")()
        test.runTest(**options)


class ScriptedLoadableModuleWidget:
    """The user interface of a module inside a parent widget with a layout."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        self.parent = parent
        self.layout = parent.layout()
        slicer.app.moduleManager().connect(
            "moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded
        )

    def setup(self) -> None:
        """Build nothing: the developer section is not part of the host."""

    def resourcePath(self, fileName: str) -> str:
        module = slicer.app.moduleManager().module(self.moduleName)
        return str(Path(module.path).parent / "Resources" / fileName)

    def cleanup(self) -> None:
        """Let go of observers; modules override it."""

    def _onModuleAboutToBeUnloaded(self, name: str) -> None:
        if name == self.moduleName:
            self.cleanup()


class ScriptedLoadableModuleLogic:
    """Keeps one parameter node in the scene."""

    def __init__(self, parent: Any = None) -> None:  # noqa: ARG002 - Slicer's signature
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self) -> Any:
        scene, kind = slicer.mrmlScene, "vtkMRMLScriptedModuleNode"
        found = scene.GetSingletonNode(self.moduleName, kind)
        if found is not None:
            return found
        node = scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(scene.GenerateUniqueName(self.moduleName))
        return scene.AddNode(node)


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Runs every method whose name contains "test", as Slicer does."""

    def runTest(self, **_options: Any) -> None:
        names = [name for name in dir(self) if "test" in name and callable(getattr(self, name))]
        for name in names:
            self.setUp()
            getattr(self, name)()
            self.tearDown()

    def delayDisplay(self, message: str, _requestedDelay: int | None = None) -> None:
        """Nothing to wait for without a person who reads."""


def install_scripted_module() -> None:
    """Register ``slicer.ScriptedLoadableModule``."""
    module = types.ModuleType("slicer.ScriptedLoadableModule")
    module.__all__ = []  # type: ignore[attr-defined]
    for cls in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    ):
        setattr(module, cls.__name__, cls)
        module.__all__.append(cls.__name__)  # type: ignore[attr-defined]
    sys.modules["slicer.ScriptedLoadableModule"] = module
    slicer.ScriptedLoadableModule = module
    slicer.selfTests = {}
