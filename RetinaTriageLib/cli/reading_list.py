"""`retina-triage reading-list`: the queue of a reading session, most urgent first."""

from __future__ import annotations

import argparse
import csv
import io
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from RetinaTriageLib.cohort.reading_list import QueueEntry

COLUMNS = (
    "place",
    "case_id",
    "referral",
    "score",
    "disagreement",
    "conditions",
    "central_subfield_um",
    "read_by",
    "decision",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("cohort", type=Path, metavar="DIR", help="folder of a cohort")
    parser.add_argument("--reader", default="", help="whose decisions count; default: anybody's")
    parser.add_argument("--unread", action="store_true", help="leave out cases that are read")
    parser.add_argument("--limit", type=int, help="print so many cases at most")
    parser.add_argument("--csv", action="store_true", help="print a table for other programs")
    parser.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Print the queue of one cohort; returns the exit code."""
    from RetinaTriageLib.cohort.reading_list import QueueFilter, filtered, reading_list

    listed = reading_list(parsed.cohort, parsed.reader)
    entries = filtered(listed.entries, QueueFilter(read=False if parsed.unread else None))
    cells = [_cells(entry) for entry in entries[: parsed.limit]]
    if parsed.csv:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *cells])
        sys.stdout.write(text.getvalue())
        return 0
    sys.stdout.write(_aligned([COLUMNS, *cells]))
    sys.stdout.write(f"{listed.unread} of {len(listed.entries)} cases unread\n")
    return 0


def _cells(entry: QueueEntry) -> tuple[str, ...]:
    row = entry.row
    return (
        str(entry.place),
        _plain(row.case_id),
        _plain(row.text("referral")) or "-",
        _number(row.referral_score, 2),
        _number(row.disagreement, 3),
        " ".join(entry.conditions) or "-",
        _number(row.number("central_subfield_um"), 0),
        " ".join(_plain(name) for name in entry.read_by) or "-",
        "-" if entry.reading is None else entry.reading.referral,
    )


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    lines = (
        "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)) for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _plain(text: str) -> str:
    """Text of a file without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
