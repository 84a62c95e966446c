"""Calibration of scores: do of 100 images with a score of 0.7 really 70 have the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.patient_shares import share_by_patient
from RetinaTriageLib.evaluation.proportions import FloatVector, Proportion

BINS = 10


class Binning(StrEnum):
    """How scores are parted into bins."""

    WIDTH = "width"
    """Bins of equal width over 0 to 1; some may hold no image."""

    COUNT = "count"
    """Bins of about as many images each; equal scores stay together."""


@dataclass(frozen=True)
class ScoreBin:
    """Images with scores from ``low`` up to, in all bins but the last without, ``high``."""

    low: float
    high: float
    mean_score: float
    observed: Proportion


@dataclass(frozen=True)
class Reliability:
    """How well scores are probabilities.

    Attributes
    ----------
    bins : those that hold images
    ece : expected calibration error, mean distance of score and observed share over the images
    mce : the largest distance of a bin
    brier : mean squared distance of score and truth, 0 is best
    brier_of_prevalence : that of giving every image the share of all images with the outcome
    """

    binning: Binning
    bins: tuple[ScoreBin, ...]
    ece: float
    mce: float
    brier: float
    brier_of_prevalence: float


def reliability(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    patients: Sequence[str] | None = None,
    *,
    binning: Binning = Binning.WIDTH,
    bins: int = BINS,
) -> Reliability:
    """Calibration of the scores of one outcome.

    Parameters
    ----------
    scores : array (image,), in 0..1
    truth : bool array (image,)
    patients : of each image, for the intervals of the bins; None takes images as independent

    Raises
    ------
    InputError
        If there are no images or bins, shapes differ or a score lies outside 0..1.

    References
    ----------
    Brier, Monthly Weather Review 78:1, 1950, one outcome. Naeini, Cooper and Hauskrecht, AAAI 2015
    (expected calibration error).

    Examples
    --------
    >>> found = reliability([0.1, 0.3, 0.9, 0.9], [False, False, True, False])
    >>> round(found.ece, 3), round(found.brier, 3)
    (0.3, 0.23)
    """
    q, present = _checked(scores, truth, bins)
    edges = _edges(q, binning, bins)
    place = np.clip(np.searchsorted(edges, q, side="right") - 1, 0, len(edges) - 2)
    found = []
    for number in np.unique(place):
        inside = place == number
        of = None if patients is None else np.asarray(patients, np.str_)[inside].tolist()
        found.append(
            ScoreBin(
                float(edges[number]),
                float(edges[number + 1]),
                float(q[inside].mean()),
                share_by_patient(present[inside], of),
            )
        )
    gaps = np.array([abs(one.mean_score - one.observed.value) for one in found])
    images = np.array([one.observed.total for one in found])
    share = float(present.mean())
    return Reliability(
        binning,
        tuple(found),
        float(gaps @ images / q.size),
        float(gaps.max()),
        float(((q - present) ** 2).mean()),
        share * (1 - share),
    )


def top_label_reliability(
    scores: npt.ArrayLike, actual: npt.ArrayLike, patients: Sequence[str] | None = None
) -> Reliability:
    """Calibration of the highest score of each image: is that class right as often as it says.

    Parameters
    ----------
    scores : array (image, class), in 0..1
    actual : int array (image,), class indices

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, International Conference on Machine Learning, 2017.
    """
    q, truth = np.asarray(scores, np.float64), np.asarray(actual, np.intp)
    return reliability(q.max(axis=1), q.argmax(axis=1) == truth, patients)


def multiclass_brier(scores: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Brier score over all classes, mean sum of squared distances: 0 best, 2 worst.

    Parameters
    ----------
    scores : array (image, class), in 0..1
    actual : int array (image,), class indices
    """
    q = np.asarray(scores, np.float64)
    truth = np.eye(q.shape[1])[np.asarray(actual, np.intp)]
    return float(((q - truth) ** 2).sum(axis=1).mean())


def _edges(q: FloatVector, binning: Binning, bins: int) -> FloatVector:
    if binning is Binning.WIDTH:
        return np.linspace(0, 1, bins + 1)
    inner = np.unique(np.quantile(q, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.concatenate(([0.0], inner[(inner > 0) & (inner < 1)], [1.0]))


def _checked(
    scores: npt.ArrayLike, truth: npt.ArrayLike, bins: int
) -> tuple[FloatVector, npt.NDArray[np.bool_]]:
    q, present = np.asarray(scores, np.float64), np.asarray(truth, np.bool_)
    if q.ndim != 1 or q.shape != present.shape or not q.size or bins < 1:
        msg = (
            f"Found scores {q.shape}, truth {present.shape} and {bins} bins; expected both of "
            "shape (image,) with at least one image, and at least one bin."
        )
        raise InputError(msg)
    if not np.all((q >= 0) & (q <= 1)):
        msg = "Found scores outside 0..1 or NaN; expected probabilities of one outcome."
        raise InputError(msg)
    return q, present
