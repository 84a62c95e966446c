"""``slicer.modules`` and the manager that loads scripted modules from their files."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore

from slicer_host.qmrml_widget import qSlicerScriptedLoadableModuleWidget
from slicer_host.qt_module import install_qt
from slicer_host.qt_signals import signals

qt = install_qt()


class HostModule:
    """One entry of ``slicer.modules``; a scripted one has a path and a Python module."""

    def __init__(self, name: str, logic: Any = None, path: str = "") -> None:
        self.name = self.title = name
        self.path = path
        self.categories: list[str] = []
        self.dependencies: list[str] = []
        self.contributors: list[str] = []
        self.helpText = self.acknowledgementText = ""
        self.hidden = False
        self.icon: Any = None
        self._logic = logic
        self._widget: Any = None

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> Any:
        if self._widget is None and self.path:
            self._widget = self._makeWidget()
        return self._widget

    def _makeWidget(self) -> Any:
        parent = qSlicerScriptedLoadableModuleWidget()
        parent.objectName = f"{self.name}ModuleWidget"
        parent.setMRMLScene(slicer.mrmlScene)
        widget = getattr(sys.modules[self.name], f"{self.name}Widget")(parent)
        parent.setPythonWidget(widget)
        setattr(slicer.modules, f"{self.name}Widget", widget)
        widget.setup()
        return parent


@signals(moduleAboutToBeUnloaded="moduleAboutToBeUnloaded(QString)")
class qSlicerModuleManager(qt.QObject):
    """Knows the C++ modules by their logics, and loads scripted ones."""

    moduleAboutToBeUnloaded = QtCore.Signal(str)

    def __init__(self, logics: dict[str, Any]) -> None:
        super().__init__()
        self._modules: dict[str, HostModule] = {}
        for name in ("modules", "moduleNames"):
            namespace = types.ModuleType(f"slicer.{name}")
            setattr(slicer, name, namespace)
            sys.modules[f"slicer.{name}"] = namespace
        for name, logic in logics.items():
            self._register(HostModule(name, logic))

    def module(self, name: str) -> HostModule | None:
        return self._modules.get(name)

    def scriptedModules(self) -> list[str]:
        """Return the names of modules that came from a Python file."""
        return [name for name, module in self._modules.items() if module.path]

    def loadScriptedModule(self, path: Path) -> HostModule:
        """Load ``<folder>/<Name>.py`` the way Slicer's factory does; the folder joins sys.path."""
        name = path.stem
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            msg = f"{path} is no Python file."
            raise ImportError(msg)
        code = importlib.util.module_from_spec(spec)
        sys.modules[name] = code
        spec.loader.exec_module(code)
        module = HostModule(name, slicer.vtkSlicerScriptedLoadableModuleLogic(), str(path))
        setattr(slicer.modules, f"{name}Instance", getattr(code, name)(module))
        self._register(module)
        return module

    def unloadModule(self, name: str) -> None:
        """Tell the module that it goes, as at the end of the application."""
        self.moduleAboutToBeUnloaded.emit(name)
        del self._modules[name]

    def _register(self, module: HostModule) -> None:
        self._modules[module.name] = module
        setattr(slicer.modules, module.name.lower(), module)
        setattr(slicer.moduleNames, module.name, module.name)
