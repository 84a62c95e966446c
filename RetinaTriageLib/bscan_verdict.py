"""What whole-image classifiers say: about each image, and about a volume by its B-scans.

Plain arrays and words, read where torch must not be loaded. Scores are probabilities, 0 to 1, as
the networks give them: nothing here is calibrated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Head, ImageClass, Pooling
from RetinaTriageLib.outcomes import REFERRAL

ScoreArray = npt.NDArray[np.float64]

DECISION_LEVEL = 0.5
"""Score from which a class of binary heads counts as present."""

SHARPNESS = 10.0
"""Of the weights that stand in for attention; ours: a score of 1 counts e^10 times one of 0."""


@dataclass(frozen=True)
class ImageTask:
    """The question that whole-image classifiers answer.

    Attributes
    ----------
    otherwise : referral where no class of binary heads is present; None says nothing then
    """

    classes: tuple[ImageClass, ...]
    head: Head
    otherwise: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the scores."""
        return tuple(found.name for found in self.classes)


@dataclass(frozen=True)
class ImageOrigin:
    """Which classifiers judged, and how; holds nothing that identifies a person.

    Attributes
    ----------
    images : one sentence of the bundle on the images that it is for
    """

    bundle_name: str
    bundle_sha256: str
    images: str
    trained_on: str
    library_version: str
    torch_version: str
    compute: str
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What scores decide for: class names, and the referral that follows or None."""

    classes: tuple[str, ...]
    referral: str | None


@dataclass(frozen=True)
class BscanVerdict:
    """Verdict on a volume by its B-scans, with the curve along the volume.

    Attributes
    ----------
    bscans : float array (B-scan, class)
    weights : float array (B-scan,), adds up to 1; None where no B-scan was weighted
    attention : float array (B-scan,), weights of trained attention, whether they were used or not;
        None where the bundle has none
    scores : float array (class,), of the volume
    referrals : referral name to score of the volume, the most urgent first
    answer : what the volume's scores decide for
    pooled_by : sentence on how the scores of B-scans became those of the volume
    """

    task: ImageTask
    bscans: ScoreArray
    pooling: Pooling
    pooled_by: str
    weights: ScoreArray | None
    scores: ScoreArray
    referrals: Mapping[str, float]
    answer: Answer
    origin: ImageOrigin
    attention: ScoreArray | None = None

    def strongest_bscan(self, name: str) -> int:
        """Index of the B-scan that shows a class most."""
        return int(self.bscans[:, self.task.names.index(name)].argmax())


def volume_verdict(
    task: ImageTask,
    bscans: npt.ArrayLike,
    pooling: Pooling,
    origin: ImageOrigin,
    attention: npt.ArrayLike | None = None,
) -> BscanVerdict:
    """Verdict on a volume of the scores of its B-scans.

    Parameters
    ----------
    bscans : array (B-scan, class), 0 to 1
    attention : array (B-scan,), weights of trained attention; None where the bundle has none

    Raises
    ------
    InputError
        If there is no B-scan, or not one score a class.
    """
    scores = np.asarray(bscans, np.float64)
    _require_scores(scores, task)
    weights, said = _weights(task, scores, pooling, attention)
    found = [each.finding for each in task.classes]
    names, by_bscan, findings = _referral_scores(task, scores)
    referrals = dict(zip(names, map(float, _pooled(by_bscan, findings, weights)), strict=True))
    pooled = _pooled(scores, found, weights)
    return BscanVerdict(
        task=task,
        bscans=scores,
        pooling=pooling,
        pooled_by=said,
        weights=weights if pooling is Pooling.ATTENTION else None,
        scores=pooled,
        referrals=referrals,
        answer=Answer(decided_classes(task, pooled), _referral(task, pooled, referrals)),
        origin=origin,
        attention=None if attention is None else np.asarray(attention, np.float64),
    )


def pooled_again(verdict: BscanVerdict, task: ImageTask, pooling: Pooling) -> BscanVerdict:
    """Verdict of the same scores of B-scans, pooled in another way or with other referrals."""
    return volume_verdict(task, verdict.bscans, pooling, verdict.origin, verdict.attention)


def answer(task: ImageTask, scores: npt.ArrayLike) -> Answer:
    """Classes and referral that the scores of one image decide for.

    Parameters
    ----------
    scores : array (class,)
    """
    values = np.asarray(scores, np.float64)
    _require_scores(values[None], task)
    names, referrals, _ = _referral_scores(task, values[None])
    by_name = dict(zip(names, map(float, referrals[0]), strict=True))
    return Answer(decided_classes(task, values), _referral(task, values, by_name))


def decided_classes(task: ImageTask, scores: ScoreArray) -> tuple[str, ...]:
    """Names of the classes that scores (class,) decide for.

    Soft-max: the highest score, the first of equal ones. Binary: all scores of at least 0.5, but
    the absence of findings only where no finding is present; none is an answer too.
    """
    if task.head is Head.SOFTMAX:
        return (task.names[int(scores.argmax())],)
    present = [c for c, score in zip(task.classes, scores, strict=True) if score >= DECISION_LEVEL]
    findings = [each for each in present if each.finding]
    return tuple(each.name for each in findings or present)


def _require_scores(scores: ScoreArray, task: ImageTask) -> None:
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] != len(task.classes):
        msg = (
            f"Found scores of shape {scores.shape}; expected (B-scan, {len(task.classes)}), one a "
            f"class: {', '.join(task.names)}."
        )
        raise InputError(msg)


def _weights(
    task: ImageTask, scores: ScoreArray, pooling: Pooling, attention: npt.ArrayLike | None
) -> tuple[ScoreArray | None, str]:
    """Weights (B-scan,) of a weighted mean, None for the maximum, and the sentence on them."""
    count = len(scores)
    if count == 1:
        return np.ones(1), "One image: its scores are the verdict's."
    if pooling is Pooling.MAXIMUM:
        return None, (
            "Maximum: each finding by the B-scan that shows it most, the absence of findings by "
            "the B-scan that shows it least; these scores need not add up to 1."
        )
    if pooling is Pooling.MEAN:
        return np.full(count, 1 / count), f"Mean of the {count} B-scans, each counting the same."
    if attention is not None:
        return np.asarray(attention, np.float64), (
            "Trained attention: B-scans weighted by the attention layer of the bundle."
        )
    findings = [at for at, each in enumerate(task.classes) if each.finding]
    strongest = scores[:, findings].max(axis=1) if findings else scores.max(axis=1)
    raised = np.exp(SHARPNESS * (strongest - strongest.max()))
    return raised / raised.sum(), (
        "Score-weighted mean, since the bundle has no trained attention: each B-scan is weighted "
        f"by a soft-max, factor {SHARPNESS:g}, over the B-scans' highest scores of a finding."
    )


def _pooled(scores: ScoreArray, findings: Sequence[bool], weights: ScoreArray | None) -> ScoreArray:
    """Scores (column,) of the volume, of scores (B-scan, column)."""
    if weights is not None:
        return np.asarray(weights @ scores, np.float64)
    pooled = np.where(findings, scores.max(axis=0), scores.min(axis=0))
    return np.asarray(pooled, np.float64)


def _referral_scores(
    task: ImageTask, scores: ScoreArray
) -> tuple[tuple[str, ...], ScoreArray, list[bool]]:
    """Referrals that the classes ask for, their scores (B-scan, referral), and if of findings.

    Soft-max: the sum over the classes that ask for a referral. Binary: the highest of them.
    """
    asked = {each.referral for each in task.classes}
    names = tuple(name for name in REFERRAL.names if name in asked)
    columns, findings = [], []
    for name in names:
        chosen = [at for at, each in enumerate(task.classes) if each.referral == name]
        part = scores[:, chosen]
        columns.append(part.sum(axis=1) if task.head is Head.SOFTMAX else part.max(axis=1))
        findings.append(any(task.classes[at].finding for at in chosen))
    stacked = np.stack(columns, axis=1) if columns else np.empty((len(scores), 0))
    return names, stacked, findings


def _referral(task: ImageTask, scores: ScoreArray, referrals: Mapping[str, float]) -> str | None:
    """Referral that scores decide for; None where the bundle states none for them."""
    if task.head is Head.BINARY:
        decided = decided_classes(task, scores)
        asked = {each.referral for each in task.classes if each.name in decided}
        most_urgent = [name for name in REFERRAL.names if name in asked]
        if most_urgent:
            return most_urgent[0]
        return None if decided else task.otherwise
    silent = [s for each, s in zip(task.classes, scores, strict=True) if each.referral is None]
    best = max(referrals, key=lambda name: referrals[name], default=None)
    return best if best is not None and referrals[best] >= max(silent, default=0.0) else None
