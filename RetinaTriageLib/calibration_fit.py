"""Fitting a calibration: factors of every head and operating point from validation cases."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.calibration import Calibration
from RetinaTriageLib.class_factors import fit_class_factors
from RetinaTriageLib.operating_points import (
    NEUTRAL_WEIGHT,
    TARGET_RATE,
    OperatingPoint,
    TooFewCasesError,
    fit_binary_weight,
)
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.penalties import default_penalty, penalty_for

FloatMatrix = npt.NDArray[np.float64]
Truth = npt.NDArray[Any]
Gaps = dict[str, str]

NO_PENALTIES: Mapping[str, npt.ArrayLike] = MappingProxyType({})


def fit_calibration(
    scores: Mapping[str, FloatMatrix],
    truth: Mapping[str, Truth],
    heads: tuple[OutcomeHead, ...],
    measured_on: str,
    *,
    penalties: Mapping[str, npt.ArrayLike] = NO_PENALTIES,
    target: float = TARGET_RATE,
) -> Calibration:
    """Calibration of all heads that ``scores`` holds, for the three operating points.

    What the cases cannot settle (an outcome that none or all have, or that scores miss as often as
    chance; an exclusive head of which a class is missing) keeps its raw scores and is named, with
    the reason, in ``gaps``.

    Parameters
    ----------
    scores : head name to array (case, outcome): the mean of all S x C opinions of each case
    truth : head name to bool array (case, outcome), or int array (case,) for exclusive heads
    measured_on : which cases these are, such as "64 phantoms, validation"
    penalties : head name to balanced penalty matrix (actual, predicted); `default_penalty` if none
    target : rate that the two one-sided operating points must reach

    Raises
    ------
    InputError
        If shapes, scores or penalty matrices cannot be used.
    """
    factors: dict[str, dict[str, dict[str, float]]] = {}
    gaps: dict[str, Gaps] = {}
    for point in OperatingPoint:
        factors[point.value], gaps[point.value] = {}, {}
        for head in (head for head in heads if head.name in scores):
            q, actual = scores[head.name], truth[head.name]
            if head.exclusive:
                penalty = penalties.get(head.name, default_penalty(head))
                fitted, unsettled = _fit_exclusive(head, q, actual, penalty_for(penalty, point))
            else:
                fitted, unsettled = _fit_binary(head, q, actual, point, target)
            gaps[point.value] |= unsettled
            if fitted:
                factors[point.value][head.name] = fitted
    return Calibration(factors, measured_on, gaps)


def _fit_exclusive(
    head: OutcomeHead, q: FloatMatrix, actual: Truth, penalty: FloatMatrix
) -> tuple[dict[str, float], Gaps]:
    try:
        fitted = fit_class_factors(q, actual, penalty)
    except TooFewCasesError as error:
        return {}, {head.name: str(error)}
    return dict(zip(head.names, fitted.tolist(), strict=True)), {}


def _fit_binary(
    head: OutcomeHead, q: FloatMatrix, actual: Truth, point: OperatingPoint, target: float
) -> tuple[dict[str, float], Gaps]:
    fitted: dict[str, float] = {}
    gaps: Gaps = {}
    for index, name in enumerate(head.names):
        try:
            fitted[name] = fit_binary_weight(q[:, index], actual[:, index], point, target)
        except TooFewCasesError as error:
            fitted[name] = NEUTRAL_WEIGHT
            gaps[f"{head.name}/{name}"] = str(error)
    return fitted, gaps
