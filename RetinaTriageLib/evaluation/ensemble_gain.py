"""Is the ensemble better than its best single pair of networks? Measured on the same cases.

The best pair is picked on the very cases that it is scored on, which flatters it; an ensemble that
still wins does so in earnest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.evaluation.evaluation import Evaluation, OpinionEvaluation
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL

Measure = Callable[[OpinionEvaluation], float]


@dataclass(frozen=True)
class Gain:
    """One measure of the ensemble and of every member; NaN where it is not known.

    Attributes
    ----------
    members : name of a pair, or of a segmenter, to its value
    more_is_better : False for errors
    """

    measure: str
    ensemble: float
    members: Mapping[str, float]
    more_is_better: bool

    @property
    def best(self) -> str:
        """Name of the best member, the first of equal ones."""
        known = {name: value for name, value in self.members.items() if math.isfinite(value)}
        sign = 1 if self.more_is_better else -1
        return max(known, key=lambda name: sign * known[name], default="")

    @property
    def verdict(self) -> str:
        """Whether the ensemble is "better", "equal" or "worse" than the best member."""
        if not self.best or not math.isfinite(self.ensemble):
            return "not known"
        ahead = self.ensemble - self.members[self.best]
        if ahead == 0:
            return "equal"
        return "better" if (ahead > 0) == self.more_is_better else "worse"


def ensemble_gains(evaluation: Evaluation) -> tuple[Gain, ...]:
    """Gains in Dice, referral error and penalty, and AUC, as far as the set tells them."""
    gains = []
    if evaluation.consensus is not None:
        dice = {member.segmenter: member.dice for member in evaluation.maps[:-1]}
        gains.append(
            Gain("mean Dice, pooled", evaluation.consensus.dice, dice, more_is_better=True)
        )
    if evaluation.ensemble is None:
        return tuple(gains)
    heads = [head.head for head in evaluation.ensemble.heads]
    if REFERRAL.name in heads:
        gains += [
            _gain(evaluation, "referral error", referral_error, more_is_better=False),
            _gain(evaluation, "referral mean penalty", referral_penalty, more_is_better=False),
        ]
    if CONDITIONS.name in heads:
        gains.append(_gain(evaluation, "mean AUC of conditions", mean_auc, more_is_better=True))
    return tuple(gains)


def referral_error(judge: OpinionEvaluation) -> float:
    """Share of cases with a wrong referral."""
    exclusive = judge.of(REFERRAL.name).exclusive
    return exclusive.error.value if exclusive else float("nan")


def referral_penalty(judge: OpinionEvaluation) -> float:
    """Mean penalty of a referral."""
    exclusive = judge.of(REFERRAL.name).exclusive
    return exclusive.mean_penalty if exclusive else float("nan")


def mean_auc(judge: OpinionEvaluation) -> float:
    """Mean AUC over the conditions that have cases of both kinds."""
    areas = [outcome.auc for outcome in judge.of(CONDITIONS.name).outcomes]
    known = [area for area in areas if math.isfinite(area)]
    return float(np.mean(known)) if known else float("nan")


def gain_text(gain: Gain) -> str:
    """Sentence on one gain.

    Examples
    --------
    >>> gain_text(Gain("mean Dice, pooled", 0.9, {"a": 0.85, "b": 0.88}, more_is_better=True))
    'mean Dice, pooled: ensemble 0.9000, best of 2 members 0.8800 (b): better'
    """
    if not gain.best:
        return f"{gain.measure}: not known"
    return (
        f"{gain.measure}: ensemble {gain.ensemble:.4f}, best of {len(gain.members)} members "
        f"{gain.members[gain.best]:.4f} ({gain.best}): {gain.verdict}"
    )


def gain_json(gain: Gain) -> dict[str, object]:
    """Gain as JSON takes it; None where there is no number."""
    return {
        "measure": gain.measure,
        "ensemble": finite_or_none(gain.ensemble),
        "best_member": gain.best,
        "best": finite_or_none(gain.members[gain.best]) if gain.best else None,
        "members": {name: finite_or_none(value) for name, value in gain.members.items()},
        "verdict": gain.verdict,
    }


def _gain(
    evaluation: Evaluation,
    measure: str,
    value: Measure,
    *,
    more_is_better: bool,
) -> Gain:
    *pairs, ensemble = evaluation.opinions
    members = {pair.judge: value(pair) for pair in pairs}
    return Gain(measure, value(ensemble), members, more_is_better)
