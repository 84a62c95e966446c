"""Table of a diagnostic study: an image a row, with truth, a score for each class, and more.

Columns are ``file``, ``patient`` (where it is known), ``truth``, one a class with its score in 0..1
and any others, which part the images into subgroups. A truth names one class; where classes stand
each alone it may name several, parted by ";", or none. With one class it may be 1 or 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.scored_images import BoolMatrix, FloatMatrix, ScoreTable
from RetinaTriageLib.evaluation.table_file import TableFile, read_table, repeated

__all__ = ["NO", "YES", "ScoreColumns", "ScoreTable", "read_scores"]

SEPARATOR = ";"
SINGLE_SCORE = "score"  # the column of a table whose only class has no name
SUM_TOLERANCE = 0.01  # of scores that add up to 1, as they are printed
SPREAD = "_spread"  # columns of a cohort that hold no score
YES, NO = ("1", "yes", "true"), ("0", "no", "false")


@dataclass(frozen=True)
class ScoreColumns:
    """Names of the columns, and how classes are told.

    Attributes
    ----------
    classes : names of the classes; None finds the columns that the truths name, or `SINGLE_SCORE`
    prefix : what the columns of classes begin with, such as "referral_" in the table of a cohort
    several : whether a truth may name several classes or none
    """

    file: str = "file"
    patient: str = "patient"
    truth: str = "truth"
    classes: tuple[str, ...] | None = None
    prefix: str = ""
    several: bool = False


def read_scores(
    path: Path, columns: ScoreColumns | None = None, truths: Path | None = None
) -> ScoreTable:
    """Read a table of scores.

    Parameters
    ----------
    truths : table with the truth, and the patient where it is known, by the column of files;
        images that it does not name are left out, which is noted. None finds both in ``path``.

    Raises
    ------
    InputError
        If a column or cell is missing, a file comes twice, a class is unknown, or a score is no
        number in 0..1.
    """
    columns = columns or ScoreColumns()
    table = read_table(path)
    notes: list[str] = []
    if truths is not None:
        table = _joined(table, read_table(truths), columns, notes)
    table.require(columns.file, columns.truth)
    files = table.values(columns.file)
    lines = [number for number, file in enumerate(files, 2) if not file]
    table.refuse("rows without a file", lines, "name the image or case of each row.")
    table.refuse("files that come twice", repeated(files), "keep one row for each.")
    classes = columns.classes or _classes(table, columns, notes)
    table.require(*(columns.prefix + name for name in classes))
    truth, exclusive = _truth(table, columns, classes)
    scores = _scores(table, columns, classes)
    taken = {columns.file, columns.patient, columns.truth, *(columns.prefix + c for c in classes)}
    further = {
        name: table.values(name)
        for name in table.columns
        if name not in taken and not name.endswith(SPREAD)
    }
    return ScoreTable(
        path.name,
        files,
        _patients(table, columns),
        tuple(classes),
        truth,
        scores,
        exclusive,
        further,
        tuple(notes),
    )


def _joined(
    table: TableFile, truths: TableFile, columns: ScoreColumns, notes: list[str]
) -> TableFile:
    table.require(columns.file)
    truths.require(columns.file, columns.truth)
    truths.refuse(
        "files that come twice", repeated(truths.values(columns.file)), "keep one row for each."
    )
    of = {row[columns.file]: row for row in truths.rows}
    added = [name for name in truths.columns if name != columns.file]
    rows = tuple({**row, **of[row[columns.file]]} for row in table.rows if row[columns.file] in of)
    if not rows:
        msg = (
            f"Found no file of {table.name} in {truths.name}; expected the same names in the "
            f"column {columns.file}. Correct one of them, or name the column that holds them."
        )
        raise InputError(msg)
    if len(rows) < len(table.rows):
        notes.append(
            f"{len(table.rows) - len(rows)} of {len(table.rows)} rows are left out: "
            f"{truths.name} does not name them."
        )
    names = (*table.columns, *(name for name in added if name not in table.columns))
    return TableFile(table.name, names, rows)


def _classes(table: TableFile, columns: ScoreColumns, notes: list[str]) -> tuple[str, ...]:
    if columns.prefix:
        found = [
            name.removeprefix(columns.prefix)
            for name in table.columns
            if name.startswith(columns.prefix) and not name.endswith(SPREAD)
        ]
    else:
        named = {part for cell in table.values(columns.truth) for part in _parts(cell)}
        found = _with_absent(table, columns, named, notes)
        if not found and SINGLE_SCORE in table.columns:
            found = [SINGLE_SCORE]
    if not found:
        msg = (
            f"Found no column of scores in {table.name}, which has {', '.join(table.columns)}; "
            f"expected a column for each class, named as the column {columns.truth} names it. "
            "Rename the columns, or name the classes (--classes)."
        )
        raise InputError(msg)
    return tuple(found)


def _with_absent(
    table: TableFile, columns: ScoreColumns, named: set[str], notes: list[str]
) -> list[str]:
    """Columns that truths name, and those that complete their scores to 1 in every row.

    A class without an image is named by no truth, but takes part in decisions.
    """
    found = [name for name in table.columns if name in named]
    scores = {name: [_number(cell) for cell in table.values(name)] for name in table.columns}
    further = [
        name
        for name in table.columns
        if name not in {*found, columns.file, columns.patient, columns.truth}
        and all(0 <= score <= 1 for score in scores[name])
    ]
    if not found or not further:
        return found
    together = [name for name in table.columns if name in {*found, *further}]
    if np.allclose(np.sum([scores[name] for name in together], axis=0), 1, atol=SUM_TOLERANCE):
        notes.append(f"No image is of the class {', '.join(further)}, which has scores.")
        return together
    notes.append(
        f"Numbers of {', '.join(further)} lie in 0..1, but no truth names them: they are not taken "
        "for scores. If they are, name all classes (--classes)."
    )
    return found


def _truth(
    table: TableFile, columns: ScoreColumns, classes: Sequence[str]
) -> tuple[BoolMatrix, bool]:
    cells = table.values(columns.truth)
    parts = [_parts(cell) for cell in cells]
    if len(classes) == 1:
        answers = {**dict.fromkeys((classes[0].lower(), *YES), True), **dict.fromkeys(NO, False)}
        strange = sorted({cell for cell in cells if cell.lower() not in answers})
        if not (columns.several and set(strange) <= {""}):
            remedy = (
                f"expected {classes[0]}, 1 or 0, since only that class has scores. Correct them, "
                "or add columns of other classes."
            )
            table.refuse("other truths", (repr(cell) for cell in strange), remedy)
        return np.array([[answers.get(cell.lower(), False)] for cell in cells], np.bool_), False
    strange = sorted({part for of_image in parts for part in of_image} - set(classes))
    remedy = f"expected {', '.join(classes)}. Correct the truths, or add columns of their scores."
    table.refuse("truths that are no class", strange, remedy)
    several = columns.several or any(len(of_image) > 1 for of_image in parts)
    if not several:
        lines = [number for number, of_image in enumerate(parts, 2) if not of_image]
        remedy = "fill them in, or state that a truth may name several classes or none."
        table.refuse("rows without a truth", lines, remedy)
    return np.array([[c in of_image for c in classes] for of_image in parts], np.bool_), not several


def _scores(table: TableFile, columns: ScoreColumns, classes: Sequence[str]) -> FloatMatrix:
    scores = np.full((len(table.rows), len(classes)), np.nan)
    for at, name in enumerate(classes):
        cells = table.values(columns.prefix + name)
        scores[:, at] = [_number(cell) for cell in cells]
        outside = ~((scores[:, at] >= 0) & (scores[:, at] <= 1))
        table.refuse(
            f"scores of {name} that are no number in 0..1",
            (f"{cells[row]!r} in row {row + 1}" for row in np.flatnonzero(outside)),
            "expected probabilities. Correct them, or leave these images out.",
        )
    return scores


def _patients(table: TableFile, columns: ScoreColumns) -> tuple[str, ...] | None:
    if columns.patient not in table.columns:
        return None
    patients = table.values(columns.patient)
    if not any(patients):
        return None
    lines = [number for number, patient in enumerate(patients, 2) if not patient]
    table.refuse("rows without a patient", lines, "fill them in, or remove the column.")
    return patients


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(SEPARATOR) if part.strip())


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
