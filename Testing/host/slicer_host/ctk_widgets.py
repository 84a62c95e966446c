"""The ``ctk`` widgets that the module uses."""

from __future__ import annotations

import sys
import types
from typing import Any

from PySide6 import QtCore

from slicer_host.qt_module import install_qt
from slicer_host.qt_signals import signals

qt = install_qt()

HEADER_PX = 24


@signals(contentsCollapsed="contentsCollapsed(bool)", clicked="clicked()")
class ctkCollapsibleButton(qt.QWidget):
    """A header that shows and hides what is below it."""

    contentsCollapsed = QtCore.Signal(bool)
    clicked = QtCore.Signal()

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._collapsed = False
        self._hidden: list[Any] = []
        self._header = qt.QToolButton(self)
        self._header.setObjectName("")
        self._header.setStyleSheet(
            "QToolButton{border:1px solid #bbb;background:#e4e4e4;text-align:left;padding:3px;"
            "font-weight:bold}"
        )
        self._header.toolButtonStyle = qt.Qt.ToolButtonTextBesideIcon
        self._header.arrowType = qt.Qt.DownArrow
        self._header.clicked.connect(self._toggle)
        self.setContentsMargins(2, HEADER_PX + 2, 2, 2)

    def resizeEvent(self, event: Any) -> None:
        self._header.setGeometry(0, 0, event.size().width(), HEADER_PX)

    def setText(self, text: str) -> None:
        self._header.text = text.replace("&&", "&")

    def setCollapsed(self, collapsed: bool) -> None:  # noqa: FBT001 - a Qt slot
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        self._header.arrowType = qt.Qt.RightArrow if collapsed else qt.Qt.DownArrow
        if collapsed:
            self._hidden = [w for w in self._contents() if not w.isHidden()]
        for widget in self._hidden:
            widget.setVisible(not collapsed)
        self.setMaximumHeight(HEADER_PX + 2 if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)

    def _toggle(self) -> None:
        self.setCollapsed(not self._collapsed)
        self.clicked.emit()

    def _contents(self) -> list[Any]:
        return [w for w in self.children() if isinstance(w, qt.QWidget) and w is not self._header]

    text = QtCore.Property(str, lambda self: self._header.text, setText)
    collapsed = QtCore.Property(bool, lambda self: self._collapsed, setCollapsed)


@signals(currentPathChanged="currentPathChanged(QString)")
class ctkPathLineEdit(qt.QWidget):
    """A path, typed or browsed."""

    Dirs, Files = 1, 2

    currentPathChanged = QtCore.Signal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        row = qt.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._edit = qt.QLineEdit(self)
        self._browse = qt.QToolButton(self)
        self._browse.text = "..."
        row.addWidget(self._edit, 1)
        row.addWidget(self._browse)
        self._filters = 0
        self._nameFilters: tuple[str, ...] = ()
        self._settingKey = ""
        self._edit.textChanged.connect(self.currentPathChanged)

    def setCurrentPath(self, path: str) -> None:
        self._edit.text = path

    def addCurrentPathToHistory(self) -> None:
        """Nothing: the host keeps no history."""

    currentPath = QtCore.Property(str, lambda self: self._edit.text, setCurrentPath)
    filters = QtCore.Property(
        int, lambda self: self._filters, lambda self, value: setattr(self, "_filters", value)
    )
    nameFilters = QtCore.Property(
        "QStringList",
        lambda self: self._nameFilters,
        lambda self, value: setattr(self, "_nameFilters", tuple(value)),
    )
    settingKey = QtCore.Property(
        str, lambda self: self._settingKey, lambda self, value: setattr(self, "_settingKey", value)
    )


def install_ctk() -> types.ModuleType:
    """Register the ``ctk`` module."""
    module = types.ModuleType("ctk", "stand-ins for CTK widgets")
    for widget in (ctkCollapsibleButton, ctkPathLineEdit):
        setattr(module, widget.__name__, widget)
    sys.modules["ctk"] = module
    return module
