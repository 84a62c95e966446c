"""Rows of figures written as a CSV table; unknown cells are empty."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from RetinaTriageLib.writers.tables import Cell

Row = dict[str, Cell | None]


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Write rows with the same columns, named as in the first; no file without rows."""
    listed = list(rows)
    if listed:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(listed[0]))
            writer.writeheader()
            writer.writerows(listed)
