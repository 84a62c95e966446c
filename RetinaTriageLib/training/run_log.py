"""Log of a training run: a CSV table that a resumed run continues."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BASE_COLUMNS = ("iteration", "minutes", "learning_rate", "loss", "seconds")


@dataclass(frozen=True)
class RunLog:
    """Table ``log.csv``; validation columns stay empty in rows without a validation."""

    path: Path
    validation_columns: tuple[str, ...]

    def start(self, iteration: int) -> None:
        """Begin the table, or drop the rows of iterations that a resumed run does again."""
        rows = []
        if self.path.exists():
            with self.path.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.DictReader(file) if int(row["iteration"]) <= iteration]
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns, extrasaction="ignore", restval="")
            writer.writeheader()
            writer.writerows(rows)

    def add(self, row: Mapping[str, float]) -> None:
        """Append a row; values are rounded to five digits."""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns, restval="")
            writer.writerow(
                {
                    name: f"{value:.5g}" if isinstance(value, float) else value
                    for name, value in row.items()
                }
            )

    def close(self) -> None:
        """Nothing is left open between rows."""

    @property
    def _columns(self) -> tuple[str, ...]:
        return BASE_COLUMNS + self.validation_columns
