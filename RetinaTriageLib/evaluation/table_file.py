"""Rows of a CSV table that people made: read whole, or refused with what is wrong."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from RetinaTriageLib.errors import InputError

SHOWN = 5

Row = Mapping[str, str]


@dataclass(frozen=True)
class TableFile:
    """Columns and rows of a CSV; cells are text without outer blanks."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def require(self, *columns: str) -> None:
        """Refuse a table without these columns."""
        missing = [column for column in columns if column not in self.columns]
        if missing:
            msg = (
                f"Found no column {', '.join(missing)} in {self.name}, which has "
                f"{', '.join(self.columns)}; add it, or name the column that holds it."
            )
            raise InputError(msg)

    def refuse(self, what: str, rows: Iterable[object], remedy: str) -> None:
        """Refuse the table if there is any of these; they are shown by line or name."""
        found = [str(row) for row in rows]
        if found:
            more = ", ..." if len(found) > SHOWN else ""
            shown = ", ".join(found[:SHOWN]) + more
            msg = f"Found {len(found)} {what} in {self.name} ({shown}); {remedy}"
            raise InputError(msg)

    def values(self, column: str) -> tuple[str, ...]:
        """Cells of a column."""
        return tuple(row[column] for row in self.rows)


def read_table(path: Path) -> TableFile:
    """Read a CSV in UTF-8, parted by commas.

    Raises
    ------
    InputError
        If it cannot be read, is empty, names a column twice, or a row has too few or many cells.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} cannot be read as a CSV in UTF-8 ({error}); export it again."
        raise InputError(msg) from error
    numbered = [(number, cells) for number, cells in enumerate(lines, 1) if any(cells)]
    if len(numbered) < 2:
        msg = f"Found {len(numbered)} lines in {path.name}; expected column names and rows."
        raise InputError(msg)
    columns = tuple(name.strip() for name in numbered[0][1])
    _require_columns(path.name, columns)
    table = TableFile(
        path.name,
        columns,
        tuple(
            dict(zip(columns, (cell.strip() for cell in cells), strict=False))
            for _, cells in numbered[1:]
        ),
    )
    odd = [f"line {number}" for number, cells in numbered[1:] if len(cells) != len(columns)]
    table.refuse("lines of another number of cells", odd, "correct these lines.")
    return table


def repeated(names: Sequence[str]) -> list[str]:
    """Names that come more than once."""
    return [name for name, times in Counter(names).items() if times > 1]


def _require_columns(name: str, columns: Sequence[str]) -> None:
    if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        msg = f"Found {name} parted by semicolons or tabs; expected commas. Export it again."
        raise InputError(msg)
    twice = repeated(columns)
    if twice or "" in columns:
        found = ", ".join(twice) or "one without a name"
        msg = f"Found the columns {found} in {name}; expected each name once. Rename them."
        raise InputError(msg)
