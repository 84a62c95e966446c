"""Sensitivity of a ROC curve at a given specificity, with an interval by patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.evaluation.patient_draws import BOOTSTRAP_DRAWS, drawn_weights
from RetinaTriageLib.evaluation.patient_shares import share_by_patient
from RetinaTriageLib.evaluation.proportions import Interval, percentile_interval, roc_curve

GUARD = 1e-9  # takes the upper end of a vertical step of a curve, whatever the last bit says


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
    """95 % percentile interval, by patients, of `sensitivity_at`.

    Where it is 0 or 1 in all draws, the interval is the exact one of that share of the patients
    with the outcome.
    """
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
    interval = percentile_interval(np.array(found))
    if interval.low == interval.high and interval.low in (0, 1):
        with_outcome = np.asarray(patients, np.str_)[present].tolist()
        share = share_by_patient(np.full(len(with_outcome), interval.low == 1), with_outcome)
        return Interval(share.low, share.high)
    return interval
