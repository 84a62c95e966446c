"""The log: lines of the worker and messages of the panel, to be copied into a report."""

from __future__ import annotations

import platform
from typing import Any

import qt
import slicer

from RetinaTriageLib.version import VERSION

MAX_LINES = 5000


class LogPanel:
    """Appends lines, and copies them with the versions that a report of a problem needs."""

    def __init__(self, ui: Any) -> None:
        self._text = ui.logText
        self._text.maximumBlockCount = MAX_LINES
        ui.logButton.collapsed = True
        ui.copyLogButton.connect("clicked()", self.copy)
        ui.clearLogButton.connect("clicked()", self._text.clear)

    def append(self, text: str) -> None:
        """Add a line, or several."""
        self._text.appendPlainText(text)

    def copy(self) -> None:
        """Put the log with its versions on the clipboard; it holds no names of patients."""
        lines = (
            f"RetinaTriage {VERSION}",
            f"Slicer {slicer.app.applicationVersion}, Python {platform.python_version()}",
            platform.platform(),
            "",
            self._text.toPlainText(),
        )
        qt.QApplication.clipboard().setText("\n".join(lines))
