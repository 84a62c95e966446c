"""Agreement of a reader with a model, or of two readers, on the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.classification_scores import confusion_matrix
from RetinaTriageLib.evaluation.kappa import Kappa, Weighting, cohen_kappa
from RetinaTriageLib.evaluation.proportions import Proportion, proportion
from RetinaTriageLib.evaluation.weighted_error import WeightedError, weighted_error
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.penalties import default_penalty

CountMatrix = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Agreement:
    """How two sets of answers to the same cases agree.

    Attributes
    ----------
    classes : in the order of the matrix
    confusion : int array (reader, model)
    observed : share of cases with the same answer
    kappa : without weights
    linear, quadratic : weighted kappa, which takes the classes for steps in their order
    penalty : cost of the model's answers if the reader's are right
    """

    classes: tuple[str, ...]
    confusion: CountMatrix
    observed: Proportion
    kappa: Kappa
    linear: Kappa
    quadratic: Kappa
    penalty: WeightedError


def agreement(
    reader: Sequence[str],
    model: Sequence[str],
    classes: Sequence[str] = REFERRAL.names,
    penalty: npt.ArrayLike | None = None,
) -> Agreement:
    """Agreement of a reader's answers with a model's.

    Intervals take the cases as independent; two eyes of a patient are not, so that true intervals
    are wider where patients have several cases.

    Parameters
    ----------
    reader, model : class names, a case each in the same order; leave out cases without an answer
    classes : all possible answers in their order; the referrals unless given
    penalty : array (reader, model); None for the default penalties of referrals, else 1 a mistake

    Raises
    ------
    InputError
        If the lengths differ or an answer is none of the classes.

    Examples
    --------
    >>> found = agreement(["urgent", "routine", "routine"], ["urgent", "routine", "observation"])
    >>> found.observed.count, round(found.kappa.value, 2), found.penalty.mean_penalty
    (2, 0.5, 0.6666666666666666)
    """
    names = tuple(classes)
    if len(reader) != len(model):
        msg = f"Found {len(reader)} and {len(model)} answers; expected one of each for every case."
        raise InputError(msg)
    counts = confusion_matrix(_indices(reader, names), _indices(model, names), len(names))
    if penalty is None:
        penalty = default_penalty(REFERRAL) if names == REFERRAL.names else 1 - np.eye(len(names))
    return Agreement(
        names,
        counts,
        proportion(int(counts.trace()), int(counts.sum())),
        cohen_kappa(counts),
        cohen_kappa(counts, Weighting.LINEAR),
        cohen_kappa(counts, Weighting.QUADRATIC),
        weighted_error(counts, penalty),
    )


def _indices(answers: Sequence[str], classes: tuple[str, ...]) -> list[int]:
    unknown = sorted(set(answers) - set(classes))
    if unknown or len(set(classes)) != len(classes):
        msg = (
            f"Found the answers {', '.join(unknown) or 'of classes named twice'}; expected one of "
            f"{', '.join(classes)} for each case. Leave out cases without an answer."
        )
        raise InputError(msg)
    return [classes.index(answer) for answer in answers]
