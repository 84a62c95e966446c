"""Operating points of a score: threshold and rates, on the same images and cross-fitted.

A threshold that was chosen on the images it is measured on looks better than it is. Cross-fitted
rates decide each patient by a threshold chosen on other patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.evaluation.binary_figures import BinaryFigures, binary_figures
from RetinaTriageLib.evaluation.patient_shares import BoolVector
from RetinaTriageLib.evaluation.proportions import FloatVector
from RetinaTriageLib.operating_points import (
    TARGET_RATE,
    OperatingPoint,
    TooFewCasesError,
    best_threshold,
)

FOLDS = 5
SAME_IMAGES, CROSS_FITTED = "same images", "cross-fitted"


@dataclass(frozen=True)
class OperatingFigures:
    """One operating point.

    Attributes
    ----------
    threshold : scores from here on decide for the outcome
    apparent : figures on the images that the threshold was chosen on
    cross_fitted : figures of thresholds chosen on other patients; None with too few of them
    """

    point: OperatingPoint
    threshold: float
    apparent: BinaryFigures
    cross_fitted: BinaryFigures | None

    @property
    def tests(self) -> dict[str, BinaryFigures]:
        """What is known of the figures, by the images that they were measured on."""
        if self.cross_fitted is None:
            return {SAME_IMAGES: self.apparent}
        return {SAME_IMAGES: self.apparent, CROSS_FITTED: self.cross_fitted}


def operating_figures(
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    groups: Sequence[str],
    target: float = TARGET_RATE,
) -> tuple[OperatingFigures, ...]:
    """Figures of every operating point that these images can settle.

    The balanced point has the largest (sensitivity + specificity) / 2, which is Youden's index.

    Parameters
    ----------
    scores : array (image,), in 0..1
    truth : bool array (image,)
    groups : patient of each image, or its name where patients are unknown
    target : required sensitivity, or specificity, of the two one-sided points

    References
    ----------
    Youden, Cancer 3:32, 1950.
    """
    q, present = np.asarray(scores, np.float64), np.asarray(truth, np.bool_)
    found = []
    for point in OperatingPoint:
        try:
            threshold = best_threshold(q, present, point, target)
        except TooFewCasesError:
            continue
        crossed = _cross_decided(q, present, groups, point, target)
        found.append(
            OperatingFigures(
                point,
                threshold,
                binary_figures(q >= threshold, present, groups),
                None if crossed is None else binary_figures(crossed, present, groups),
            )
        )
    return tuple(found)


def _cross_decided(
    q: FloatVector, present: BoolVector, groups: Sequence[str], point: OperatingPoint, target: float
) -> BoolVector | None:
    fold = np.array([crc32(group.encode()) % FOLDS for group in groups])
    decided = np.zeros(q.shape, np.bool_)
    for number in np.unique(fold):
        inside = fold == number
        try:
            threshold = best_threshold(q[~inside], present[~inside], point, target)
        except TooFewCasesError:
            return None
        decided[inside] = q[inside] >= threshold
    return decided
