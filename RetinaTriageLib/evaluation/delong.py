"""Area under the ROC curve with DeLong's standard error, and the comparison of two areas.

The standard error rests on how well each case is told from all cases of the other kind; these
shares follow from mid-ranks in the time of a sort (Sun and Xu).

References
----------
DeLong, DeLong and Clarke-Pearson, Biometrics 44:837, 1988. Sun and Xu, IEEE Signal Processing
Letters 21:1389, 2014.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.proportions import CONFIDENCE, FloatVector, Interval

BoolVector = npt.NDArray[np.bool_]

NAN = float("nan")


@dataclass(frozen=True)
class DeLongAuc:
    """Area under the ROC curve; takes the cases as independent.

    Attributes
    ----------
    value : NaN where one kind of case is missing
    standard_error : NaN with fewer than two cases of a kind, and where all cases are told apart:
        DeLong's formula then gives 0, whatever the number of cases
    """

    value: float
    standard_error: float

    @property
    def interval(self) -> Interval:
        """Two-sided 95 % interval, area ± 1.96 standard errors, cut at 0 and 1."""
        half = _quantile() * self.standard_error
        return Interval(*_clipped(self.value - half, self.value + half, 0, 1))

    @property
    def logit_interval(self) -> Interval:
        """Two-sided 95 % interval on the scale of log odds, closer to 95 % near an area of 1."""
        if not (0 < self.value < 1 and math.isfinite(self.standard_error)):
            return Interval(NAN, NAN)
        center = math.log(self.value / (1 - self.value))
        half = _quantile() * self.standard_error / (self.value * (1 - self.value))
        return Interval(*(1 / (1 + math.exp(-end)) for end in (center - half, center + half)))


@dataclass(frozen=True)
class AucComparison:
    """Difference of two areas on the same cases, first minus second.

    Attributes
    ----------
    interval : two-sided, 95 %, of the difference
    p_value : two-sided, of the hypothesis that both areas are equal; NaN where the scores order
        the cases in the same way
    """

    first: DeLongAuc
    second: DeLongAuc
    standard_error: float
    interval: Interval
    p_value: float

    @property
    def difference(self) -> float:
        """Difference of the areas."""
        return self.first.value - self.second.value


def delong_auc(scores: npt.ArrayLike, truth: npt.ArrayLike) -> DeLongAuc:
    """Area under the ROC curve with its standard error.

    Parameters
    ----------
    scores : array (case,)
    truth : bool array (case,), whether the outcome is present

    Raises
    ------
    InputError
        If shapes differ, or a score is NaN.

    Examples
    --------
    >>> found = delong_auc([0.9, 0.4, 0.6, 0.1, 0.2], [True, True, False, False, False])
    >>> round(found.value, 3), round(found.standard_error, 3)
    (0.833, 0.236)
    """
    q, present = _checked(scores, truth)
    placements = _placements(q, present)
    return _auc(*placements)


def compare_aucs(
    first: npt.ArrayLike, second: npt.ArrayLike, truth: npt.ArrayLike
) -> AucComparison:
    """Compare the areas of two scores of the same cases.

    Parameters
    ----------
    first, second : arrays (case,)
    truth : bool array (case,), whether the outcome is present

    Raises
    ------
    InputError
        If shapes differ, or a score is NaN.
    """
    one, present = _checked(first, truth)
    other, _ = _checked(second, truth)
    of_one, of_other = _placements(one, present), _placements(other, present)
    variance = sum(
        float(np.var(a - b, ddof=1)) / len(a) if len(a) > 1 else NAN
        for a, b in zip(of_one, of_other, strict=True)
    )
    areas = _auc(*of_one), _auc(*of_other)
    error = math.sqrt(variance) if variance > 0 else NAN
    difference = areas[0].value - areas[1].value
    half = _quantile() * error
    interval = Interval(*_clipped(difference - half, difference + half, -1, 1))
    p_value = 2 * float(norm.sf(abs(difference) / error)) if math.isfinite(error) else NAN
    return AucComparison(*areas, error, interval, p_value)


def _placements(q: FloatVector, present: BoolVector) -> tuple[FloatVector, FloatVector]:
    """Share of the other kind that each case with and each without the outcome is told from."""
    positive, negative = q[present], q[~present]
    if not positive.size or not negative.size:
        return np.full(positive.size, NAN), np.full(negative.size, NAN)
    rank = rankdata(q)
    of_positive = (rank[present] - rankdata(positive)) / negative.size
    of_negative = 1 - (rank[~present] - rankdata(negative)) / positive.size
    return np.asarray(of_positive), np.asarray(of_negative)


def _auc(of_positive: FloatVector, of_negative: FloatVector) -> DeLongAuc:
    if not of_positive.size or not of_negative.size:
        return DeLongAuc(NAN, NAN)
    value = float(of_positive.mean())
    if min(of_positive.size, of_negative.size) < 2:
        return DeLongAuc(value, NAN)
    parts = (float(np.var(part, ddof=1)) / part.size for part in (of_positive, of_negative))
    variance = sum(parts)
    return DeLongAuc(value, math.sqrt(variance) if variance > 0 else NAN)


def _checked(scores: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[FloatVector, BoolVector]:
    q, present = np.asarray(scores, np.float64), np.asarray(truth, np.bool_)
    if q.ndim != 1 or q.shape != present.shape:
        msg = f"Expected scores and truth of shape (case,), got {q.shape} and {present.shape}."
        raise InputError(msg)
    if np.isnan(q).any():
        msg = "Found scores that are NaN; expected a number for each case. Leave such cases out."
        raise InputError(msg)
    return q, present


def _clipped(low: float, high: float, least: float, most: float) -> tuple[float, float]:
    return (NAN, NAN) if math.isnan(low) else (max(low, least), min(high, most))


def _quantile() -> float:
    return float(norm.ppf((1 + CONFIDENCE) / 2))
