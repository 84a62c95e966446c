"""Tables of what an edit has changed: scores and measurements, before and after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import qt
from slicer.i18n import tr as _

from RetinaTriageSlicer.browser_grid import fitHeight, nameItem, scoreItem
from RetinaTriageSlicer.browser_opinions import Answer, answerTitle
from RetinaTriageSlicer.edited_map_tables import Change, Quantity
from RetinaTriageSlicer.widgets import Column, makeTable, stretchNames

MOST_ROWS = 8


class ChangeTables:
    """Scores and measurements of an edited map beside those of the map it was made from."""

    def __init__(self) -> None:
        numbers = (
            Column(_("Before"), _("In the map that the copy was made from.")),
            Column(_("After"), _("In the edited map.")),
            Column(_("Change"), _("After less before.")),
        )
        self.scores = makeTable(
            "scoreChanges",
            _("Scores of the edited map alone, mean of all classifiers, 0 to 1."),
            (Column(_("Outcome"), _("Question and possible answer; score 0 to 1.")), *numbers),
        )
        self.sizes = makeTable(
            "sizeChanges",
            _("Measurements of the edited map."),
            (Column(_("Measurement"), _("What is measured, with its unit.")), *numbers),
        )

    @property
    def tables(self) -> tuple[Any, Any]:
        """Table of scores, and that of measurements."""
        return self.scores, self.sizes

    def show(
        self, scores: Mapping[Answer, Change], sizes: Mapping[Quantity, Change], *, visible: bool
    ) -> None:
        """Show changes; a table without any is hidden, and both are where ``visible`` is False."""
        titles = {answerTitle(answer): change for answer, change in scores.items()}
        _fill(self.scores, titles, 2)
        named = {f"{what} ({unit})": change for (what, unit), change in sizes.items()}
        _fill(self.sizes, _changedFirst(named), 1)
        for table, found in ((self.scores, scores), (self.sizes, sizes)):
            table.setVisible(bool(found) and visible)


def largestChange(changes: Mapping[Answer, Change]) -> str:
    """Say which score changed most, before and after."""
    known = {answer: one for answer, one in changes.items() if math.isfinite(one.change)}
    if not known:
        return _("the original is gone, so there is nothing to compare with.")
    answer = max(known, key=lambda one: abs(known[one].change))
    return _("{outcome} {before:.2f} -> {after:.2f}").format(
        outcome=answerTitle(answer), before=known[answer].before, after=known[answer].after
    )


def _fill(table: Any, changes: Mapping[str, Change], decimals: int) -> None:
    """Show changes, in bold where they do not round to nothing; scores have two decimals."""
    table.setRowCount(len(changes))
    for at, (title, change) in enumerate(changes.items()):
        table.setItem(at, 0, nameItem(title))
        for column, value in enumerate((change.before, change.after), start=1):
            item = scoreItem(value) if decimals == 2 else _number(f"{value:.{decimals}f}")
            table.setItem(at, column, item)
        moved = f"{change.change:+.{decimals}f}" if math.isfinite(change.change) else ""
        changed = bool(moved.strip("+-0."))
        item = _number(moved if changed else moved.lstrip("+-"))
        if changed:
            font = item.font()
            font.setBold(True)
            item.setFont(font)
        table.setItem(at, 3, item)
    stretchNames(table)
    table.resizeRowsToContents()
    fitHeight(table, MOST_ROWS)


def _changedFirst(changes: Mapping[str, Change]) -> dict[str, Change]:
    """Put what has changed before what has not, otherwise in the same order."""
    return dict(sorted(changes.items(), key=lambda item: not item[1].change))


def _number(text: str) -> Any:
    item = qt.QTableWidgetItem("" if text == "nan" else text)
    item.setTextAlignment(qt.Qt.AlignCenter)
    return item
