"""Widgets of the queue: its table and its filters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from RetinaTriageLib.cohort.cohort_rows import CST, CohortRows, title_of
from RetinaTriageLib.cohort.reading_list import QueueEntry, QueueFilter
from RetinaTriageSlicer.widgets import Column, fillBox, fillTable, makeBox, makeTable

SHOWN_ROWS, MOST_ROWS = 7, 500
CASE, REFERRAL, READ, DISAGREEMENT, THICKNESS, PATIENT = range(6)
MODEL_COLUMNS = (REFERRAL, DISAGREEMENT, THICKNESS)
EVERY = 0
SHORT = 6
"""Letters that the boxes must have room for, so that three fit beside each other."""


class QueueWidgets:
    """Shows the queue; a double click on a case is a wish to load it.

    Parameters
    ----------
    onFilter : called when a filter has changed
    onChoose : called with the entry to load
    """

    def __init__(
        self,
        form: Any,
        onFilter: Callable[[], object],
        onChoose: Callable[[QueueEntry], object],
    ) -> None:
        self._onChoose = onChoose
        self._entries: tuple[QueueEntry, ...] = ()
        self._cohort: CohortRows | None = None
        self.readBox = makeBox("readingReadBox", _("Cases that you have read, or have not."))
        self.referralBox = makeBox("readingReferralBox", _("Referral by the model."))
        self.conditionBox = makeBox("readingConditionBox", _("Condition by the model."))
        fillBox(self.readBox, [_("All cases"), _("Unread"), _("Read")])
        self.table = makeTable(
            "readingTable",
            _("The most urgent first; of equal ones the one on which opinions differ most."),
            (
                Column(_("Case"), _("Place in the queue, and a name that tells no patient.")),
                Column(_("Referral"), _("Referral by the model.")),
                Column(_("Read"), _("Your decision, or who else has read the case.")),
                Column(
                    _("Differ"),
                    _("Mean entropy of the votes of the tissue maps, in nats, so without unit."),
                ),
                Column(_("CST (\u00b5m)"), _("Mean thickness of the retina in the central 1 mm.")),
                Column(_("Patient"), _("What the table says of patient and file.")),
            ),
        )
        row = qt.QHBoxLayout()
        for box in (self.readBox, self.referralBox, self.conditionBox):
            box.minimumContentsLength = SHORT
            row.addWidget(box, 1)
            box.connect("currentIndexChanged(int)", lambda _at: onFilter())
        form.addRow(row)
        form.addRow(self.table)
        self.table.connect("cellDoubleClicked(int,int)", self._onCell)

    @property
    def chosen(self) -> QueueEntry | None:
        """Entry of the row that is selected."""
        row = self.table.currentRow()
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def offer(self, cohort: CohortRows) -> None:
        """Offer the answers of a cohort as filters, none of which is chosen."""
        self._cohort = cohort
        every = [_("Every referral"), *(title_of(name) for name in cohort.referrals)]
        fillBox(self.referralBox, every)
        every = [_("Every condition"), *(title_of(name) for name in cohort.conditions)]
        fillBox(self.conditionBox, every)
        for box in (self.readBox, self.referralBox, self.conditionBox):
            box.setCurrentIndex(EVERY)

    def filter(self) -> QueueFilter:
        """Filter that the lists state."""
        if self._cohort is None:
            return QueueFilter()
        return QueueFilter(
            _chosen(self.referralBox, self._cohort.referrals),
            _chosen(self.conditionBox, self._cohort.conditions),
            _chosen(self.readBox, (False, True)),
        )

    def show(
        self,
        entries: Sequence[QueueEntry],
        loaded: QueueEntry | None,
        *,
        model: bool,
        patient: bool,
    ) -> None:
        """Show entries, those that are too many for a table left out.

        Parameters
        ----------
        loaded : entry to select
        model : show what the model answers
        patient : show what the table says of the patient
        """
        self._entries = tuple(entries[:MOST_ROWS])
        fillTable(self.table, [_texts(entry) for entry in self._entries], SHOWN_ROWS)
        for column in MODEL_COLUMNS:
            self.table.setColumnHidden(column, not model)
        self.table.setColumnHidden(PATIENT, not patient)
        for box in (self.referralBox, self.conditionBox):
            box.enabled = model
        self.table.clearSelection()
        for at, entry in enumerate(self._entries):
            if loaded is not None and entry.row.case_id == loaded.row.case_id:
                self.table.selectRow(at)

    def _onCell(self, row: int, _column: int) -> None:
        if 0 <= row < len(self._entries):
            self._onChoose(self._entries[row])


def patientText(entry: QueueEntry) -> str:
    """Return what the table says of the patient and the file of a case."""
    row = entry.row
    age = row.text("age")
    said = (
        row.text("patient_id"),
        row.text("visit_date"),
        _("{age} years").format(age=age) if age else "",
        row.text("sex"),
        row.text("file"),
    )
    return ", ".join(part for part in said if part)


def answerText(entry: QueueEntry) -> str:
    """Return what the model answers on a case, in one line."""
    row = entry.row
    referral = row.text("referral")
    conditions = ", ".join(title_of(name).lower() for name in entry.conditions)
    return _("Model: {referral} {score}; {conditions}.").format(
        referral=title_of(referral).lower() if referral else _("no referral"),
        score=_number(row.referral_score, 2),
        conditions=conditions or _("no condition"),
    )


def _texts(entry: QueueEntry) -> tuple[str, ...]:
    row = entry.row
    referral = row.text("referral")
    others = _("by {readers}").format(readers=", ".join(entry.read_by)) if entry.read_by else ""
    return (
        f"{entry.place}: {row.alias.removeprefix('case ')}",
        title_of(referral) if referral else "",
        others if entry.reading is None else title_of(entry.reading.referral),
        _number(row.disagreement, 3),
        _number(row.number(CST), 0),
        patientText(entry),
    )


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else ""


def _chosen(box: Any, values: Sequence[Any]) -> Any:
    at = box.currentIndex
    return None if at <= EVERY else values[at - 1]
