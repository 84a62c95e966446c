"""Human readers beside the ROC curve of a model: where they lie, and what the model does there.

READERS.csv names points (``reader``, ``sensitivity``, ``specificity``, and ``class`` where several
are told), or answers (``file``, ``reader``, ``answer``), whose rates then come from the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.agreement import Agreement, agreement
from RetinaTriageLib.evaluation.binary_figures import BinaryFigures, binary_figures
from RetinaTriageLib.evaluation.curve_points import sensitivity_at, sensitivity_interval
from RetinaTriageLib.evaluation.diagnostic import StudyOptions, study_penalty
from RetinaTriageLib.evaluation.proportions import Interval
from RetinaTriageLib.evaluation.score_table import NO, YES
from RetinaTriageLib.evaluation.scored_images import ScoreTable
from RetinaTriageLib.evaluation.table_file import Row, TableFile, read_table, repeated

CURVE_TOLERANCE = 1e-6


class Position(StrEnum):
    """Where a reader lies."""

    ABOVE = "above the curve"
    BELOW = "below the curve"
    ON = "on the curve"


@dataclass(frozen=True)
class ReaderPoint:
    """One reader on one class.

    Attributes
    ----------
    test : figures of the reader's answers; None where only the point is known
    images : bool tuple, whether the reader answered each image; empty where only the point is known
    """

    reader: str
    name: str
    sensitivity: float
    specificity: float
    test: BinaryFigures | None = None
    images: tuple[bool, ...] = ()


@dataclass(frozen=True)
class ReaderComparison:
    """A reader and the model at the reader's specificity, on the images that the reader answered.

    Attributes
    ----------
    model_sensitivity, interval : of the model's curve there, with the interval by patients
    outside : whether the reader's sensitivity lies outside of that interval
    """

    point: ReaderPoint
    model_sensitivity: float
    interval: Interval
    position: Position
    outside: bool


@dataclass(frozen=True)
class ReaderAgreement:
    """Answers of one reader to exclusive classes.

    Attributes
    ----------
    truth : the truth in rows, the reader in columns; its penalty is the reader's weighted error
    """

    reader: str
    truth: Agreement


@dataclass(frozen=True)
class Readers:
    """Points of readers, and the agreement of those with answers to exclusive classes."""

    points: tuple[ReaderPoint, ...]
    agreements: tuple[ReaderAgreement, ...] = ()


def read_readers(
    path: Path, table: ScoreTable, classes: Sequence[str], options: StudyOptions
) -> Readers:
    """Read points or answers of readers.

    Parameters
    ----------
    table : images that answers belong to
    classes : that are told from the rest

    Raises
    ------
    InputError
        If the table holds neither, or a rate, class or file of it is unknown.
    """
    rows = read_table(path)
    if "answer" in rows.columns:
        return _answers(rows, table, classes, options)
    rows.require("reader", "sensitivity", "specificity")
    if "class" not in rows.columns and len(classes) > 1:
        msg = (
            f"Found readers without a column class in {rows.name}; expected one of "
            f"{', '.join(classes)} for each point. Add the column, or name the positive class."
        )
        raise InputError(msg)
    named = [row.get("class", classes[0]) for row in rows.rows]
    rows.refuse("unknown classes", sorted(set(named) - set(table.classes)), "correct them.")
    points = [
        ReaderPoint(
            row["reader"],
            name,
            _rate(rows, row, "sensitivity"),
            _rate(rows, row, "specificity"),
        )
        for row, name in zip(rows.rows, named, strict=True)
    ]
    return Readers(tuple(point for point in points if point.name in classes))


def compare_readers(
    readers: Readers, table: ScoreTable, options: StudyOptions
) -> tuple[ReaderComparison, ...]:
    """Compare each reader's point with the curve of the model.

    Points on classes that have images of one kind only are left out.
    """
    found = []
    for point in readers.points:
        part = table.chosen(np.array(point.images)) if point.images else table
        at = table.classes.index(point.name)
        scores, truth = part.scores[:, at], part.truth[:, at]
        if truth.all() or not truth.any():
            continue
        there = sensitivity_at(scores, truth, point.specificity)
        interval = sensitivity_interval(
            scores, truth, point.specificity, part.groups, seed=options.seed, draws=options.draws
        )
        gap = point.sensitivity - there
        position = Position.ABOVE if gap > 0 else Position.BELOW
        if abs(gap) < CURVE_TOLERANCE:
            position = Position.ON
        outside = not interval.low <= point.sensitivity <= interval.high
        found.append(ReaderComparison(point, there, interval, position, outside))
    return tuple(found)


def _rate(rows: TableFile, row: Row, column: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        remedy = "expected a share in 0..1, not percent."
        rows.refuse(f"{column} of readers", [f"{row['reader']}: {row[column]!r}"], remedy)
    return value


def _answers(
    rows: TableFile, table: ScoreTable, classes: Sequence[str], options: StudyOptions
) -> Readers:
    rows.require("file", "reader", "answer")
    rows.refuse("unknown files", sorted(set(rows.values("file")) - set(table.files)), "correct it.")
    pairs = [f"{row['reader']}: {row['file']}" for row in rows.rows]
    rows.refuse("images that a reader answered twice", repeated(pairs), "keep one answer.")
    single = len(table.classes) == 1
    known = {*table.classes, *YES, *NO} if single else set(table.classes)
    remedy = f"expected {', '.join(sorted(known))}."
    rows.refuse("other answers", sorted(set(rows.values("answer")) - known), remedy)
    points, agreements = [], []
    for reader in dict.fromkeys(rows.values("reader")):
        said = {row["file"]: row["answer"] for row in rows.rows if row["reader"] == reader}
        inside = np.array([file in said for file in table.files])
        part = table.chosen(inside)
        words = [said[file] for file in part.files]
        for name in classes:
            yes = {name, *YES} if single else {name}
            chosen = np.array([word in yes for word in words])
            test = binary_figures(chosen, part.truth[:, table.classes.index(name)], part.groups)
            rates = test.sensitivity.value, test.specificity.value
            points.append(ReaderPoint(reader, name, *rates, test, tuple(inside.tolist())))
        if table.exclusive:
            truth = [table.classes[at] for at in part.actual]
            penalty = study_penalty(table.classes, options.penalty)
            agreements.append(
                ReaderAgreement(reader, agreement(truth, words, table.classes, penalty))
            )
    return Readers(tuple(points), tuple(agreements))
