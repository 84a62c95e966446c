"""The main window: module panel on the left, views on the right; can be photographed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

from slicer_host.qt_module import install_qt
from slicer_host.qt_signals import signals

qt = install_qt()

PANEL_PX = 440


@signals()
class qSlicerMainWindow(qt.QMainWindow):
    """Shows one module beside the four-up layout."""

    def __init__(self) -> None:
        super().__init__()
        self.objectName = "qSlicerMainWindow"
        self.windowTitle = "3D Slicer core in a test host"
        self._scroll = qt.QScrollArea()
        self._scroll.widgetResizable = True
        self._scroll.setMinimumWidth(PANEL_PX)
        dock = qt.QDockWidget("Module", self)
        dock.setFeatures(qt.QDockWidget.NoDockWidgetFeatures)
        dock.setWidget(self._scroll)
        self._dock = dock
        self.addDockWidget(qt.Qt.LeftDockWidgetArea, dock)
        self.setCentralWidget(slicer.app.layoutManager().viewport())
        self.statusBar()

    def selectModule(self, name: str) -> Any:
        """Show a module's panel, entered as when a user chooses it."""
        module = slicer.app.moduleManager().module(name)
        widget = module.widgetRepresentation()
        self._scroll.setWidget(widget)
        self._dock.windowTitle = module.title
        widget.enter()
        return widget.self()


def photograph(window: qSlicerMainWindow, path: Path, size: tuple[int, int] = (1500, 900)) -> None:
    """Draw the window with all its views and save it as PNG."""
    window.resize(*size)
    window.show()
    slicer.app.processEvents()
    slicer.app.layoutManager().draw()
    slicer.app.processEvents()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not window.grab().save(str(path)):
        msg = f"The screenshot could not be written to {path}."
        raise OSError(msg)
