"""Shares of images with intervals that take images of one patient as alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.proportions import (
    CONFIDENCE,
    Proportion,
    exact_interval,
    proportion,
)

BoolVector = npt.NDArray[np.bool_]


def share_by_patient(hits: npt.ArrayLike, patients: Sequence[str] | None) -> Proportion:
    """Share of images that hit, with an exact interval of as many images as count in effect.

    With one image a patient it is the interval of Clopper and Pearson. With more, counts are
    divided by the design effect: the variance between patients by that of independent images.
    Where all images hit, or none, nothing tells how alike they are, and patients count as one each.

    Parameters
    ----------
    hits : bool array (image,)
    patients : of each image; None takes images as independent

    Raises
    ------
    InputError
        If there is not one patient for each image.

    References
    ----------
    Rao and Scott, Biometrics 48:577, 1992 (design effect of a ratio). Korn and Graubard, Survey
    Methodology 24:193, 1998 (exact interval of effective counts, with few patients).

    Examples
    --------
    >>> share_by_patient([True] * 8, ["a"] * 4 + ["b"] * 4).low == proportion(2, 2).low
    True
    """
    found = np.asarray(hits, np.bool_)
    count, total = int(found.sum()), found.size
    size = effective_size(found, patients)
    if size == total:
        return proportion(count, total)
    interval = exact_interval(count / total * size, size)
    return Proportion(count, total, interval.low, interval.high)


def effective_size(hits: npt.ArrayLike, patients: Sequence[str] | None) -> float:
    """Count of independent images that tell as much as these; at most their number.

    Parameters
    ----------
    hits, patients : as for `share_by_patient`
    """
    found = np.asarray(hits, np.bool_)
    if patients is None or not found.size:
        return float(found.size)
    if len(patients) != found.size:
        msg = f"Found {len(patients)} patients for {found.size} images; expected one for each."
        raise InputError(msg)
    _, place, images = np.unique(
        np.asarray(patients, np.str_), return_inverse=True, return_counts=True
    )
    groups, total = images.size, found.size
    if groups == total:
        return float(total)
    share = found.mean()
    if groups == 1 or share in (0, 1):
        return float(groups)
    residual = np.bincount(place, found, groups) - share * images
    variance = groups / (groups - 1) * float(residual @ residual) / total**2
    size = total if not variance else min(total, share * (1 - share) / variance)
    # Few patients tell the variance itself badly.
    tail = (1 + CONFIDENCE) / 2
    few = float(student.ppf(tail, total - 1) / student.ppf(tail, groups - 1))
    return float(size * few**2)


@dataclass(frozen=True)
class Estimate:
    """A figure with its two-sided 95 % interval; NaN where it is not known."""

    value: float
    low: float
    high: float


def mean_share(shares: Sequence[Proportion]) -> Estimate:
    """Mean of shares of different images, such as the balanced accuracy; NaN if one is unknown.

    References
    ----------
    Zou and Donner, Statistics in Medicine 27:1693, 2008: an interval of a sum, from those of its
    parts.

    Examples
    --------
    >>> found = mean_share([proportion(90, 100), proportion(40, 50)])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.85, 0.772, 0.906)
    """
    value = np.array([share.value for share in shares])
    low = np.array([share.low for share in shares])
    high = np.array([share.high for share in shares])
    mean, parts = float(value.mean()), len(shares)
    below, above = float(np.linalg.norm(value - low)), float(np.linalg.norm(high - value))
    return Estimate(mean, mean - below / parts, mean + above / parts)
