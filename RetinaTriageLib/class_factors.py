"""Class factors: re-weighting of an exclusive head that lowers its penalty.

Raw scores q become p_c = s_c q_c / sum(s q), and the class of the highest p is decided
(US 11,954,902 B2).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import TooFewCasesError
from RetinaTriageLib.penalties import (
    FloatMatrix,
    FloatVector,
    mean_penalty,
    normalized_penalty,
    require_penalty,
)

SMALLEST_SCORE = 1e-9
"""Scores below count as this in a fit, which needs their logarithm."""

RIDGE = 1e-6
"""Pull of log factors to 0; decides where the cases leave a factor open, moves no other."""

FIT_SHARES = np.linspace(1.0, 0.0, 101)
"""How far `fit_class_factors` goes from no re-weighting to the cross-entropy minimum."""


def reweight_classes(scores: npt.ArrayLike, factors: npt.ArrayLike) -> FloatMatrix:
    """Re-weighted scores s_c q_c / sum(s q), which add up to 1.

    Parameters
    ----------
    scores : array (..., class), raw scores in 0..1
    factors : array (class,), s >= 0; only their ratios matter

    Examples
    --------
    >>> reweight_classes([0.5, 0.3, 0.2], [1, 2, 2]).round(3).tolist()
    [0.333, 0.4, 0.267]
    """
    weighted = np.asarray(scores, np.float64) * np.asarray(factors, np.float64)
    return np.asarray(weighted / weighted.sum(axis=-1, keepdims=True))


def fit_class_factors(
    scores: npt.ArrayLike, actual: npt.ArrayLike, penalty: npt.ArrayLike
) -> FloatVector:
    """Class factors s (class,), geometric mean 1, that lower the penalty of deciding for argmax p.

    Minimizes the penalty-weighted cross-entropy -mean_i sum_c penalty[y_i, c] log(1 - p_ic) of
    p = softmax(log q + b), s = exp(b): each wrong class weighs what answering it costs. For scores
    that say nothing its minimum is p_c = 1 - (C - 1) k_c / sum(k), k_c the penalty of always
    answering c, so that the largest p is the cheapest answer. Scores that are no calibrated
    probabilities can carry b too far: of the factors exp(t b), 0 <= t <= 1, those with the least
    mean penalty on these cases are returned, the largest t of equal ones.

    Parameters
    ----------
    scores : array (case, class), raw scores in 0..1
    actual : int array (case,), class indices
    penalty : array (actual, predicted)

    Raises
    ------
    InputError
        If shapes do not fit or the matrix is none.
    TooFewCasesError
        If a class has no case.

    References
    ----------
    US 11,954,902 B2, calibration by a penalty matrix; the form of the loss is ours.
    """
    # Imported late: deciding with known factors needs no SciPy.
    from scipy.optimize import minimize
    from scipy.special import logsumexp, softmax

    q, truth, cost = _checked(scores, actual, penalty)
    classes = q.shape[1]
    log_q = np.log(np.maximum(q, SMALLEST_SCORE))
    weights = normalized_penalty(cost)[truth]  # (case, class)

    def loss(b: FloatVector) -> tuple[float, FloatVector]:
        z = log_q + b
        # -log(1 - p_c) = log sum_all exp z - log sum_(all but c) exp z, which cannot overflow.
        others = np.where(np.eye(classes, dtype=np.bool_), -np.inf, z[:, np.newaxis])
        surprise = logsumexp(z, axis=1, keepdims=True) - logsumexp(others, axis=2)
        slope = softmax(z, axis=1)[:, np.newaxis] - softmax(others, axis=2)  # (case, c, class)
        value = np.sum(weights * surprise) / len(z) + RIDGE * float(b @ b)
        gradient = np.einsum("ic,icj->j", weights, slope) / len(z) + 2 * RIDGE * b
        return float(value), gradient

    fitted = minimize(loss, np.zeros(classes), jac=True, method="L-BFGS-B").x
    log_factors = fitted - fitted.mean()
    penalties = [
        mean_penalty(np.argmax(log_q + share * log_factors, axis=1), truth, cost)
        for share in FIT_SHARES
    ]
    return np.asarray(np.exp(FIT_SHARES[int(np.argmin(penalties))] * log_factors))


def _checked(
    scores: npt.ArrayLike, actual: npt.ArrayLike, penalty: npt.ArrayLike
) -> tuple[FloatMatrix, npt.NDArray[np.intp], FloatMatrix]:
    q, truth = np.asarray(scores, np.float64), np.asarray(actual, np.intp)
    cost = require_penalty(penalty)
    if q.ndim != 2 or truth.shape != q.shape[:1] or cost.shape[0] != q.shape[1]:
        msg = (
            "Expected scores (case, class), truth (case,) and a penalty (class, class), got "
            f"{q.shape}, {truth.shape} and {cost.shape}."
        )
        raise InputError(msg)
    if truth.min(initial=0) < 0 or truth.max(initial=0) >= q.shape[1]:
        msg = f"Found class {truth.min()} to {truth.max()}; expected 0 to {q.shape[1] - 1}."
        raise InputError(msg)
    missing = sorted(set(range(q.shape[1])) - set(truth.tolist()))
    if missing:
        msg = (
            f"Found no case of class {missing} among {truth.size}; expected cases of every class. "
            "Add cases, or leave this head uncalibrated."
        )
        raise TooFewCasesError(msg)
    return q, truth, cost
