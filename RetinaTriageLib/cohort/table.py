"""The table of a cohort: one row a volume and eye, as CSV and as Parquet.

Which columns there are follows from the bundle alone. Equal rows give equal files, byte for byte:
the table knows no times and nothing of the machine that worked the cases.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from RetinaTriageLib.cohort.cohort_rows import COHORT_FILE, FAILURES_FILE
from RetinaTriageLib.measures.etdrs_grid import SECTORS
from RetinaTriageLib.outcomes import CONDITIONS
from RetinaTriageLib.result import Vocabulary
from RetinaTriageLib.writers.whole_files import whole_files

PARQUET_FILE = "cohort.parquet"
FAILURE_COLUMNS = ("file", "series", "reason", "what_to_do")

Cell = str | int | float | None
Row = Mapping[str, Cell]


class Kind(Enum):
    """What the cells of a column hold; all may be empty."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"


@dataclass(frozen=True)
class Column:
    """One column of the table."""

    name: str
    kind: Kind = Kind.NUMBER


EYE_COLUMNS = (
    Column("case_id", Kind.TEXT),
    Column("file", Kind.TEXT),
    Column("series", Kind.INTEGER),
    Column("patient_id", Kind.TEXT),
    Column("visit_date", Kind.TEXT),
    Column("age"),
    Column("sex", Kind.TEXT),
    Column("laterality", Kind.TEXT),
    Column("device", Kind.TEXT),
    Column("bscans", Kind.INTEGER),
)
SAID_COLUMNS = tuple(
    Column(name, Kind.TEXT)
    for name in (
        "thickness_boundaries",
        "operating_point",
        "calibration",
        "assumed",
        "notes",
        "bundle",
        "bundle_version",
        "bundle_sha256",
        "version",
    )
)


def outcome_prefix(head: str) -> str:
    """Start of the columns of a head's scores.

    Examples
    --------
    >>> outcome_prefix("referral"), outcome_prefix("conditions")
    ('referral_', 'condition_')
    """
    return "condition_" if head == CONDITIONS.name else f"{head}_"


def cohort_columns(vocabulary: Vocabulary, beside: tuple[Column, ...] = ()) -> tuple[Column, ...]:
    """Columns of the table that a bundle's cases give.

    A head has a column of its name with what was decided, one a score and one a standard deviation
    over the opinions; a tissue has its volume and the deviation over the hypotheses.

    Parameters
    ----------
    beside : columns of whole-image classifiers, see `bscan_columns`
    """
    columns = list(EYE_COLUMNS)
    for head in vocabulary.heads:
        columns.append(Column(head.name, Kind.TEXT))
        prefix = outcome_prefix(head.name)
        for name in head.names:
            columns += [Column(prefix + name), Column(f"{prefix}{name}_spread")]
    for tissue in vocabulary.tissues:
        columns += [Column(f"volume_{tissue.name}_nl"), Column(f"volume_{tissue.name}_spread_nl")]
    for sector in SECTORS:
        columns += [Column(f"etdrs_{sector}_um"), Column(f"etdrs_{sector}_spread_um")]
    columns += [Column("etdrs_total_mm3"), Column("central_subfield_um"), Column("disagreement")]
    return (*columns, *beside, *SAID_COLUMNS)


def write_tables(
    out_dir: Path, columns: Sequence[Column], rows: Iterable[Row], failures: Iterable[Row]
) -> None:
    """Write ``cohort.csv``, ``cohort.parquet`` and ``failures.csv``, sorted by file and series.

    Parquet is left out where pyarrow is not installed.

    Raises
    ------
    OutputError
        If a file cannot be written; those that were there before are unchanged.
    """
    in_order = sorted(rows, key=_place)
    names = [column.name for column in columns]
    tables = (out_dir / COHORT_FILE, out_dir / FAILURES_FILE)
    with whole_files(*tables) as (cohort, failed):
        _write_csv(cohort, names, in_order)
        _write_csv(failed, FAILURE_COLUMNS, sorted(failures, key=_place))
    if has_pyarrow():
        with whole_files(out_dir / PARQUET_FILE) as (parquet,):
            _write_parquet(parquet, columns, in_order)


def has_pyarrow() -> bool:
    """Tell whether Parquet files can be written here."""
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def cell_of(value: float | None) -> float | None:
    """Round the number of a cell: six digits, None where nothing was measured.

    Examples
    --------
    >>> cell_of(1 / 3), cell_of(float("nan"))
    (0.333333, None)
    """
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def _place(row: Row) -> tuple[str, int, str]:
    return str(row["file"]), int(row["series"] or 0), str(row.get("case_id", ""))


def _write_csv(path: Path, names: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(names)
        table.writerows([_text(row.get(name)) for name in names] for row in rows)


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _write_parquet(path: Path, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    import pyarrow
    from pyarrow import parquet

    types = {
        Kind.TEXT: pyarrow.string(),
        Kind.INTEGER: pyarrow.int64(),
        Kind.NUMBER: pyarrow.float64(),
    }
    schema = pyarrow.schema([(column.name, types[column.kind]) for column in columns])
    cells = {
        column.name: pyarrow.array([row.get(column.name) for row in rows], types[column.kind])
        for column in columns
    }
    parquet.write_table(pyarrow.table(cells, schema=schema), path, compression="zstd")
