"""Likelihood ratios of a test: how much a result changes the odds of the outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.kappa import NORMAL_QUANTILE

HALF = (
    0.5  # added to every cell where one is empty (Haldane, Annals of Human Genetics 20:309, 1956)
)


@dataclass(frozen=True)
class LikelihoodRatio:
    """Likelihood ratio with its two-sided 95 % interval.

    Attributes
    ----------
    value : as the counts give it: 0 and infinity are possible, NaN where both rates are 0 or a
        kind of case is missing
    low, high : NaN where a kind of case is missing
    corrected : whether the interval rests on counts to each of which 0.5 was added, since a cell
        that it needs is empty
    """

    value: float
    low: float
    high: float
    corrected: bool


@dataclass(frozen=True)
class AnswerCounts:
    """Cases by truth and by the answer of a test.

    Counts of an interval may be fewer than were seen where cases are alike, and not whole.
    """

    true_positive: float
    false_negative: float
    false_positive: float
    true_negative: float

    def __post_init__(self) -> None:
        """Refuse negative counts."""
        if min(self.cells) < 0:
            msg = f"Found counts {self.cells}; expected 0 or more of each."
            raise InputError(msg)

    @property
    def cells(self) -> tuple[float, float, float, float]:
        """True positive, false negative, false positive, true negative."""
        return (
            self.true_positive,
            self.false_negative,
            self.false_positive,
            self.true_negative,
        )


def positive_ratio(counts: AnswerCounts, effective: AnswerCounts | None = None) -> LikelihoodRatio:
    """Likelihood ratio of a positive answer, sensitivity / (1 - specificity).

    Parameters
    ----------
    effective : counts that the interval rests on, where images of one patient are alike

    References
    ----------
    Simel, Samsa and Matchar, Journal of Clinical Epidemiology 44:763, 1991 (log method).

    Examples
    --------
    >>> found = positive_ratio(AnswerCounts(670, 74, 202, 640))
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (3.75, 3.32, 4.24)
    """
    tp, fn, fp, tn = counts.cells
    return _ratio((tp, fn, fp, tn), (effective or counts).cells)


def negative_ratio(counts: AnswerCounts, effective: AnswerCounts | None = None) -> LikelihoodRatio:
    """Likelihood ratio of a negative answer, (1 - sensitivity) / specificity; see above."""
    tp, fn, fp, tn = counts.cells
    effective_tp, effective_fn, effective_fp, effective_tn = (effective or counts).cells
    return _ratio((fn, tp, tn, fp), (effective_fn, effective_tp, effective_tn, effective_fp))


def _ratio(
    cells: tuple[float, float, float, float], effective: tuple[float, float, float, float]
) -> LikelihoodRatio:
    """Share of the first cell of the first two, by the share of the third of the last two."""
    hit, missed, false, right = cells
    nan = float("nan")
    if not hit + missed or not false + right:
        return LikelihoodRatio(nan, nan, nan, corrected=False)
    rate, other = hit / (hit + missed), false / (false + right)
    undefined = math.inf if rate else nan
    value = rate / other if other else undefined
    a, b, c, d = effective
    corrected = a <= 0 or c <= 0
    if corrected:
        a, b, c, d = a + HALF, b + HALF, c + HALF, d + HALF
    error = math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    center = math.log(a / (a + b) / (c / (c + d)))
    half = NORMAL_QUANTILE * error
    return LikelihoodRatio(value, math.exp(center - half), math.exp(center + half), corrected)
