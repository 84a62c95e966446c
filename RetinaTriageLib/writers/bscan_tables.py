"""CSV tables of whole-image classifiers: scores along the volume, and the two verdicts.

Scores are probabilities, 0 to 1, as the columns' names say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from RetinaTriageLib.bscan_agreement import Comparison
from RetinaTriageLib.bscan_verdict import BscanVerdict, ImageTask, ScoreArray, answer
from RetinaTriageLib.writers.tables import Cell, write_table

VOLUME_ROW = "volume"
"""Stands for the number of the B-scan in the row of the pooled scores."""

COMPARISON_COLUMNS = (
    "question",
    "tissue_maps",
    "tissue_maps_probability",
    "bscan_classifier",
    "bscan_classifier_probability",
    "agree",
    "said",
)


def write_bscan_scores(verdict: BscanVerdict, path: Path) -> None:
    """Write one row a B-scan, counted from 1, and one of the volume."""
    columns = ("bscan", *score_columns(verdict.task), "weight")
    write_table(path, columns, bscan_rows(verdict))


def write_comparison(comparisons: Sequence[Comparison], path: Path) -> None:
    """Write one row a question that tissue maps and whole-image classifiers both answer."""
    write_table(path, COMPARISON_COLUMNS, comparison_rows(comparisons))


def write_picture_scores(
    task: ImageTask, scores: ScoreArray, files: Sequence[str] | None, path: Path
) -> None:
    """Write one row a picture, counted from 1 in the order of the file names.

    Parameters
    ----------
    scores : array (picture, class)
    files : names of the files; None where they are not kept
    """
    columns = ("picture", *(("file",) if files is not None else ()), *score_columns(task))
    rows = (
        (at + 1, *((files[at],) if files is not None else ()), *score_cells(task, row))
        for at, row in enumerate(scores)
    )
    write_table(path, columns, rows)


def score_columns(task: ImageTask) -> tuple[str, ...]:
    """Columns of `score_cells`."""
    return (*(f"probability_{name}" for name in task.names), "decided", "referral")


def score_cells(task: ImageTask, scores: ScoreArray) -> tuple[Cell, ...]:
    """Scores (class,) of one image, and what they decide for."""
    said = answer(task, scores)
    return (*map(float, scores), " ".join(said.classes), said.referral or "")


def bscan_rows(verdict: BscanVerdict) -> Iterable[tuple[Cell, ...]]:
    """Yield one row a B-scan, then that of the volume."""
    for at, scores in enumerate(verdict.bscans):
        weight: Cell = "" if verdict.weights is None else float(verdict.weights[at])
        yield at + 1, *score_cells(verdict.task, scores), weight
    said = verdict.answer
    pooled = map(float, verdict.scores)
    yield VOLUME_ROW, *pooled, " ".join(said.classes), said.referral or "", ""


def comparison_rows(comparisons: Sequence[Comparison]) -> Iterable[tuple[Cell, ...]]:
    """Yield one row a question, in `COMPARISON_COLUMNS`."""
    for each in comparisons:
        agree = "yes" if each.agree else "no"
        maps, own = (each.tissue_maps, each.tissue_maps_score), (each.bscans, each.bscans_score)
        yield each.question, *maps, *own, agree, each.sentence
