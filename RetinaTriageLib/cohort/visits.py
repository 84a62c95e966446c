"""Eyes of a cohort that were seen more than once, with their visits in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from RetinaTriageLib.cohort.cohort_rows import CohortRow


@dataclass(frozen=True)
class EyeVisits:
    """Visits of one eye of one patient, the first one first; ``days`` count from it."""

    days: tuple[int, ...]
    rows: tuple[CohortRow, ...]


def repeated_eyes(rows: Sequence[CohortRow]) -> tuple[EyeVisits, ...]:
    """Eyes with visits on more than one day.

    A case without patient, eye side or a date such as 2026-11-21 belongs to no eye.
    """
    found: dict[tuple[str, str], list[tuple[date, CohortRow]]] = {}
    for row in rows:
        eye = (row.text("patient_id"), row.text("laterality"))
        day = visit_day(row)
        if all(eye) and day is not None:
            found.setdefault(eye, []).append((day, row))
    eyes = []
    for visits in found.values():
        visits.sort(key=lambda visit: (visit[0], visit[1].case_id))
        start = visits[0][0]
        if visits[-1][0] > start:
            days = tuple((day - start).days for day, _row in visits)
            eyes.append(EyeVisits(days, tuple(row for _day, row in visits)))
    return tuple(eyes)


def visit_day(row: CohortRow) -> date | None:
    """Day of a visit; None where the table holds no date in ISO 8601, such as 2026-11-21."""
    try:
        return date.fromisoformat(row.text("visit_date")[:10])
    except ValueError:
        return None
