"""Penalty matrices, and class factors that lower the penalty of an exclusive head.

Rows are actual classes, columns predicted ones, the diagonal is zero. Raw scores q become
p_c = s_c q_c / sum(s q), and the class of the highest p is decided (US 11,954,902 B2).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint, TooFewCasesError
from RetinaTriageLib.outcomes import REFERRAL, OutcomeHead

FloatVector = npt.NDArray[np.float64]
FloatMatrix = npt.NDArray[np.float64]

# Ours, to be edited for a service: the values of De Fauw et al. are not public. One step too urgent
# costs 1; one step too late costs 4, 3 and 2, the more the more urgent the case is, and steps add
# up. Order: urgent, semi-urgent, routine, observation only.
REFERRAL_PENALTY = (
    (0.0, 4.0, 7.0, 9.0),
    (1.0, 0.0, 3.0, 5.0),
    (2.0, 1.0, 0.0, 2.0),
    (3.0, 2.0, 1.0, 0.0),
)

SENSITIVITY_FACTOR = 4.0
"""How much HIGH_SENSITIVITY raises the worse of two opposite mistakes; ours."""

SMALLEST_SCORE = 1e-9
"""Scores below count as this in a fit, which needs their logarithm."""

RIDGE = 1e-6
"""Pull of log factors to 0; decides where the cases leave a factor open, moves no other."""

FIT_SHARES = np.linspace(1.0, 0.0, 101)
"""How far `fit_class_factors` goes from no re-weighting to the cross-entropy minimum."""


def default_penalty(head: OutcomeHead) -> FloatMatrix:
    """Penalty matrix (actual, predicted): `REFERRAL_PENALTY` for referral, else 1 a mistake."""
    if head.names == REFERRAL.names:
        return np.array(REFERRAL_PENALTY)
    return 1 - np.eye(len(head.outcomes))


def penalty_for(penalty: npt.ArrayLike, point: OperatingPoint) -> FloatMatrix:
    """Penalty matrix (actual, predicted) of an operating point, from the balanced one.

    Of two opposite mistakes (a taken for b, b taken for a) the costlier one counts as the miss.
    HIGH_SENSITIVITY raises misses by `SENSITIVITY_FACTOR`; HIGH_SPECIFICITY exchanges the two
    penalties, so that a false alarm costs what the miss did. Symmetric matrices have no misses and
    stay as they are.
    """
    matrix = require_penalty(penalty)
    if point is OperatingPoint.HIGH_SENSITIVITY:
        return np.where(matrix > matrix.T, SENSITIVITY_FACTOR * matrix, matrix)
    return matrix.T if point is OperatingPoint.HIGH_SPECIFICITY else matrix


def normalized_penalty(penalty: npt.ArrayLike) -> FloatMatrix:
    """Penalty matrix (actual, predicted) whose worst mistake costs 1."""
    matrix = require_penalty(penalty)
    return np.asarray(matrix / matrix.max())


def mean_penalty(predicted: npt.ArrayLike, actual: npt.ArrayLike, penalty: npt.ArrayLike) -> float:
    """Mean penalty of a case, in the unit of the matrix.

    Parameters
    ----------
    predicted, actual : int array (case,), class indices
    penalty : array (actual, predicted)
    """
    rows, columns = np.asarray(actual, np.intp), np.asarray(predicted, np.intp)
    return float(require_penalty(penalty)[rows, columns].mean())


def expected_penalties(scores: npt.ArrayLike, penalty: npt.ArrayLike) -> FloatVector:
    """Penalty to expect of answering each class, in the unit of the matrix, array (class,).

    The cheapest answer is that of the lowest one, if the scores are taken as probabilities.

    Parameters
    ----------
    scores : array (class,), raw scores in 0..1
    penalty : array (actual, predicted)

    Raises
    ------
    InputError
        If the matrix is none, or is of another number of classes.

    Examples
    --------
    >>> expected_penalties([0.3, 0.7], [[0, 4], [1, 0]]).round(2).tolist()
    [0.7, 1.2]
    """
    matrix, q = require_penalty(penalty), np.asarray(scores, np.float64)
    if q.shape != matrix.shape[:1]:
        msg = f"Found {q.shape} scores for a penalty matrix of {matrix.shape}; expected one a row."
        raise InputError(msg)
    return np.asarray(q @ matrix / q.sum())


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


def require_penalty(penalty: npt.ArrayLike) -> FloatMatrix:
    """Penalty matrix as float array, or an `InputError` that says what is wrong with it."""
    matrix = np.asarray(penalty, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        msg = f"Expected a square penalty matrix (actual, predicted), got {matrix.shape}."
        raise InputError(msg)
    if not np.isfinite(matrix).all() or (matrix < 0).any() or matrix.diagonal().any():
        msg = (
            f"Found the penalty matrix {matrix.tolist()}; expected finite penalties >= 0 and zeros "
            "on the diagonal, where the prediction is right."
        )
        raise InputError(msg)
    if not matrix.any():
        msg = "Found a penalty matrix of zeros; expected at least one mistake that costs something."
        raise InputError(msg)
    return matrix


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
