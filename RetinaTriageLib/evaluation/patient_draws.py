"""Bootstrap by patients: whole patients are drawn, so that like images stay together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.evaluation.proportions import (
    BOOTSTRAP_DRAWS,
    CONFIDENCE,
    FloatVector,
    Interval,
    roc_curve,
)

FloatMatrix = npt.NDArray[np.float64]

DRAWS_AT_ONCE = 100

GUARD = 1e-9  # takes the upper end of a vertical step of a curve, whatever the last bit says


def drawn_weights(
    patients: Sequence[str], *, seed: int = 0, draws: int = BOOTSTRAP_DRAWS
) -> Iterator[FloatMatrix]:
    """Yield how often each image was drawn, float arrays (draw, image), some draws at a time.

    Parameters
    ----------
    patients : of each image
    """
    names, place = np.unique(np.asarray(patients, np.str_), return_inverse=True)
    rng = np.random.default_rng(seed)
    for start in range(0, draws, DRAWS_AT_ONCE):
        drawn = rng.integers(len(names), size=(min(DRAWS_AT_ONCE, draws - start), len(names)))
        times = np.array([np.bincount(draw, minlength=len(names)) for draw in drawn], np.float64)
        yield times[:, place]


def weighted_aucs(scores: npt.ArrayLike, truth: npt.ArrayLike, weights: FloatMatrix) -> FloatVector:
    """Area under the ROC curve of each draw, (draw,); NaN where one kind of image is missing.

    Parameters
    ----------
    scores : array (image,)
    truth : bool array (image,)
    weights : array (draw, image), as `drawn_weights` yields
    """
    q, present = np.asarray(scores, np.float64), np.asarray(truth, np.bool_)
    order = np.argsort(q, kind="stable")
    starts = np.flatnonzero(np.concatenate(([True], np.diff(q[order]) != 0)))
    by_rank = weights[:, order]
    positive = np.add.reduceat(by_rank * present[order], starts, axis=1)  # (draw, distinct score)
    negative = np.add.reduceat(by_rank * ~present[order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2  # ties count half
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((positive * below).sum(axis=1) / pairs)


def drawn_aucs(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    patients: Sequence[str],
    *,
    seed: int = 0,
    draws: int = BOOTSTRAP_DRAWS,
) -> FloatVector:
    """Area under the ROC curve in each draw of patients, (draw,).

    The same seed draws the same patients, so that areas of two models are compared draw by draw.
    """
    parts = drawn_weights(patients, seed=seed, draws=draws)
    return np.concatenate([weighted_aucs(scores, truth, weights) for weights in parts])


def percentile_interval(values: FloatVector, confidence: float = CONFIDENCE) -> Interval:
    """Percentile interval of drawn values; NaN where none is known."""
    known = values[np.isfinite(values)]
    if not known.size:
        return Interval(float("nan"), float("nan"))
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(known, (tail, 100 - tail))
    return Interval(float(low), float(high))


def sensitivity_at(scores: npt.ArrayLike, truth: npt.ArrayLike, specificity: float) -> float:
    """Sensitivity of the ROC curve at a specificity, on the straight line between its points.

    Raises
    ------
    InputError
        If one kind of image is missing.

    Examples
    --------
    >>> sensitivity_at([0.9, 0.8, 0.7, 0.1], [True, False, True, False], 0.5)
    1.0
    >>> sensitivity_at([0.9, 0.8, 0.7, 0.1], [True, False, True, False], 0.75)
    0.5
    """
    false, true = roc_curve(scores, truth)
    return float(np.interp(1 - specificity + GUARD, false, true))


def sensitivity_interval(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    specificity: float,
    patients: Sequence[str],
    *,
    seed: int = 0,
    draws: int = BOOTSTRAP_DRAWS,
) -> Interval:
    """95 % percentile interval, by patients, of `sensitivity_at`."""
    q, present = np.asarray(scores, np.float64), np.asarray(truth, np.bool_)
    order = np.argsort(-q, kind="stable")
    last = np.flatnonzero(np.append(np.diff(q[order]) != 0, True))
    found: list[float] = []
    for weights in drawn_weights(patients, seed=seed, draws=draws):
        by_rank = weights[:, order]
        true = np.cumsum(by_rank * present[order], axis=1)[:, last]
        false = np.cumsum(by_rank * ~present[order], axis=1)[:, last]
        for t, f in zip(true, false, strict=True):
            if t[-1] and f[-1]:
                rates = np.append(0.0, f / f[-1]), np.append(0.0, t / t[-1])
                found.append(float(np.interp(1 - specificity + GUARD, *rates)))
    return percentile_interval(np.array(found))
