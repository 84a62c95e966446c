"""One condition against a yes-or-no answer on single pictures, such as edema against DME.

The first figure is the AUC of the ensemble's raw score of the condition. The second, named before
anything is measured, is the AUC of the share of the retina that the consensus map calls fluid. The
interval is drawn by blocks of pictures that follow one another by number, since neighbors may be
two eyes of one patient.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.picture_scores import LabeledPicture, PictureScore
from RetinaTriageLib.evaluation.proportions import (
    Interval,
    Proportion,
    proportion,
    roc_auc,
    roc_auc_interval,
)
from RetinaTriageLib.outcomes import OutcomeHead

YES, NO = "1", "0"
BLOCK = 10


@dataclass(frozen=True)
class AnswerTable:
    """Which columns of a CSV table say what; ``answer`` holds 1 or 0."""

    path: Path
    file: str = "file"
    answer: str = "dme"
    order: str = "id"


@dataclass(frozen=True)
class AnsweredPicture:
    """One picture with its answer, and the number that tells its neighbors."""

    picture: LabeledPicture
    present: bool
    order: int


@dataclass(frozen=True)
class ConditionCheck:
    """How well one condition is told.

    Attributes
    ----------
    scores, fluid : float arrays (picture,); fluid is 0 where a map shows no retina
    truth : bool array (picture,)
    sensitivity, specificity : of the decisions at the operating point
    """

    condition: str
    names: tuple[str, ...]
    scores: npt.NDArray[np.float64]
    fluid: npt.NDArray[np.float64]
    truth: npt.NDArray[np.bool_]
    blocks: tuple[str, ...]
    sensitivity: Proportion
    specificity: Proportion

    @property
    def auc(self) -> float:
        """AUC of the raw score of the condition."""
        return roc_auc(self.scores, self.truth)

    @property
    def fluid_auc(self) -> float:
        """AUC of the fluid's share of the retina."""
        return roc_auc(self.fluid, self.truth)

    def interval(self, values: npt.NDArray[np.float64]) -> Interval:
        """95 % interval of the AUC of some values, drawn by blocks."""
        return roc_auc_interval(values, self.truth, self.blocks)


def answered_pictures(images: Path, table: AnswerTable) -> list[AnsweredPicture]:
    """Pictures of a table in the order of their numbers.

    Raises
    ------
    InputError
        If a column or picture is missing, an answer is neither 0 nor 1, or a number is none.
    """
    try:
        with table.path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        msg = f"{table.path} cannot be read ({error}); expected a CSV table of answers."
        raise InputError(msg) from error
    columns = (table.file, table.answer, table.order)
    if not rows or any(column not in rows[0] for column in columns):
        found = list(rows[0]) if rows else "no row"
        msg = f"{table.path.name}: found {found}; expected the columns {', '.join(columns)}."
        raise InputError(msg)
    return sorted((_answered(row, images, table) for row in rows), key=lambda one: one.order)


def blocks_of(orders: Sequence[int], size: int = BLOCK) -> tuple[str, ...]:
    """Name the block of each picture; pictures of one number stay together.

    Parameters
    ----------
    orders : numbers in rising order
    size : pictures that a block has at least, except the last

    Examples
    --------
    >>> blocks_of((1, 2, 2, 3, 9), 2)
    ('0', '0', '0', '1', '1')
    """
    if size < 1:
        msg = f"Found blocks of {size} pictures; expected at least 1."
        raise InputError(msg)
    blocks: list[int] = []
    block = held = 0
    for place, order in enumerate(orders):
        if held >= size and order != orders[place - 1]:
            block, held = block + 1, 0
        blocks.append(block)
        held += 1
    return tuple(str(number) for number in blocks)


def condition_check(
    pictures: Sequence[AnsweredPicture],
    scores: Sequence[PictureScore],
    head: OutcomeHead,
    condition: str,
    block: int = BLOCK,
) -> ConditionCheck:
    """Figures of one condition on pictures that the ensemble has scored.

    Parameters
    ----------
    scores : of the pictures, in the same order

    Raises
    ------
    InputError
        If the bundle does not answer for the condition.
    """
    if condition not in head.names:
        msg = f"Found no condition {condition!r} in the bundle; it has {', '.join(head.names)}."
        raise InputError(msg)
    index = head.names.index(condition)
    truth = np.array([one.present for one in pictures], np.bool_)
    decided = np.array([condition in s.verdict.decisions[head.name] for s in scores], np.bool_)
    return ConditionCheck(
        condition,
        tuple(score.name for score in scores),
        np.array([score.verdict.raw[head.name][index] for score in scores]),
        np.nan_to_num([score.fluid_share for score in scores]),
        truth,
        blocks_of([one.order for one in pictures], block),
        proportion(int((decided & truth).sum()), int(truth.sum())),
        proportion(int((~decided & ~truth).sum()), int((~truth).sum())),
    )


def _answered(row: dict[str, str], images: Path, table: AnswerTable) -> AnsweredPicture:
    path, answer, order = images / row[table.file], row[table.answer], row[table.order]
    if not path.is_file():
        msg = f"Found no {path.name} in {images}, though {table.path.name} names it."
        raise InputError(msg)
    if answer not in (YES, NO) or not order.isdigit():
        msg = (
            f"{path.name}: found {table.answer} {answer!r} and {table.order} {order!r}; expected "
            f"{YES} or {NO}, and a number."
        )
        raise InputError(msg)
    label = f"{table.answer} {'yes' if answer == YES else 'no'}"
    return AnsweredPicture(LabeledPicture(path, label), answer == YES, int(order))
