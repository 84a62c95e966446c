"""``qt.QUiLoader`` that knows the stand-in widgets and the connections of a ``.ui`` file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PySide6 import QtUiTools

from slicer_host.ctk_widgets import ctkCollapsibleButton, ctkPathLineEdit
from slicer_host.node_combo_box import qMRMLNodeComboBox
from slicer_host.qmrml_widget import qMRMLWidget
from slicer_host.qt_module import install_qt
from slicer_host.qt_signals import normalized, python_signal

qt = install_qt()

STAND_INS = {
    cls.__name__: cls
    for cls in (ctkCollapsibleButton, ctkPathLineEdit, qMRMLNodeComboBox, qMRMLWidget)
}


class QUiLoader(QtUiTools.QUiLoader):
    """Refuses custom widgets that the host does not have."""

    def createWidget(self, className: str, parent: Any = None, name: str = "") -> Any:
        if className in STAND_INS:
            widget = STAND_INS[className](parent)
            widget.objectName = name
            self._kept.append(widget)
            return widget
        if className.startswith(("ctk", "qMRML", "qSlicer")):
            msg = f"The host has no widget {className}."
            raise NotImplementedError(msg)
        return super().createWidget(className, parent, name)

    def load(self, device: Any, parent: Any = None) -> Any:
        self._kept: list[Any] = []
        handler = qt.qInstallMessageHandler(_passOn)
        try:
            root = super().load(device, parent)
        finally:
            qt.qInstallMessageHandler(handler)
        root.setProperty("hostKept", self._kept)
        _connect_stand_ins(root, Path(device.fileName()))
        return root


def _passOn(_kind: Any, _context: Any, message: str) -> None:
    """Pass messages on, but those on connections that `_connect_stand_ins` makes afterwards."""
    if "No such signal" not in message and "er name:" not in message:
        sys.stderr.write(f"{message}\n")


def _connect_stand_ins(root: Any, path: Path) -> None:
    """Make the file's connections from and to Python widgets, which Qt cannot make."""
    for one in ElementTree.parse(path).iter("connection"):
        sender, receiver = (_named(root, one.findtext(end, "")) for end in ("sender", "receiver"))
        signal = python_signal(sender, normalized(one.findtext("signal", "")))
        if signal is not None:
            signal.connect(getattr(receiver, one.findtext("slot", "").partition("(")[0]))


def _named(root: Any, name: str) -> Any:
    return root if root.objectName == name else root.findChild(qt.QWidget, name)


def install_ui_loader() -> None:
    """Put the loader into ``qt``."""
    qt.QUiLoader = QUiLoader
