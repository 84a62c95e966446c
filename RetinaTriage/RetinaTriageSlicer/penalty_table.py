"""Table of what each mistake costs, whose penalties a user may type over."""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.penalties import FloatMatrix


class PenaltyTable:
    """Penalties of one question; rows are the truth, columns the answer.

    Parameters
    ----------
    onTyped : is told row, column and text of a cell that the user changed
    """

    def __init__(self, onTyped: Callable[[int, int, str], None]) -> None:
        self._onTyped = onTyped
        self._filling = False
        self.table = qt.QTableWidget()
        self.table.objectName = "penaltyTable"
        self.table.toolTip = _(
            "Penalty of each mistake, without unit: rows are the truth, columns the answer. Type "
            "another number, and the answer of the least expected penalty is decided for."
        )
        self.table.connect("cellChanged(int,int)", self._onCell)

    def show(self, head: OutcomeHead, matrix: FloatMatrix) -> None:
        """Show the penalties of a question, matrix (actual, predicted)."""
        titles = [outcome.title for outcome in head.outcomes]
        self._filling = True
        self.table.setRowCount(len(titles))
        self.table.setColumnCount(len(titles))
        for at, title in enumerate(titles):
            predicted = qt.QTableWidgetItem(title)
            predicted.setToolTip(_("Answered: {outcome}").format(outcome=title))
            actual = qt.QTableWidgetItem(title)
            actual.setToolTip(_("In truth: {outcome}").format(outcome=title))
            self.table.setHorizontalHeaderItem(at, predicted)
            self.table.setVerticalHeaderItem(at, actual)
        for row in range(len(titles)):
            for column in range(len(titles)):
                item = qt.QTableWidgetItem(f"{matrix[row, column]:g}")
                if row == column:  # a right answer costs nothing
                    item.setFlags(qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled)
                self.table.setItem(row, column, item)
        self.table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)
        height = self.table.verticalHeader().defaultSectionSize
        self.table.setFixedHeight((len(titles) + 1) * height + 4)
        self._filling = False

    def _onCell(self, row: int, column: int) -> None:
        if not self._filling:
            self._onTyped(row, column, self.table.item(row, column).text())
