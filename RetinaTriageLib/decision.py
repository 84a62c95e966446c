"""The verdict: the mean of all S x C opinions, re-weighted for an operating point, and decided."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.calibration import IDENTITY, Calibration, reweight
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.hypotheses import Hypothesis, Opinion, Spread, opinion_grid, spread
from RetinaTriageLib.operating_points import DECISION_LEVEL, OperatingPoint
from RetinaTriageLib.outcomes import CONDITIONS, OutcomeHead
from RetinaTriageLib.result import Verdict, Vocabulary

NORMAL = CONDITIONS.outcomes[0].name
"""Outcome that says "none of the others"; it gives way when another one is decided for."""


def decide(
    hypotheses: Sequence[Hypothesis],
    vocabulary: Vocabulary,
    calibration: Calibration = IDENTITY,
    operating_point: OperatingPoint = OperatingPoint.BALANCED,
    joint_opinions: Sequence[Opinion] = (),
) -> Verdict:
    """Verdict of S hypotheses with C opinions each, and of any opinions on all maps together.

    Opinions are averaged first; their mean is what a calibration was fitted on. Spreads are those
    of the S x C opinions, each re-weighted alike, so that a score lies between its low and high.
    A joint opinion counts as if it had been given on each of the maps that it rests on.

    Raises
    ------
    InputError
        If there is no opinion, an opinion lacks a head, has another number of outcomes or scores
        outside 0..1, or the calibration belongs to other outcomes.
    """
    for head in vocabulary.heads:
        _require_opinions(hypotheses, head, joint_opinions)
    raw: dict[str, npt.NDArray[np.float64]] = {}
    scores: dict[str, npt.NDArray[np.float64]] = {}
    spreads: dict[str, tuple[Spread, ...]] = {}
    decisions: dict[str, tuple[str, ...]] = {}
    for head in vocabulary.heads:
        factors = calibration.factors_of(head, operating_point)
        opinions = opinion_grid(hypotheses, head.name, joint_opinions)
        raw[head.name] = opinions.mean(axis=(0, 1))
        scores[head.name], decisions[head.name] = rescored(
            raw[head.name], head, calibration, operating_point
        )
        by_outcome = (
            reweight(opinions, head, factors).reshape(-1, len(head.outcomes)).T
        )  # (outcome, opinion)
        spreads[head.name] = tuple(spread(values) for values in by_outcome)
    return Verdict(
        raw=raw,
        scores=scores,
        spreads=spreads,
        decisions=decisions,
        operating_point=operating_point.value,
        calibration=calibration.describe(vocabulary.heads, operating_point),
    )


def rescored(
    raw: npt.ArrayLike,
    head: OutcomeHead,
    calibration: Calibration,
    operating_point: OperatingPoint,
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Re-weighted scores and decided outcomes of one head, from stored mean scores alone.

    Parameters
    ----------
    raw : array (outcome,), mean of all opinions, such as `Verdict.raw`

    Raises
    ------
    InputError
        If there is another number of scores than outcomes, or the calibration does not fit.
    """
    means = np.asarray(raw, np.float64)
    if means.shape != (len(head.outcomes),):
        msg = f"Found {means.shape} scores of {head.name}; expected {len(head.outcomes)}, one each."
        raise InputError(msg)
    scores = reweight(means, head, calibration.factors_of(head, operating_point))
    return scores, decided_outcomes(scores, head)


def decided_outcomes(scores: npt.ArrayLike, head: OutcomeHead) -> tuple[str, ...]:
    """Names of the outcomes that re-weighted scores decide for, in the order of the head.

    Exclusive heads: the highest score, the first of equal ones. Other heads: all scores of at least
    0.5, but "normal" only where it is alone; none is an answer too.

    Parameters
    ----------
    scores : array (outcome,), re-weighted
    """
    values = np.asarray(scores, np.float64)
    if head.exclusive:
        return (head.names[int(values.argmax())],)
    present = [n for n, p in zip(head.names, values, strict=True) if p >= DECISION_LEVEL]
    return tuple(name for name in present if name != NORMAL or present == [NORMAL])


def _require_opinions(
    hypotheses: Sequence[Hypothesis], head: OutcomeHead, joint: Sequence[Opinion]
) -> None:
    counts = {len(hypothesis.opinions) for hypothesis in hypotheses}
    if len(counts) != 1 or 0 in counts:
        msg = (
            f"Found {[len(h.opinions) for h in hypotheses]} opinions on {len(hypotheses)} "
            "hypotheses; expected the same number, at least one, on each. Classify every map."
        )
        raise InputError(msg)
    single = [opinion for hypothesis in hypotheses for opinion in hypothesis.opinions]
    for opinion in (*single, *joint):
        found = opinion.scores.get(head.name, np.empty(0))
        if found.shape != (len(head.outcomes),):
            msg = (
                f"Found {found.shape} scores of {head.name} from {opinion.classifier}; expected "
                f"{len(head.outcomes)}: {', '.join(head.names)}. Check bundle and vocabulary."
            )
            raise InputError(msg)
        if not np.all((found >= 0) & (found <= 1)):
            msg = (
                f"Found scores {found.tolist()} of {head.name} from {opinion.classifier}; expected "
                "0 to 1. The network or its input is broken: check the bundle."
            )
            raise InputError(msg)
