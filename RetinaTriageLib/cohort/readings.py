"""Decisions of readers on the cases of a cohort: ``readings.csv``, a row a decision.

Rows are only ever added: a decision that a reader changes is a new row, and the latest one counts.
What the model said at that time stands beside it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from RetinaTriageLib.cohort.append_file import append_line
from RetinaTriageLib.cohort.cohort_rows import CohortRow, CohortRows
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.version import VERSION

READINGS_FILE = "readings.csv"
COLUMNS = (
    "time",
    "reader",
    "case_id",
    "referral",
    "conditions",
    "comment",
    "model_shown",
    "model_referral",
    "model_conditions",
    "bundle",
    "bundle_version",
    "version",
)
SEPARATOR = ";"
"""Between the names of conditions in one cell."""

LONGEST_READER = 40


@dataclass(frozen=True)
class Reading:
    """One decision of one reader.

    Attributes
    ----------
    time : in UTC, as ISO 8601
    conditions : none where the reader said nothing about them; "normal" says that there are none
    model_shown : whether the reader could see the model's answer
    """

    case_id: str
    reader: str
    referral: str
    conditions: tuple[str, ...] = ()
    comment: str = ""
    model_shown: bool = True
    time: str = ""


def record_reading(out_dir: Path, cohort: CohortRows, reading: Reading) -> Reading:
    """Add a decision to ``readings.csv``; returns it as it was written, with its time.

    Raises
    ------
    InputError
        If the reader has no name, or case or answers are none of the cohort.
    OutputError
        If it cannot be written; nothing is then changed.
    """
    row = _require_known(cohort, reading)
    written = Reading(
        reading.case_id,
        require_reader(reading.reader),
        reading.referral,
        reading.conditions,
        " ".join(_printable(reading.comment).split()),  # a line of the file stays one line
        reading.model_shown,
        datetime.now(UTC).isoformat(timespec="milliseconds"),
    )
    cells = (
        written.time,
        written.reader,
        written.case_id,
        written.referral,
        SEPARATOR.join(written.conditions),
        written.comment,
        "yes" if written.model_shown else "no",
        row.text("referral"),
        SEPARATOR.join(cohort.decided_conditions(row)),
        row.text("bundle"),
        row.text("bundle_version"),
        VERSION,
    )
    append_line(out_dir / READINGS_FILE, _line(cells), _line(COLUMNS))
    return written


def read_readings(out_dir: Path) -> tuple[Reading, ...]:
    """All decisions in the order in which they were made; none where nobody has read.

    Lines that were cut off before the referral are left out.

    Raises
    ------
    InputError
        If the file cannot be read, or is no such table.
    """
    path = out_dir / READINGS_FILE
    if not path.exists():
        return ()
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read ({error}); restore it, or rename it to start a new one."
        raise InputError(msg) from error
    # Line by line: a cell never holds a line end, so a line that was cut off spoils no other.
    header, *rows = (next(csv.reader([line]), []) for line in lines)
    missing = [name for name in COLUMNS[:4] if name not in header]
    if missing:
        msg = (
            f"Found {path} without {', '.join(missing)}; expected the columns {', '.join(COLUMNS)}."
            " It was altered: rename it to start a new one."
        )
        raise InputError(msg)
    cells = (dict(zip(header, row, strict=False)) for row in rows)
    return tuple(_reading(row) for row in cells if all(row.get(name) for name in COLUMNS[:4]))


def latest_readings(readings: Sequence[Reading]) -> Mapping[tuple[str, str], Reading]:
    """Decision that counts, by reader and case: the last one."""
    return {(reading.reader, reading.case_id): reading for reading in readings}


def readers_of(readings: Sequence[Reading]) -> tuple[str, ...]:
    """Names of all readers, in the order of the alphabet."""
    return tuple(sorted({reading.reader for reading in readings}))


def require_reader(name: str) -> str:
    """Name or initials of a reader, without spaces around it.

    Raises
    ------
    InputError
        If it is empty, too long, or holds more than one line.
    """
    plain = name.strip()
    if not plain or len(plain) > LONGEST_READER or not plain.isprintable():
        msg = (
            f"Found the reader {name!r}; expected a name or initials of 1 to {LONGEST_READER} "
            "characters. Say who reads."
        )
        raise InputError(msg)
    return plain


def _require_known(cohort: CohortRows, reading: Reading) -> CohortRow:
    row = next((row for row in cohort.rows if row.case_id == reading.case_id), None)
    if row is None:
        msg = f"Found the case {reading.case_id!r}, which is not in the cohort. Open it again."
        raise InputError(msg)
    unknown = set(reading.conditions) - set(cohort.conditions)
    if reading.referral not in cohort.referrals or unknown:
        msg = (
            f"Found the referral {reading.referral!r} and unknown conditions {sorted(unknown)}; "
            f"expected one of {', '.join(cohort.referrals)}, and of {', '.join(cohort.conditions)}."
        )
        raise InputError(msg)
    return row


def _reading(row: Mapping[str, str]) -> Reading:
    return Reading(
        row["case_id"],
        row["reader"],
        row["referral"],
        tuple(name for name in row.get("conditions", "").split(SEPARATOR) if name),
        row.get("comment", ""),
        row.get("model_shown", "") != "no",
        row["time"],
    )


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
