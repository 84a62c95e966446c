"""Loss of a classification network: cross-entropies of its heads, and the penalty of referrals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from RetinaTriageLib.networks.classification import HeadShape
from RetinaTriageLib.training.grids import UNANSWERED

LABEL_SMOOTHING = 0.05  # De Fauw et al. 2018, Supplementary Methods
NO_TENSORS: Mapping[str, Tensor] = MappingProxyType({})


@dataclass(frozen=True)
class AnswerTables:
    """What answers teach.

    Attributes
    ----------
    penalties : by exclusive head, float tensor (actual, predicted); its mean counts as 1
    penalty_share : weight of the expected penalty beside cross-entropy
    smoothing : share of the target that an answer hands to all outcomes alike
    class_weights : by head, float tensor (outcome,), as `class_weights.answer_weights`; heads that
        are missing weigh all outcomes alike
    """

    heads: tuple[HeadShape, ...]
    penalties: Mapping[str, Tensor] = field(default_factory=lambda: NO_TENSORS)
    penalty_share: float = 0.0
    smoothing: float = LABEL_SMOOTHING
    class_weights: Mapping[str, Tensor] = field(default_factory=lambda: NO_TENSORS)


def opinion_loss(
    scores: Mapping[str, Tensor], answers: Mapping[str, Tensor], tables: AnswerTables
) -> Tensor:
    """Sum over all questions of cross-entropy, plus the expected penalty; a scalar.

    An outcome of a head that is not exclusive is a question of its own.

    Parameters
    ----------
    scores : by head, float tensor (batch, outcome) before softmax or sigmoid
    answers : by head, integer tensor (batch,) or (batch, outcome); -1 teaches nothing
    """
    total = torch.zeros((), device=next(iter(scores.values())).device)
    for head in tables.heads:
        answer, score = answers[head.name], scores[head.name].float()
        if not bool((answer != UNANSWERED).any()):
            continue
        if not head.exclusive:
            total = total + _present_or_absent(score, answer, head, tables)
            continue
        weight = tables.class_weights.get(head.name)
        total = total + F.cross_entropy(
            score,
            answer,
            weight=weight,
            ignore_index=UNANSWERED,
            label_smoothing=tables.smoothing,
        )
        if head.name in tables.penalties:
            expected = _expected_penalty(score, answer, tables.penalties[head.name])
            total = total + tables.penalty_share * expected
    return total


def _present_or_absent(
    score: Tensor, answer: Tensor, head: HeadShape, tables: AnswerTables
) -> Tensor:
    """Binary cross-entropy, summed over outcomes, mean over the batch."""
    target = answer * (1 - tables.smoothing) + tables.smoothing / 2
    weight = tables.class_weights.get(head.name)
    terms = F.binary_cross_entropy_with_logits(score, target, reduction="none", pos_weight=weight)
    return (terms * (answer != UNANSWERED)).sum(dim=1).mean()


def _expected_penalty(score: Tensor, answer: Tensor, matrix: Tensor) -> Tensor:
    """Penalty by the predicted probabilities, relative to the mean of the matrix."""
    answered = answer != UNANSWERED
    cost = matrix[answer[answered]] / matrix.mean()  # (answered, predicted)
    return (score[answered].softmax(dim=1) * cost).sum(dim=1).mean()
