"""Widgets of sections that are made in code: each with its name and its tooltip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ctk
import qt

SCROLL_BAR_PX = 20


@dataclass(frozen=True)
class Column:
    """Title of a table's column, with its unit, and what it tells."""

    title: str
    toolTip: str


def makeSection(name: str, title: str, toolTip: str) -> tuple[Any, Any]:
    """Collapsible section and the form layout in it."""
    button = ctk.ctkCollapsibleButton()
    button.objectName = name
    button.text = title
    button.toolTip = toolTip
    return button, qt.QFormLayout(button)


def makeLabel(name: str, toolTip: str, text: str = "") -> Any:
    """Label that wraps, and whose text can be copied."""
    label = qt.QLabel()
    label.objectName = name
    label.text = text
    label.toolTip = toolTip
    label.wordWrap = True
    label.textFormat = qt.Qt.PlainText
    label.textInteractionFlags = qt.Qt.TextSelectableByMouse | qt.Qt.TextSelectableByKeyboard
    return label


def makeButton(name: str, text: str, toolTip: str) -> Any:
    """Push button."""
    button = qt.QPushButton()
    button.objectName = name
    button.text = text
    button.toolTip = toolTip
    return button


def makeBox(name: str, toolTip: str) -> Any:
    """Drop-down list."""
    box = qt.QComboBox()
    box.objectName = name
    box.toolTip = toolTip
    box.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
    box.minimumContentsLength = 12
    return box


def makeCheck(name: str, text: str, toolTip: str, *, checked: bool) -> Any:
    """Check box."""
    check = qt.QCheckBox()
    check.objectName = name
    check.text = text
    check.toolTip = toolTip
    check.checked = checked
    return check


def makeProgress(name: str, toolTip: str) -> Any:
    """Progress bar that is hidden until a job begins."""
    bar = qt.QProgressBar()
    bar.objectName = name
    bar.toolTip = toolTip
    bar.setVisible(False)
    return bar


def makeTable(name: str, toolTip: str, columns: Sequence[Column]) -> Any:
    """Table whose rows are chosen as a whole, and whose cells cannot be edited."""
    table = qt.QTableWidget()
    table.objectName = name
    table.toolTip = toolTip
    table.editTriggers = qt.QAbstractItemView.NoEditTriggers
    table.selectionBehavior = qt.QAbstractItemView.SelectRows
    table.selectionMode = qt.QAbstractItemView.SingleSelection
    table.setColumnCount(len(columns))
    for at, column in enumerate(columns):
        item = qt.QTableWidgetItem(column.title)
        item.setToolTip(column.toolTip)
        table.setHorizontalHeaderItem(at, item)
    table.verticalHeader().setVisible(False)
    table.horizontalHeader().setStretchLastSection(True)
    table.horizontalHeader().setHighlightSections(False)
    return table


def fillTable(table: Any, rows: Sequence[Sequence[str]], shownRows: int = 8) -> None:
    """Show texts in a table, which gets as high as its rows need up to a number of them."""
    table.setRowCount(len(rows))
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            table.setItem(row, column, qt.QTableWidgetItem(text))
    table.resizeColumnsToContents()
    table.resizeRowsToContents()
    heights = [table.rowHeight(row) for row in range(min(len(rows), shownRows))]
    header = headerHeight(table)
    table.setFixedHeight(header + max(sum(heights), header) + SCROLL_BAR_PX)


def headerHeight(table: Any) -> int:
    """Height of the titles of a table's columns, in pixels."""
    return int(table.horizontalHeader().sizeHint().height())


def stretchNames(table: Any) -> None:
    """Give the first column what the others leave, so that these are always seen."""
    header = table.horizontalHeader()
    header.setStretchLastSection(False)
    for column in range(table.columnCount):
        stretched = qt.QHeaderView.Stretch if column == 0 else qt.QHeaderView.ResizeToContents
        header.setSectionResizeMode(column, stretched)


def fillBox(box: Any, texts: Sequence[str]) -> None:
    """Show texts in a list; the chosen one stays chosen where it is still there."""
    chosen = box.currentText
    box.blockSignals(True)
    box.clear()
    for text in texts:
        box.addItem(text)
    box.setCurrentIndex(max(0, box.findText(chosen)))
    box.blockSignals(False)
