"""The queue of a reading session: the most urgent case first, ties by disagreement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from RetinaTriageLib.cohort.cohort_rows import CohortRow, CohortRows, read_cohort
from RetinaTriageLib.cohort.readings import Reading, latest_readings, read_readings


@dataclass(frozen=True)
class QueueEntry:
    """One case in the queue of a reader.

    Attributes
    ----------
    place : counted from 1, in the whole queue
    urgency : rank of the model's referral, 0 is the most urgent
    conditions : that the model decided for
    reading : decision of this reader that counts; None where the case is unread
    read_by : all who have read it
    """

    place: int
    row: CohortRow
    urgency: int
    conditions: tuple[str, ...]
    reading: Reading | None
    read_by: tuple[str, ...]


@dataclass(frozen=True)
class ReadingList:
    """The queue of a reader, with the cohort that it is of."""

    cohort: CohortRows
    entries: tuple[QueueEntry, ...]

    @property
    def unread(self) -> int:
        """Number of cases that this reader has not read."""
        return sum(entry.reading is None for entry in self.entries)


@dataclass(frozen=True)
class QueueFilter:
    """Which part of a queue to show; None shows all.

    Attributes
    ----------
    referral, condition : name of what the model decided for
    read : True for cases that this reader has read, False for unread ones
    """

    referral: str | None = None
    condition: str | None = None
    read: bool | None = None


NO_FILTER = QueueFilter()


def reading_list(out_dir: Path, reader: str = "", *, blind: bool = False) -> ReadingList:
    """Queue of a reader from the files of a cohort.

    Parameters
    ----------
    reader : whose decisions make a case read; where empty, anybody's do
    blind : order by the name of the case, which tells nothing of the model's answer

    Raises
    ------
    InputError
        If the folder holds no table of a cohort.
    """
    cohort, readings = read_cohort(out_dir), read_readings(out_dir)
    latest = latest_readings(readings)
    by_case: dict[str, list[Reading]] = {}
    for reading in latest.values():
        by_case.setdefault(reading.case_id, []).append(reading)

    def entry(place: int, row: CohortRow) -> QueueEntry:
        own = [one for one in by_case.get(row.case_id, []) if reader in ("", one.reader)]
        names = sorted(one.reader for one in by_case.get(row.case_id, []))
        return QueueEntry(
            place,
            row,
            cohort.urgency(row),
            cohort.decided_conditions(row),
            max(own, key=lambda one: one.time, default=None),
            tuple(names),
        )

    if blind:
        rows = sorted(cohort.rows, key=lambda row: row.case_id)
    else:
        rows = sorted(cohort.rows, key=lambda row: _priority(cohort, row))
    return ReadingList(cohort, tuple(entry(at, row) for at, row in enumerate(rows, start=1)))


def filtered(
    entries: Sequence[QueueEntry], wanted: QueueFilter = NO_FILTER
) -> tuple[QueueEntry, ...]:
    """Entries that a filter lets through, in their order."""
    return tuple(
        entry
        for entry in entries
        if wanted.referral in (None, entry.row.text("referral"))
        and (wanted.condition is None or wanted.condition in entry.conditions)
        and wanted.read in (None, entry.reading is not None)
    )


def next_unread(entries: Sequence[QueueEntry], case_id: str = "") -> QueueEntry | None:
    """Next unread entry behind a case, from the start again at the end; None where all are read."""
    names = [entry.row.case_id for entry in entries]
    behind = names.index(case_id) + 1 if case_id in names else 0
    turned = (*entries[behind:], *entries[:behind])
    return next((entry for entry in turned if entry.reading is None), None)


def _priority(cohort: CohortRows, row: CohortRow) -> tuple[int, float, str]:
    disagreement = row.disagreement
    unknown_last = -1.0 if math.isnan(disagreement) else disagreement
    return cohort.urgency(row), -unknown_last, row.case_id
