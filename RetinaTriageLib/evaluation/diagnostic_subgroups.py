"""Figures of a diagnostic study in subgroups: by sex, device, quarter of age and the like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.binary_figures import BinaryFigures, binary_figures
from RetinaTriageLib.evaluation.delong import DeLongAuc, delong_auc
from RetinaTriageLib.evaluation.diagnostic import StudyOptions
from RetinaTriageLib.evaluation.patient_shares import BoolVector
from RetinaTriageLib.evaluation.proportions import FloatVector, Interval, roc_auc_interval
from RetinaTriageLib.evaluation.scored_images import BoolMatrix, ScoreTable

MOST_VALUES = 12
PARTS = 4  # quarters of the images by a number such as age
UNKNOWN = "unknown"


@dataclass(frozen=True)
class SubgroupFigures:
    """How well one class is told from the rest in one subgroup.

    Attributes
    ----------
    patients : None where patients are unknown
    auc : with DeLong's interval
    auc_by_patient : interval of the area, by a bootstrap of patients
    """

    column: str
    value: str
    name: str
    images: int
    patients: int | None
    present: int
    auc: DeLongAuc
    auc_by_patient: Interval
    decided: BinaryFigures


def subgroup_figures(
    table: ScoreTable,
    columns: Sequence[str],
    classes: Sequence[str],
    decided: BoolMatrix,
    options: StudyOptions,
) -> tuple[SubgroupFigures, ...]:
    """Figures of every class in every subgroup.

    Parameters
    ----------
    columns : of the table; numbers of many values are parted into quarters of the images
    decided : bool array (image, class)

    Raises
    ------
    InputError
        If a column is missing, or holds too many values that are no numbers.
    """
    found = []
    for column in columns:
        for value, inside in subgroups(table, column):
            part = table.chosen(inside)
            for name in classes:
                found.append(_figures(part, (column, value, name), decided[inside], options))
    return tuple(found)


def subgroups(table: ScoreTable, column: str) -> Iterator[tuple[str, BoolVector]]:
    """Yield each subgroup of a column and which images it holds, bool array (image,).

    Raises
    ------
    InputError
        If the column is missing, or holds too many values that are no numbers.
    """
    if column not in table.columns:
        further = ", ".join(table.columns) or "no further column"
        msg = f"Found no column {column!r} for subgroups; {table.source} has {further}."
        raise InputError(msg)
    cells = np.array([cell or UNKNOWN for cell in table.columns[column]], np.str_)
    known = cells != UNKNOWN
    values, numbers = np.unique(cells[known]), _numbers(cells[known])
    if len(values) <= MOST_VALUES:
        if numbers is not None:
            values = values[np.argsort(values.astype(np.float64))]
        for value in values:
            yield str(value), cells == value
    elif numbers is not None:
        filled = np.full(cells.shape, np.nan)
        filled[known] = numbers
        yield from _quarters(filled)
    else:
        msg = (
            f"Found {len(values)} values in the column {column!r}; expected at most {MOST_VALUES}, "
            "or numbers, which are parted into quarters. Group the values first."
        )
        raise InputError(msg)
    if not known.all():
        yield UNKNOWN, ~known


def _quarters(numbers: FloatVector) -> Iterator[tuple[str, BoolVector]]:
    """Parts of about as many images each; NaN belongs to none."""
    edges = np.unique(np.quantile(numbers[np.isfinite(numbers)], np.linspace(0, 1, PARTS + 1)))
    for low, high in pairwise(edges):
        if high == edges[-1]:
            yield f"{low:g} to {high:g}", (numbers >= low) & (numbers <= high)
        else:
            yield f"{low:g} to below {high:g}", (numbers >= low) & (numbers < high)


def _figures(
    part: ScoreTable, place: tuple[str, str, str], decided: BoolMatrix, options: StudyOptions
) -> SubgroupFigures:
    column, value, name = place
    at = part.classes.index(name)
    scores, truth = part.scores[:, at], part.truth[:, at]
    return SubgroupFigures(
        column,
        value,
        name,
        truth.size,
        None if part.patients is None else len(set(part.patients)),
        int(truth.sum()),
        delong_auc(scores, truth),
        roc_auc_interval(scores, truth, part.groups, seed=options.seed, draws=options.draws),
        binary_figures(decided[:, at], truth, part.groups),
    )


def _numbers(cells: npt.NDArray[np.str_]) -> npt.NDArray[np.float64] | None:
    try:
        numbers = cells.astype(np.float64)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None
