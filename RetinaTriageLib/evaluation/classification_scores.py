"""Scores of the answers to one head: errors, AUC, confusion matrix, penalty, operating point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.calibration import reweight
from RetinaTriageLib.decision import decided_outcomes
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.proportions import (
    Interval,
    Proportion,
    proportion,
    roc_auc,
    roc_auc_interval,
)
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.penalties import default_penalty, require_penalty

ScoreArray = npt.NDArray[np.float64]
TruthArray = npt.NDArray[np.int8]
BoolArray = npt.NDArray[np.bool_]
CountMatrix = npt.NDArray[np.int64]

UNKNOWN = -1


@dataclass(frozen=True)
class OutcomeScores:
    """How well one outcome was told, on the cases where it is known.

    Attributes
    ----------
    auc : of the raw scores; NaN where all cases or none have the outcome
    auc_interval : 95 %, by patients; None where it was not asked for
    sensitivity, specificity : of the decisions at the operating point
    """

    name: str
    auc: float
    auc_interval: Interval | None
    sensitivity: Proportion
    specificity: Proportion


@dataclass(frozen=True)
class ExclusiveScores:
    """How well the one right class was decided for.

    Attributes
    ----------
    confusion : int array (actual, predicted)
    mean_penalty : mean penalty of a case, in the unit of the penalty matrix
    penalty_share : sum of penalties by the largest sum that answers to these cases can cost, 0 to 1
    """

    error: Proportion
    confusion: CountMatrix
    mean_penalty: float
    penalty_share: float


@dataclass(frozen=True)
class HeadScores:
    """Scores of one head; ``exclusive`` is None for heads whose outcomes stand each alone."""

    head: str
    outcomes: tuple[OutcomeScores, ...]
    exclusive: ExclusiveScores | None


@dataclass(frozen=True)
class HeadAnswers:
    """Answers to one head and the truth about it.

    Attributes
    ----------
    raw : float array (case, outcome), scores before re-weighting
    truth : int8 array (case, outcome), 1 present, 0 absent, `UNKNOWN`
    patients : of each case
    """

    head: OutcomeHead
    raw: ScoreArray
    truth: TruthArray
    patients: tuple[str, ...]


def head_scores(
    answers: HeadAnswers,
    factors: npt.ArrayLike,
    penalty: npt.ArrayLike | None = None,
    *,
    intervals: bool = False,
) -> HeadScores:
    """Scores of one head at an operating point.

    Parameters
    ----------
    factors : array (outcome,) or (case, outcome), re-weighting of that operating point
    penalty : array (actual, predicted); None for `default_penalty`, which exclusive heads have
    intervals : whether to draw intervals of the AUC, which takes a second for each outcome

    Raises
    ------
    InputError
        If shapes do not fit, or an exclusive head has a case of several classes.
    """
    head = answers.head
    _require_fit(answers)
    decided = decisions(answers.raw, head, factors)
    outcomes = tuple(
        _outcome_scores(answers, decided, index, intervals=intervals)
        for index in range(len(head.outcomes))
    )
    exclusive = None
    if head.exclusive:
        matrix = default_penalty(head) if penalty is None else require_penalty(penalty)
        exclusive = _exclusive_scores(answers, decided, matrix)
    return HeadScores(head.name, outcomes, exclusive)


def decisions(raw: ScoreArray, head: OutcomeHead, factors: npt.ArrayLike) -> BoolArray:
    """Outcomes decided for in every case: bool array (case, outcome)."""
    named = [decided_outcomes(scores, head) for scores in reweight(raw, head, factors)]
    shape = (len(named), len(head.outcomes))
    return np.array([np.isin(head.names, names) for names in named], np.bool_).reshape(shape)


def confusion_matrix(actual: npt.ArrayLike, predicted: npt.ArrayLike, classes: int) -> CountMatrix:
    """Cases by class: int array (actual, predicted).

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (np.asarray(actual, np.intp), np.asarray(predicted, np.intp)), 1)
    return counts


def _outcome_scores(
    answers: HeadAnswers, decided: BoolArray, index: int, *, intervals: bool
) -> OutcomeScores:
    known = answers.truth[:, index] != UNKNOWN
    present = answers.truth[known, index] == 1
    chosen, raw = decided[known, index], answers.raw[known, index]
    patients: Sequence[str] = [p for p, k in zip(answers.patients, known, strict=True) if k]
    return OutcomeScores(
        answers.head.names[index],
        roc_auc(raw, present),
        roc_auc_interval(raw, present, patients) if intervals else None,
        proportion(int((chosen & present).sum()), int(present.sum())),
        proportion(int((~chosen & ~present).sum()), int((~present).sum())),
    )


def _exclusive_scores(
    answers: HeadAnswers, decided: BoolArray, penalty: npt.NDArray[np.float64]
) -> ExclusiveScores:
    known = (answers.truth == 1).any(axis=1)
    actual = answers.truth[known].argmax(axis=1)
    predicted = decided[known].argmax(axis=1)
    costs, worst = penalty[actual, predicted], penalty[actual].max(axis=1)
    total = int(known.sum())
    return ExclusiveScores(
        proportion(int((actual != predicted).sum()), total),
        confusion_matrix(actual, predicted, len(answers.head.outcomes)),
        float(costs.mean()) if total else float("nan"),
        float(costs.sum() / worst.sum()) if worst.sum() > 0 else float("nan"),
    )


def _require_fit(answers: HeadAnswers) -> None:
    cases, outcomes = len(answers.patients), len(answers.head.outcomes)
    if answers.raw.shape != (cases, outcomes) or answers.truth.shape != (cases, outcomes):
        msg = (
            f"Found scores {answers.raw.shape} and truth {answers.truth.shape} of "
            f"{answers.head.name}; expected {(cases, outcomes)}, a row a case."
        )
        raise InputError(msg)
    if answers.head.exclusive and ((answers.truth == 1).sum(axis=1) > 1).any():
        msg = f"Found several true classes of {answers.head.name} in one case; expected one."
        raise InputError(msg)
