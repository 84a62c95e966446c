"""The part that learns when the backbone is frozen: a linear head on standardized features."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from RetinaTriageLib.networks.bscan import over_places
from RetinaTriageLib.training.feature_cache import Features

SMALLEST_SPREAD = 1e-6  # a feature that never varies stays at 0


class StandardizedHead(nn.Module):
    """Linear scores of features that were brought to mean 0 and spread 1.

    Features of one backbone differ a hundredfold in size, which Adam's equal steps cannot serve.

    Parameters
    ----------
    features : float32 (picture, feature) or (picture, place, feature), what the head will learn
        from
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, features: Features, classes: int) -> None:
        super().__init__()
        everywhere = tuple(range(features.ndim - 1))
        spread = np.maximum(features.std(axis=everywhere), SMALLEST_SPREAD)
        self.register_buffer("mean", torch.from_numpy(features.mean(axis=everywhere)))
        self.register_buffer("spread", torch.from_numpy(spread))
        self.linear = nn.Linear(features.shape[-1], classes)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Scores (N, class) before softmax or sigmoid of features (N, feature), or by place."""
        return over_places(self.linear((features - self.mean) / self.spread))

    @torch.no_grad()
    def folded_into(self, head: nn.Linear) -> None:
        """Give the plain linear layer that scores features as they are."""
        weight = self.linear.weight / self.spread
        head.weight.copy_(weight)
        head.bias.copy_(self.linear.bias - weight @ self.mean)
