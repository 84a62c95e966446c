"""Loss of a classification network: cross-entropies of its heads, and the penalty of referrals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from RetinaTriageLib.networks.classification import HeadShape
from RetinaTriageLib.training.grids import UNANSWERED

LABEL_SMOOTHING = 0.05  # De Fauw et al. 2018, Supplementary Methods


def opinion_loss(
    scores: Mapping[str, Tensor],
    answers: Mapping[str, Tensor],
    heads: Sequence[HeadShape],
    penalties: Mapping[str, Tensor],
    penalty_share: float,
) -> Tensor:
    """Sum over all questions of cross-entropy, plus the expected penalty; a scalar.

    An outcome of a head that is not exclusive is a question of its own.

    Parameters
    ----------
    scores : by head, float tensor (batch, outcome) before softmax or sigmoid
    answers : by head, integer tensor (batch,) or (batch, outcome); -1 teaches nothing
    penalties : by exclusive head, float tensor (actual, predicted); its mean counts as 1
    penalty_share : weight of the expected penalty beside cross-entropy
    """
    total = torch.zeros((), device=next(iter(scores.values())).device)
    for head in heads:
        answer, score = answers[head.name], scores[head.name].float()
        answered = answer != UNANSWERED
        if not bool(answered.any()):
            continue
        if not head.exclusive:
            target = answer * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / 2
            terms = F.binary_cross_entropy_with_logits(score, target, reduction="none")
            total = total + (terms * answered).sum(dim=1).mean()
            continue
        total = total + F.cross_entropy(
            score, answer, ignore_index=UNANSWERED, label_smoothing=LABEL_SMOOTHING
        )
        if head.name in penalties:
            matrix = penalties[head.name]
            cost = matrix[answer[answered]] / matrix.mean()  # (answered, predicted)
            expected = (score[answered].softmax(dim=1) * cost).sum(dim=1)
            total = total + penalty_share * expected.mean()
    return total
