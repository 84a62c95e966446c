"""Figures of a yes-or-no test against the truth: rates, predictive values, likelihood ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.likelihood import (
    AnswerCounts,
    LikelihoodRatio,
    negative_ratio,
    positive_ratio,
)
from RetinaTriageLib.evaluation.patient_shares import (
    BoolVector,
    Estimate,
    effective_size,
    mean_share,
    share_by_patient,
)
from RetinaTriageLib.evaluation.proportions import Proportion


@dataclass(frozen=True)
class BinaryFigures:
    """Figures of a test, with 95 % intervals.

    Attributes
    ----------
    ppv, npv : predictive values, at the prevalence of these images
    balanced : mean of sensitivity and specificity
    positive, negative : likelihood ratios of the two answers
    """

    counts: AnswerCounts
    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion
    npv: Proportion
    accuracy: Proportion
    balanced: Estimate
    positive: LikelihoodRatio
    negative: LikelihoodRatio


def binary_figures(
    decided: npt.ArrayLike, truth: npt.ArrayLike, patients: Sequence[str] | None = None
) -> BinaryFigures:
    """Figures of decisions against the truth.

    Parameters
    ----------
    decided, truth : bool arrays (image,), whether the outcome is decided for and is present
    patients : of each image; None takes images as independent

    Raises
    ------
    InputError
        If the lengths differ.

    Examples
    --------
    >>> found = binary_figures([True, True, False, False], [True, False, False, False])
    >>> found.sensitivity.value, round(found.specificity.value, 3), found.ppv.value
    (1.0, 0.667, 0.5)
    """
    said, present = np.asarray(decided, np.bool_), np.asarray(truth, np.bool_)
    if said.ndim != 1 or said.shape != present.shape:
        msg = f"Expected answers and truth of shape (image,), got {said.shape}, {present.shape}."
        raise InputError(msg)
    names = None if patients is None else np.asarray(patients, np.str_)
    sensitivity = _share(said, present, names)
    specificity = _share(~said, ~present, names)
    counts = AnswerCounts(
        sensitivity.count,
        sensitivity.total - sensitivity.count,
        specificity.total - specificity.count,
        specificity.count,
    )
    effective = AnswerCounts(
        *_effective(said, present, sensitivity, names),
        *_effective(~said, ~present, specificity, names)[::-1],
    )
    return BinaryFigures(
        counts,
        sensitivity,
        specificity,
        _share(present, said, names),
        _share(~present, ~said, names),
        _share(said == present, np.ones_like(said), names),
        mean_share((sensitivity, specificity)),
        positive_ratio(counts, effective),
        negative_ratio(counts, effective),
    )


def _share(
    hits: BoolVector, among: BoolVector, patients: npt.NDArray[np.str_] | None
) -> Proportion:
    of = None if patients is None else patients[among].tolist()
    return share_by_patient(hits[among], of)


def _effective(
    hits: BoolVector, among: BoolVector, share: Proportion, patients: npt.NDArray[np.str_] | None
) -> tuple[float, float]:
    """Hits and misses that count in effect."""
    of = None if patients is None else patients[among].tolist()
    size = effective_size(hits[among], of)
    hit = share.count / share.total * size if share.total else 0.0
    return hit, size - hit
