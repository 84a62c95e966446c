"""Agreement as a table: one row a pair and question, numbers with their intervals."""

from __future__ import annotations

from pathlib import Path

from RetinaTriageLib.cohort.reader_agreement import Comparison, ReaderAgreement
from RetinaTriageLib.evaluation.kappa import Kappa
from RetinaTriageLib.writers.report_file import whole_file
from RetinaTriageLib.writers.tables import Cell, write_table

AGREEMENT_FILE, CONFUSION_FILE = "agreement.csv", "agreement_confusion.csv"
COLUMNS = (
    "first",
    "second",
    "question",
    "cases",
    "agreed",
    "agreed_low",
    "agreed_high",
    "kappa",
    "kappa_low",
    "kappa_high",
    "linear_kappa",
    "linear_kappa_low",
    "linear_kappa_high",
    "quadratic_kappa",
    "quadratic_kappa_low",
    "quadratic_kappa_high",
    "penalty_if_first_is_right",
    "penalty_if_second_is_right",
)
CONFUSION_COLUMNS = ("first", "second", "question", "first_says", "second_says", "cases")


def write_agreement_tables(found: ReaderAgreement, out_dir: Path) -> tuple[Path, Path]:
    """Write ``agreement.csv`` and ``agreement_confusion.csv``; returns their paths.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    table, confusion = out_dir / AGREEMENT_FILE, out_dir / CONFUSION_FILE
    _write(table, COLUMNS, [agreement_row(one) for one in found.comparisons])
    cells = [row for one in found.comparisons for row in _confusion_rows(one)]
    _write(confusion, CONFUSION_COLUMNS, cells)
    return table, confusion


def agreement_row(one: Comparison) -> tuple[Cell, ...]:
    """Row of a comparison, in `COLUMNS`; NaN where there is no value."""
    found, observed = one.found, one.found.observed
    return (
        one.first,
        one.second,
        one.question,
        observed.total,
        observed.value,
        observed.low,
        observed.high,
        *_interval(found.kappa),
        *_interval(found.linear),
        *_interval(found.quadratic),
        found.penalty.mean_penalty,
        one.reverse_penalty,
    )


def _interval(kappa: Kappa) -> tuple[float, float, float]:
    return kappa.value, kappa.low, kappa.high


def _confusion_rows(one: Comparison) -> list[tuple[Cell, ...]]:
    classes = one.found.classes
    return [
        (one.first, one.second, one.question, says, other, int(one.found.confusion[row, column]))
        for row, says in enumerate(classes)
        for column, other in enumerate(classes)
    ]


def _write(path: Path, columns: tuple[str, ...], rows: list[tuple[Cell, ...]]) -> None:
    with whole_file(path) as unfinished:
        write_table(unfinished, columns, rows)
