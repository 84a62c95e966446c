"""Widgets of a decision: a button a referral, a box a condition, a comment."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import fill
from typing import Any

import qt
from slicer.i18n import tr as _

from RetinaTriageLib.cohort.cohort_rows import CohortRows, title_of
from RetinaTriageLib.cohort.readings import Reading
from RetinaTriageSlicer.reading_session import Decision
from RetinaTriageSlicer.widgets import makeButton, makeCheck

COLUMNS = 2
LINE = 22
"""Letters of a line of a check box, so that the columns fit beside each other."""
SHORTCUT = "Alt+{key}"
KEYS = 9


class DecisionWidgets:
    """Asks for a decision; pressing a referral is the decision.

    Parameters
    ----------
    onDecide : called with the decision
    """

    def __init__(self, form: Any, onDecide: Callable[[Decision], object]) -> None:
        self._onDecide = onDecide
        self._cohort: CohortRows | None = None
        self.buttons: dict[str, Any] = {}
        self.checks: dict[str, Any] = {}
        self._conditions = qt.QWidget()
        self._conditions.objectName = "readingConditions"
        self._checkGrid = qt.QGridLayout(self._conditions)
        self._referrals = qt.QWidget()
        self._referrals.objectName = "readingReferrals"
        self._buttonGrid = qt.QGridLayout(self._referrals)
        for grid in (self._checkGrid, self._buttonGrid):
            grid.setContentsMargins(0, 0, 0, 0)
        self.commentEdit = qt.QLineEdit()
        self.commentEdit.objectName = "readingComment"
        self.commentEdit.toolTip = _("Goes with the decision; write nothing that names a person.")
        form.addRow(self._conditions)
        form.addRow(_("Comment:"), self.commentEdit)
        form.addRow(self._referrals)
        self.enable(ready=False)

    def offer(self, cohort: CohortRows) -> None:
        """Offer the answers of a cohort."""
        for widget in (*self.buttons.values(), *self.checks.values()):
            widget.setParent(None)
            widget.deleteLater()
        self.buttons, self.checks, self._cohort = {}, {}, cohort
        for at, name in enumerate(cohort.conditions):
            check = makeCheck(
                f"readingCondition_{name}",
                fill(title_of(name), LINE),
                _("Tick what you see; tick Normal where there is nothing."),
                checked=False,
            )
            self._checkGrid.addWidget(check, at // COLUMNS, at % COLUMNS)
            self.checks[name] = check
        for at, name in enumerate(cohort.referrals):
            button = makeButton(f"readingReferral_{name}", title_of(name), "")
            key = SHORTCUT.format(key=at + 1) if at < KEYS else ""
            button.toolTip = _("Record this decision and go on to the next case ({key}).").format(
                key=key or _("no key")
            )
            if key:
                button.shortcut = qt.QKeySequence(key)
            button.connect("clicked()", lambda name=name: self._decide(name))
            self._buttonGrid.addWidget(button, at // COLUMNS, at % COLUMNS)
            self.buttons[name] = button
        self.enable(ready=False)

    def show(self, reading: Reading | None) -> None:
        """Show what the reader has said of a case before; nothing where they have not."""
        for name, check in self.checks.items():
            check.checked = reading is not None and name in reading.conditions
        self.commentEdit.text = "" if reading is None else reading.comment
        for name, button in self.buttons.items():
            button.text = title_of(name)
            if reading is not None and name == reading.referral:
                button.text = _("{referral} (so far)").format(referral=title_of(name))

    def enable(self, *, ready: bool) -> None:
        """Let the reader decide, or not, as where no case is loaded."""
        for widget in (self._conditions, self._referrals, self.commentEdit):
            widget.enabled = ready

    def _decide(self, referral: str) -> None:
        ticked = tuple(name for name, check in self.checks.items() if check.checked)
        self._onDecide(Decision(referral, ticked, self.commentEdit.text))
