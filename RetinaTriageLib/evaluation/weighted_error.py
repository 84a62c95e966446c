"""Weighted error: what the mistakes of a confusion matrix cost by a penalty matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.penalties import require_penalty

FloatMatrix = npt.NDArray[np.float64]

# Kermany et al., Cell 172:1122, 2018: rows actual, columns predicted.
KERMANY_CLASSES = ("normal", "drusen", "cnv", "dme")
KERMANY_PENALTY = (
    (0.0, 1.0, 1.0, 1.0),
    (1.0, 0.0, 1.0, 1.0),
    (4.0, 2.0, 0.0, 1.0),
    (4.0, 2.0, 1.0, 0.0),
)


@dataclass(frozen=True)
class WeightedError:
    """Cost of all mistakes, by two measures.

    The paper's own normalization cannot be told from its text, so both are stated.

    Attributes
    ----------
    total : sum of the penalties
    cases : number of cases
    mean_penalty : total by cases, in the unit of the matrix; NaN without cases
    share_of_worst : total by the largest that answers to these cases can cost, 0 to 1; NaN where
        nothing costs anything
    """

    total: float
    cases: int
    mean_penalty: float
    share_of_worst: float


def weighted_error(confusion: npt.ArrayLike, penalty: npt.ArrayLike) -> WeightedError:
    """Cost of the mistakes of a confusion matrix.

    Parameters
    ----------
    confusion : int array (actual, predicted)
    penalty : array (actual, predicted), zeros on the diagonal

    Raises
    ------
    InputError
        If the penalty matrix is none, or of another size.

    Examples
    --------
    >>> weighted_error([[3, 1], [0, 4]], [[0, 4], [1, 0]])
    WeightedError(total=4.0, cases=8, mean_penalty=0.5, share_of_worst=0.2)
    """
    counts, matrix = np.asarray(confusion, np.float64), require_penalty(penalty)
    if counts.shape != matrix.shape:
        msg = (
            f"Found a confusion matrix {counts.shape} and penalties {matrix.shape}; expected one "
            "penalty for each of its cells. Give the matrix of these classes."
        )
        raise InputError(msg)
    total, cases = float((counts * matrix).sum()), int(counts.sum())
    worst = float(counts.sum(axis=1) @ matrix.max(axis=1))
    nan = float("nan")
    return WeightedError(
        total, cases, total / cases if cases else nan, total / worst if worst else nan
    )


def kermany_penalty(classes: Sequence[str]) -> FloatMatrix | None:
    """Penalties of Kermany et al. in the order of the classes; None where these are others.

    Examples
    --------
    >>> kermany_penalty(["CNV", "DME", "DRUSEN", "NORMAL"])[0].tolist()
    [0.0, 1.0, 2.0, 4.0]
    """
    names = [name.strip().lower() for name in classes]
    if sorted(names) != sorted(KERMANY_CLASSES):
        return None
    order = [KERMANY_CLASSES.index(name) for name in names]
    return np.array(KERMANY_PENALTY)[np.ix_(order, order)]
