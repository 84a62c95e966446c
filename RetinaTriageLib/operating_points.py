"""Binary re-weighting: where a score turns into a decision, chosen for an operating point.

A raw score q becomes p = a q / (a q + (1 - a)(1 - q)) (US 11,954,902 B2). With a = 1 - q*, p is
0.5 exactly where q is the raw threshold q*, and p >= 0.5 decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError

FloatVector = npt.NDArray[np.float64]
BoolVector = npt.NDArray[np.bool_]

DECISION_LEVEL = 0.5
"""Re-weighted score from which an outcome is decided for."""

NEUTRAL_WEIGHT = 0.5
"""The weight a that leaves every score as it is."""

TARGET_RATE = 0.95
"""Sensitivity (or specificity) that the two one-sided operating points must reach by default."""


class TooFewCasesError(InputError):
    """The cases are sound but cannot settle a factor; more or other cases may."""


class OperatingPoint(Enum):
    """Which mistakes matter more.

    HIGH_SENSITIVITY loses the least specificity for a required sensitivity, BALANCED has the
    largest (sensitivity + specificity) / 2, HIGH_SPECIFICITY loses the least sensitivity for a
    required specificity.
    """

    HIGH_SENSITIVITY = "high-sensitivity"
    BALANCED = "balanced"
    HIGH_SPECIFICITY = "high-specificity"


@dataclass(frozen=True)
class OperatingCurve:
    """Sensitivity and specificity at each useful threshold, all arrays (threshold,), ascending."""

    thresholds: FloatVector
    sensitivity: FloatVector
    specificity: FloatVector


def reweight_binary(score: npt.ArrayLike, weight: npt.ArrayLike) -> FloatVector:
    """Re-weighted score a q / (a q + (1 - a)(1 - q)), element by element.

    Parameters
    ----------
    score : array, raw scores q in 0..1
    weight : array that broadcasts against ``score``, weights a strictly between 0 and 1

    Examples
    --------
    >>> round(float(reweight_binary(0.3, 0.8)), 4)
    0.6316
    """
    q, a = np.asarray(score, np.float64), np.asarray(weight, np.float64)
    present = a * q
    return np.asarray(present / (present + (1 - a) * (1 - q)))


def operating_curve(scores: npt.ArrayLike, truth: npt.ArrayLike) -> OperatingCurve:
    """Sensitivity and specificity of the rule "score >= threshold".

    Thresholds lie midway between neighboring scores, between 0 and the lowest one, and between the
    highest one and 1, so that none depends on how often a score occurs.

    Parameters
    ----------
    scores : array (case,), raw scores in 0..1
    truth : bool array (case,), whether the outcome is present

    Raises
    ------
    InputError
        If shapes differ or a score lies outside 0..1.
    TooFewCasesError
        If only one kind of case is there.
    """
    q, present = _checked(scores, truth)
    marks = np.unique(np.concatenate(([0.0], q, [1.0])))
    thresholds = (marks[:-1] + marks[1:]) / 2
    # Counts of scores at or above a threshold, from the two sorted groups of cases.
    positive, negative = np.sort(q[present]), np.sort(q[~present])
    found = positive.size - np.searchsorted(positive, thresholds)
    sensitivity = found / positive.size
    specificity = np.searchsorted(negative, thresholds) / negative.size
    return OperatingCurve(thresholds, sensitivity, specificity)


def best_threshold(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    point: OperatingPoint = OperatingPoint.BALANCED,
    target: float = TARGET_RATE,
) -> float:
    """Raw threshold q* of an operating point; ties go to the higher sensitivity.

    Parameters
    ----------
    scores : array (case,), raw scores in 0..1
    truth : bool array (case,), whether the outcome is present
    target : required sensitivity of HIGH_SENSITIVITY, required specificity of HIGH_SPECIFICITY

    Raises
    ------
    TooFewCasesError
        If the target cannot be reached, or no threshold beats chance; see also `operating_curve`.
    """
    curve = operating_curve(scores, truth)
    # Rounded, or the last bit would decide ties.
    balance = np.round((curve.sensitivity + curve.specificity) / 2, 12)
    if balance.max() <= 0.5:
        msg = (
            "Found scores that separate the cases no better than chance; expected a threshold with "
            "(sensitivity + specificity) / 2 above 0.5. Check labels and scores."
        )
        raise TooFewCasesError(msg)
    if point is OperatingPoint.BALANCED:
        return float(curve.thresholds[np.argmax(balance)])
    if point is OperatingPoint.HIGH_SENSITIVITY:
        allowed, rate = np.flatnonzero(curve.sensitivity >= target), curve.sensitivity
    else:
        allowed, rate = np.flatnonzero(curve.specificity >= target), curve.specificity
    if allowed.size == 0:
        msg = (
            f"Found at most {rate.max():.3f} of the required {target:.3f} for {point.value}; lower "
            "the target or add cases."
        )
        raise TooFewCasesError(msg)
    # Sensitivity falls and specificity grows with the threshold.
    index = allowed[-1] if point is OperatingPoint.HIGH_SENSITIVITY else allowed[0]
    return float(curve.thresholds[index])


def fit_binary_weight(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    point: OperatingPoint = OperatingPoint.BALANCED,
    target: float = TARGET_RATE,
) -> float:
    """Weight a = 1 - q* that puts the operating point at p = 0.5; arguments of `best_threshold`."""
    return 1 - best_threshold(scores, truth, point, target)


def _checked(scores: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[FloatVector, BoolVector]:
    q, present = np.asarray(scores, np.float64), np.asarray(truth, np.bool_)
    if q.ndim != 1 or q.shape != present.shape:
        msg = f"Expected scores and truth of shape (case,), got {q.shape} and {present.shape}."
        raise InputError(msg)
    if not np.all((q >= 0) & (q <= 1)):
        msg = "Found scores outside 0..1 or NaN; expected raw probabilities of one outcome."
        raise InputError(msg)
    if present.all() or not present.any():
        msg = (
            f"Found {np.count_nonzero(present)} of {present.size} cases with the outcome; expected "
            "cases with and without it. Add cases of the missing kind."
        )
        raise TooFewCasesError(msg)
    return q, present
