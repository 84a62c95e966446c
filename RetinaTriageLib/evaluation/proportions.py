"""Shares with exact intervals, and the area under the ROC curve with a bootstrap interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, rankdata

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.patient_draws import BOOTSTRAP_DRAWS, drawn_aucs

BoolVector = npt.NDArray[np.bool_]
FloatVector = npt.NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Proportion:
    """A share of cases with its exact two-sided 95 % interval; NaN where there are no cases."""

    count: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.total if self.total else float("nan")


@dataclass(frozen=True)
class Interval:
    """Lower and upper end of an interval."""

    low: float
    high: float


def proportion(count: int, total: int, confidence: float = CONFIDENCE) -> Proportion:
    """Share of ``count`` in ``total`` with the interval of Clopper and Pearson.

    Raises
    ------
    InputError
        If the count does not lie between 0 and the total.

    References
    ----------
    Clopper and Pearson, Biometrika 26:404, 1934.

    Examples
    --------
    >>> error = proportion(55, 997)  # the referral errors of De Fauw et al. 2018
    >>> round(error.low, 3), round(error.high, 3)
    (0.042, 0.071)
    """
    if not 0 <= count <= total:
        msg = f"Found {count} of {total} cases; expected 0 to {total}."
        raise InputError(msg)
    if total == 0:
        return Proportion(0, 0, float("nan"), float("nan"))
    interval = exact_interval(count, total, confidence)
    return Proportion(count, total, interval.low, interval.high)


def exact_interval(count: float, total: float, confidence: float = CONFIDENCE) -> Interval:
    """Give the interval of Clopper and Pearson; counts need not be whole (Korn and Graubard).

    References
    ----------
    Korn and Graubard, Survey Methodology 24:193, 1998: counts divided by a design effect.
    """
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, count, total - count + 1)) if count > 0 else 0.0
    high = float(beta.ppf(1 - tail, count + 1, total - count)) if count < total else 1.0
    return Interval(low, high)


def roc_auc(scores: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Area under the ROC curve; NaN where one of the two answers never occurs.

    It is the share of pairs of a case with and a case without the outcome that the scores put in
    the right order, ties counting half (Mann-Whitney).

    Parameters
    ----------
    scores : array (case,)
    truth : bool array (case,), whether the outcome is present
    """
    q, present = np.asarray(scores, np.float64), np.asarray(truth, np.bool_)
    positives, negatives = int(present.sum()), int((~present).sum())
    if not positives or not negatives:
        return float("nan")
    above = rankdata(q)[present].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def roc_auc_interval(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    groups: Sequence[str],
    *,
    seed: int = 0,
    draws: int = BOOTSTRAP_DRAWS,
) -> Interval:
    """95 % percentile interval of the AUC, drawn by groups such as patients; NaN where undefined.

    Eyes and scans of one patient are alike, so whole patients are drawn, never single scans. Draws
    without one of the two answers are left out. Where all cases are told apart, every draw gives
    the same area, whatever the number of patients: that is no interval either.

    Parameters
    ----------
    scores, truth : arrays (case,), as for `roc_auc`
    groups : patient of each case
    """
    interval = percentile_interval(drawn_aucs(scores, truth, groups, seed=seed, draws=draws))
    nan = float("nan")
    return Interval(nan, nan) if interval.low == interval.high else interval


def percentile_interval(values: FloatVector, confidence: float = CONFIDENCE) -> Interval:
    """Percentile interval of drawn values; NaN where none is known."""
    known = values[np.isfinite(values)]
    if not known.size:
        return Interval(float("nan"), float("nan"))
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(known, (tail, 100 - tail))
    return Interval(float(low), float(high))


def roc_curve(scores: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[FloatVector, FloatVector]:
    """Give false and true positive rate at every threshold, from (0, 0) to (1, 1).

    Raises
    ------
    InputError
        If one of the two answers never occurs.
    """
    q, present = np.asarray(scores, np.float64), np.asarray(truth, np.bool_)
    if present.all() or not present.any():
        msg = "Found one kind of case only; a ROC curve needs cases with and without the outcome."
        raise InputError(msg)
    order = np.argsort(-q, kind="stable")
    last_of_tie = np.append(np.diff(q[order]) != 0, True)
    true = np.cumsum(present[order])[last_of_tie] / present.sum()
    false = np.cumsum(~present[order])[last_of_tie] / (~present).sum()
    return np.concatenate(([0.0], false)), np.concatenate(([0.0], true))
