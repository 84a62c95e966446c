"""Penalty matrices: what each mistake costs.

Rows are actual classes, columns predicted ones, the diagonal is zero.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
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
