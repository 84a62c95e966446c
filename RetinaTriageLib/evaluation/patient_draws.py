"""Bootstrap by patients: whole patients are drawn, so that like images stay together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

FloatVector = npt.NDArray[np.float64]
FloatMatrix = npt.NDArray[np.float64]

BOOTSTRAP_DRAWS = 2000

DRAWS_AT_ONCE = 100


def drawn_weights(
    patients: Sequence[str], *, seed: int = 0, draws: int = BOOTSTRAP_DRAWS
) -> Iterator[FloatMatrix]:
    """Yield how often each image was drawn, float arrays (draw, image), some draws at a time.

    Parameters
    ----------
    patients : of each image
    """
    number = {name: at for at, name in enumerate(dict.fromkeys(patients))}
    place = np.array([number[patient] for patient in patients], np.intp)
    rng = np.random.default_rng(seed)
    for start in range(0, draws, DRAWS_AT_ONCE):
        drawn = rng.integers(len(number), size=(min(DRAWS_AT_ONCE, draws - start), len(number)))
        times = np.array([np.bincount(draw, minlength=len(number)) for draw in drawn], np.float64)
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
