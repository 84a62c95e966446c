"""``slicer.app``: the application object on a QApplication."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6 import QtCore

from slicer_host.core import Core
from slicer_host.io_manager import CoreIOManager
from slicer_host.layout import qSlicerLayoutManager
from slicer_host.module_manager import qSlicerModuleManager
from slicer_host.qt_module import install_qt
from slicer_host.qt_signals import signals

qt = install_qt()


@signals(startupCompleted="startupCompleted()")
class qSlicerApplication(qt.QApplication):
    """What the module and ``slicer.util`` ask of the application."""

    startupCompleted = QtCore.Signal()

    def __init__(self, home: Path) -> None:
        super().__init__(["Slicer"])
        self.applicationName = "Slicer"
        self.applicationVersion = "5.13.0"
        self._home = home
        self._layoutManager: qSlicerLayoutManager | None = None

    def start(self, core: Core, *, views: bool) -> None:
        self._core = core
        self._io = CoreIOManager(core)
        self._modules = qSlicerModuleManager(core.logics)
        settings = str(self._home / "Slicer.ini")
        self._settings = qt.QSettings(settings, qt.QSettings.IniFormat)
        if views:
            self._layoutManager = qSlicerLayoutManager(core)

    def mrmlScene(self) -> Any:
        return self._core.scene

    def applicationLogic(self) -> Any:
        return self._core.applicationLogic

    def coreIOManager(self) -> CoreIOManager:
        return self._io

    def moduleManager(self) -> qSlicerModuleManager:
        return self._modules

    def layoutManager(self) -> qSlicerLayoutManager | None:
        return self._layoutManager

    def userSettings(self) -> Any:
        return self._settings

    def settings(self) -> Any:
        return self._settings

    def testingEnabled(self) -> bool:
        return True

    def pauseRender(self) -> None:
        """Nothing: the host draws only when told."""

    def resumeRender(self) -> None:
        """Nothing: the host draws only when told."""

    def startupEnvironment(self) -> QtCore.QProcessEnvironment:
        return QtCore.QProcessEnvironment.systemEnvironment()

    temporaryPath = QtCore.Property(str, lambda self: str(self._home))
    slicerHome = QtCore.Property(str, lambda self: str(self._home))
    majorVersion = QtCore.Property(int, lambda _: 5)
    minorVersion = QtCore.Property(int, lambda _: 13)
