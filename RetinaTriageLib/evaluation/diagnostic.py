"""Statistics of a diagnostic study: each class against the rest, and all classes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.binary_figures import BinaryFigures, binary_figures
from RetinaTriageLib.evaluation.classification_scores import confusion_matrix
from RetinaTriageLib.evaluation.delong import DeLongAuc, delong_auc
from RetinaTriageLib.evaluation.operating_figures import OperatingFigures, operating_figures
from RetinaTriageLib.evaluation.patient_draws import BOOTSTRAP_DRAWS
from RetinaTriageLib.evaluation.patient_shares import Estimate, mean_share, share_by_patient
from RetinaTriageLib.evaluation.proportions import Interval, Proportion, roc_auc_interval
from RetinaTriageLib.evaluation.reliability import (
    Binning,
    Reliability,
    multiclass_brier,
    reliability,
    top_label_reliability,
)
from RetinaTriageLib.evaluation.scored_images import BoolMatrix, ScoreTable
from RetinaTriageLib.evaluation.weighted_error import (
    WeightedError,
    kermany_penalty,
    weighted_error,
)
from RetinaTriageLib.operating_points import DECISION_LEVEL, TARGET_RATE

CountMatrix = npt.NDArray[np.int64]
FloatMatrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class StudyOptions:
    """How a study is evaluated.

    Attributes
    ----------
    positive : the class to tell from the rest; None tells each
    threshold : scores from here on decide for a class that stands alone, or for the positive one of
        two; None takes the highest score of exclusive classes, and `DECISION_LEVEL` of others
    target : required sensitivity, or specificity, of the one-sided operating points
    penalty : array (actual, predicted); None takes Kermany's for their classes, else 1 a mistake
    draws : of the bootstrap
    """

    positive: str | None = None
    threshold: float | None = None
    target: float = TARGET_RATE
    penalty: FloatMatrix | None = None
    binning: Binning = Binning.WIDTH
    draws: int = BOOTSTRAP_DRAWS
    seed: int = 0


@dataclass(frozen=True)
class ClassFigures:
    """How well one class is told from the rest.

    Attributes
    ----------
    auc : with DeLong's interval, which takes images as independent
    auc_by_patient : interval of the area, by a bootstrap of patients
    decided : figures of the decisions
    """

    name: str
    images: int
    present: int
    auc: DeLongAuc
    auc_by_patient: Interval
    decided: BinaryFigures
    operating: tuple[OperatingFigures, ...]
    reliability: Reliability


@dataclass(frozen=True)
class OverallFigures:
    """How well the one right class of each image is decided for.

    Attributes
    ----------
    balanced_accuracy : mean over the classes with images of the share decided for
    confusion : int array (actual, predicted)
    penalty : float array (actual, predicted)
    brier : over all classes, 0 best, 2 worst
    top_label : calibration of the highest score of each image
    """

    accuracy: Proportion
    balanced_accuracy: Estimate
    confusion: CountMatrix
    penalty: FloatMatrix
    weighted: WeightedError
    brier: float
    top_label: Reliability


def class_figures(
    table: ScoreTable, name: str, decided: BoolMatrix, options: StudyOptions
) -> ClassFigures:
    """Figures of one class.

    Parameters
    ----------
    decided : bool array (image, class), as `decisions` gives it
    """
    at = table.classes.index(name)
    scores, truth = table.scores[:, at], table.truth[:, at]
    return ClassFigures(
        name,
        truth.size,
        int(truth.sum()),
        delong_auc(scores, truth),
        roc_auc_interval(scores, truth, table.groups, seed=options.seed, draws=options.draws),
        binary_figures(decided[:, at], truth, table.groups),
        operating_figures(scores, truth, table.groups, options.target),
        reliability(scores, truth, table.groups, binning=options.binning),
    )


def overall_figures(
    table: ScoreTable, decided: BoolMatrix, options: StudyOptions
) -> OverallFigures | None:
    """Figures over all classes; None where classes stand each alone.

    Raises
    ------
    InputError
        If the penalties are of other classes.
    """
    if not table.exclusive:
        return None
    actual, predicted = table.actual, decided.argmax(axis=1)
    confusion = confusion_matrix(actual, predicted, len(table.classes))
    penalty = study_penalty(table.classes, options.penalty)
    groups = np.asarray(table.groups, np.str_)
    right = actual == predicted
    recalls = [
        share_by_patient(right[actual == at], groups[actual == at].tolist())
        for at in np.unique(actual)
    ]
    return OverallFigures(
        share_by_patient(right, table.groups),
        mean_share(recalls),
        confusion,
        penalty,
        weighted_error(confusion, penalty),
        multiclass_brier(table.scores, actual),
        top_label_reliability(table.scores, actual, table.groups),
    )


def decisions(table: ScoreTable, options: StudyOptions) -> BoolMatrix:
    """Classes that are decided for, bool array (image, class).

    Exclusive classes: the highest score, the first of equal ones. Others: scores from the threshold
    on.

    Raises
    ------
    InputError
        If a threshold is asked for that these classes cannot have.
    """
    threshold = options.threshold
    if not table.exclusive:
        return np.asarray(table.scores >= (DECISION_LEVEL if threshold is None else threshold))
    if threshold is None:
        highest = table.scores.argmax(axis=1)
        return np.asarray(highest[:, np.newaxis] == np.arange(len(table.classes)))
    if len(table.classes) != 2 or options.positive is None:
        msg = (
            f"Found a threshold for {len(table.classes)} exclusive classes; expected two, of which "
            "one is named as positive. Leave out the threshold, or name that class."
        )
        raise InputError(msg)
    decided = np.zeros(table.scores.shape, np.bool_)
    at = table.classes.index(options.positive)
    decided[:, at] = table.scores[:, at] >= threshold
    decided[:, 1 - at] = ~decided[:, at]
    return decided


def study_classes(table: ScoreTable, options: StudyOptions) -> tuple[str, ...]:
    """Classes to tell from the rest.

    Raises
    ------
    InputError
        If the positive class is unknown, or no class has images with it and without it.
    """
    if options.positive is not None and options.positive not in table.classes:
        msg = f"Found {options.positive!r} as positive; expected one of {', '.join(table.classes)}."
        raise InputError(msg)
    told = table.classes if options.positive is None else (options.positive,)
    present = table.truth.sum(axis=0)
    both = [name for name in told if 0 < present[table.classes.index(name)] < len(table.files)]
    if not both:
        counts = ", ".join(
            f"{name} {count}" for name, count in zip(table.classes, present, strict=True)
        )
        msg = (
            f"Found {len(table.files)} images of one kind only ({counts}); expected images with "
            "and without a class. Add images of the other kind."
        )
        raise InputError(msg)
    return told


def study_penalty(classes: Sequence[str], penalty: FloatMatrix | None) -> FloatMatrix:
    """Penalties of a study: those given, else Kermany's for their classes, else 1 a mistake."""
    if penalty is not None:
        return penalty
    known = kermany_penalty(classes)
    return 1 - np.eye(len(classes)) if known is None else known
