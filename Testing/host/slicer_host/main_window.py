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
class qSlicerModuleSelectorToolBar(qt.QToolBar):
    """The list in which a user chooses a module; it names the scripted ones only."""

    def __init__(self, window: qSlicerMainWindow) -> None:
        super().__init__("Modules", window)
        self._window = window
        self._names = qt.QComboBox(self)
        self._names.setMinimumWidth(220)
        self.addWidget(qt.QLabel(" Modules: "))
        self.addWidget(self._names)
        self.movable = False

    def selectModule(self, name: str) -> None:
        title = self._window.showModule(name)
        if self._names.findText(title) < 0:
            self._names.addItem(title)
        self._names.setCurrentText(title)


@signals()
class qSlicerMainWindow(qt.QMainWindow):
    """Shows one module beside the four-up layout."""

    def __init__(self) -> None:
        super().__init__()
        self.objectName = "qSlicerMainWindow"
        self.windowTitle = "3D Slicer core in a test host"
        self._selector = qSlicerModuleSelectorToolBar(self)
        self.addToolBar(self._selector)
        self._scroll = qt.QScrollArea()
        self._scroll.widgetResizable = True
        self._scroll.setMinimumWidth(PANEL_PX)
        dock = qt.QDockWidget("Module", self)
        dock.setFeatures(qt.QDockWidget.NoDockWidgetFeatures)
        dock.setWidget(self._scroll)
        self._dock = dock
        self._shown: Any = None
        self.addDockWidget(qt.Qt.LeftDockWidgetArea, dock)
        self.setCentralWidget(slicer.app.layoutManager().viewport())
        self.statusBar()

    def moduleSelector(self) -> qSlicerModuleSelectorToolBar:
        return self._selector

    def showModule(self, name: str) -> str:
        """Show a module's panel, the one before left and this one entered; returns its title."""
        module = slicer.app.moduleManager().module(name)
        widget = module.widgetRepresentation()
        self.leaveModule()
        self._scroll.setWidget(widget)
        self._dock.windowTitle = module.title
        self._shown = widget
        widget.enter()
        return str(module.title)

    def leaveModule(self) -> None:
        """Let go of the panel; it lives on without the window."""
        if self._shown is not None:
            self._shown.exit()
            _give_back(self._scroll.takeWidget())
            self._shown = None

    def dismantle(self) -> None:
        """Give back panel and views, which a window that is dropped would take with it."""
        self.leaveModule()
        if self.centralWidget() is not None:
            _give_back(self.takeCentralWidget())
        self.hide()
        self.objectName = ""  # by which Slicer looks for its main window


def _give_back(widget: Any) -> None:
    """Let go of a widget for PySide too, which deletes it with a parent that it remembers."""
    widget.setParent(None)


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
