"""Scores of the opinions on labeled cases: of every pair of networks and of their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.evaluation.classification_scores import (
    UNKNOWN,
    HeadAnswers,
    ScoreArray,
    TruthArray,
    head_scores,
)
from RetinaTriageLib.evaluation.evaluation import ENSEMBLE, OpinionEvaluation
from RetinaTriageLib.hypotheses import Opinion
from RetinaTriageLib.labels.case_truth import Answers
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead

ALL_MAPS = "all maps"
"""Stands for the segmenter of an opinion on all tissue maps together."""


@dataclass(frozen=True)
class JudgedCase:
    """One case with S tuples of C opinions on it, and what is known of its answers.

    Attributes
    ----------
    bscans : of the scan; one B-scan alone may have a calibration of its own
    joint_opinions : those on all S maps together, one of each joint classifier
    """

    name: str
    patient: str
    bscans: int
    answers: Answers
    opinions: tuple[tuple[Opinion, ...], ...]
    joint_opinions: tuple[Opinion, ...] = ()


def ensemble_answers(
    cases: Sequence[JudgedCase], heads: tuple[OutcomeHead, ...]
) -> Mapping[str, HeadAnswers]:
    """Mean opinion and truth of every head that is known in some case."""
    return {
        head.name: _answers(cases, head, _mean_scores(cases, head))
        for head in _known_heads(cases, heads)
    }


def opinion_evaluations(
    cases: Sequence[JudgedCase], bundle: Bundle, point: OperatingPoint, *, intervals: bool
) -> tuple[OpinionEvaluation, ...]:
    """Scores of each pair and joint classifier and, last, of the ensemble.

    Empty where no answer is known.

    All are re-weighted alike, by the calibration of the bundle for such a scan, which was fitted on
    the mean.

    Parameters
    ----------
    intervals : whether to draw bootstrap intervals of the AUC of the ensemble
    """
    heads = _known_heads(cases, bundle.vocabulary.heads)
    if not heads:
        return ()
    scores = {head.name: _scores(cases, head) for head in heads}

    factors = {
        head.name: np.stack(
            [bundle.calibration_of(case.bscans).factors_of(head, point) for case in cases]
        )
        for head in heads
    }

    def evaluated(judge: str, raw: Mapping[str, ScoreArray], *, drawn: bool) -> OpinionEvaluation:
        of_heads = (
            head_scores(
                _answers(cases, head, raw[head.name]),
                factors[head.name],
                bundle.manifest.penalties.get(head.name),
                intervals=drawn,
            )
            for head in heads
        )
        return OpinionEvaluation(judge, tuple(of_heads))

    pairs = [
        evaluated(
            f"{segmenter.name} × {classifier.name}",
            {name: of_head[:, row, column] for name, of_head in scores.items()},
            drawn=False,
        )
        for row, segmenter in enumerate(bundle.manifest.segmenters)
        for column, classifier in enumerate(bundle.manifest.map_classifiers)
    ]
    joint = [
        evaluated(
            f"{ALL_MAPS} × {classifier.name}",
            {
                head.name: np.array([c.joint_opinions[at].scores[head.name] for c in cases])
                for head in heads
            },
            drawn=False,
        )
        for at, classifier in enumerate(bundle.manifest.joint_classifiers)
    ]
    means = {head.name: _mean_scores(cases, head) for head in heads}
    return (*pairs, *joint, evaluated(ENSEMBLE, means, drawn=intervals))


def _known_heads(
    cases: Sequence[JudgedCase], heads: tuple[OutcomeHead, ...]
) -> tuple[OutcomeHead, ...]:
    return tuple(head for head in heads if (_truth(cases, head) != UNKNOWN).any())


def _scores(cases: Sequence[JudgedCase], head: OutcomeHead) -> npt.NDArray[np.float64]:
    """Raw scores as array (case, segmenter, classifier, outcome)."""
    return np.array(
        [[[o.scores[head.name] for o in of_map] for of_map in case.opinions] for case in cases]
    )


def _mean_scores(cases: Sequence[JudgedCase], head: OutcomeHead) -> ScoreArray:
    """Mean over all opinions as array (case, outcome); a joint one counts once a map."""
    rows = [
        [
            [opinion.scores[head.name] for opinion in (*of_map, *case.joint_opinions)]
            for of_map in case.opinions
        ]
        for case in cases
    ]
    return np.asarray(np.mean(rows, axis=(1, 2)))


def _truth(cases: Sequence[JudgedCase], head: OutcomeHead) -> TruthArray:
    rows = [
        [int(case.answers.get(head.name, {}).get(name, UNKNOWN)) for name in head.names]
        for case in cases
    ]
    return np.array(rows, np.int8).reshape(len(cases), len(head.names))


def _answers(cases: Sequence[JudgedCase], head: OutcomeHead, raw: ScoreArray) -> HeadAnswers:
    return HeadAnswers(head, raw, _truth(cases, head), tuple(case.patient for case in cases))
