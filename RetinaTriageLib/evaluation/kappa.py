"""Cohen's kappa: agreement of two readers beyond chance, with its large-sample interval."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError

FloatMatrix = npt.NDArray[np.float64]

NORMAL_QUANTILE = NormalDist().inv_cdf(0.975)  # of two-sided 95 % intervals


class Weighting(StrEnum):
    """How much two different answers agree; the last two are for classes in an order."""

    NONE = "none"
    """Not at all."""

    LINEAR = "linear"
    """The less, the more classes lie between."""

    QUADRATIC = "quadratic"
    """The less, the larger the square of the classes between."""


@dataclass(frozen=True)
class Kappa:
    """Kappa with its two-sided 95 % interval.

    Attributes
    ----------
    value : 1 complete agreement, 0 that of chance; NaN where both readers always give one answer
    standard_error, low, high : NaN without a value, and where agreement is complete: the
        large-sample formula then gives an error of 0, whatever the number of cases
    """

    value: float
    standard_error: float
    low: float
    high: float


def cohen_kappa(confusion: npt.ArrayLike, weighting: Weighting = Weighting.NONE) -> Kappa:
    """Kappa of two readers, each of whom answered every case once.

    Parameters
    ----------
    confusion : int array (first reader, second reader), classes in their order

    Raises
    ------
    InputError
        If the matrix is not square, or holds negative counts.

    References
    ----------
    Cohen, Educational and Psychological Measurement 20:37, 1960; Psychological Bulletin 70:213,
    1968 (weighted). Interval: Fleiss, Cohen and Everitt, Psychological Bulletin 72:323, 1969.

    Examples
    --------
    >>> found = cohen_kappa([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    >>> round(found.value, 3), round(found.standard_error, 3)
    (0.676, 0.088)
    """
    counts = require_counts(confusion)
    cases, nan = counts.sum(), float("nan")
    nothing = Kappa(nan, nan, nan, nan)
    if not cases:
        return nothing
    share, weight = counts / cases, agreement_weights(len(counts), weighting)
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed, expected = float((weight * share).sum()), float(rows @ weight @ columns)
    if expected > 1 - 1e-12:
        return nothing
    value = (observed - expected) / (1 - expected)
    if observed > 1 - 1e-12:
        return Kappa(value, nan, nan, nan)
    chance = (weight @ columns)[:, np.newaxis] + rows @ weight  # (first, second)
    spread = share * (weight * (1 - expected) - chance * (1 - observed)) ** 2
    offset = observed * expected - 2 * expected + observed
    variance = max(float(spread.sum()) - offset**2, 0.0) / (cases * (1 - expected) ** 4)
    error = float(np.sqrt(variance))
    half = NORMAL_QUANTILE * error
    return Kappa(value, error, max(value - half, -1.0), min(value + half, 1.0))


def agreement_weights(classes: int, weighting: Weighting) -> FloatMatrix:
    """Agreement of two answers, 1 for the same to 0, float array (class, class)."""
    steps = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))) / max(classes - 1, 1)
    if weighting is Weighting.NONE:
        return np.eye(classes)
    return np.asarray(1 - steps if weighting is Weighting.LINEAR else 1 - steps**2)


def require_counts(confusion: npt.ArrayLike) -> FloatMatrix:
    """Square matrix of counts as float array, or an `InputError`."""
    counts = np.asarray(confusion, np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        msg = f"Expected a square matrix of counts, got {counts.shape}; give both the same classes."
        raise InputError(msg)
    if not (np.isfinite(counts).all() and (counts >= 0).all()):
        msg = (
            "Found counts that are negative or no numbers; expected cases of each pair of answers."
        )
        raise InputError(msg)
    return counts
