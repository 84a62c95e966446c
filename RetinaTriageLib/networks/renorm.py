"""Batch normalization whose training matches its use, for batches of few, similar B-scans.

A batch is a stack of neighboring B-scans of one eye, so its statistics are those of that eye: a
network trained on them meets other numbers when it is used with running statistics. Batch
renormalization corrects the batch's statistics to the running ones in the forward pass, and keeps
the gradient through the batch's own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

LARGEST_SCALE, LARGEST_SHIFT = 3.0, 5.0  # of the paper's section 4
MOMENTUM = 0.01


class BatchRenorm2d(nn.BatchNorm2d):
    """Batch renormalization of features (N, channel, depth, width).

    Equal to ``nn.BatchNorm2d`` in evaluation mode, with the same parameters and buffers. While
    weights still move fast the running statistics lag behind them, so training begins as plain
    batch normalization and raises `trust` later, see `trust_running_statistics`.

    Attributes
    ----------
    trust : 0 normalizes by the batch alone, 1 corrects it in full to the running statistics

    References
    ----------
    Ioffe, Batch Renormalization, NeurIPS 2017 (arXiv:1702.03275).
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, momentum=MOMENTUM)
        self.trust = 0.0

    @property
    def deviation(self) -> Tensor:
        """Running standard deviation that features are divided by, float32 (channel,)."""
        assert self.running_var is not None
        return torch.sqrt(self.running_var + self.eps)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same shape."""
        if not self.training:
            return super().forward(x)
        mean, var = _statistics(x)
        scale, shift = self._correction(mean, var)
        weight, bias = self.weight * scale, self.bias + self.weight * shift
        return F.batch_norm(x, None, None, weight, bias, training=True, eps=self.eps)

    @torch.no_grad()
    def _correction(self, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift from the batch's statistics to the running ones, which then follow."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        seen = int(self.num_batches_tracked)
        largest = 1 + self.trust * (LARGEST_SCALE - 1)
        deviation = self.deviation
        scale = (torch.sqrt(var + self.eps) / deviation).clamp_(1 / largest, largest)
        shift = (mean - self.running_mean) / deviation
        shift = shift.clamp_(-self.trust * LARGEST_SHIFT, self.trust * LARGEST_SHIFT)
        follow = max(MOMENTUM, 1 / (seen + 1))  # a plain mean until there is enough to forget
        self.running_mean.lerp_(mean, follow)
        self.running_var.lerp_(var, follow)
        self.num_batches_tracked += 1
        return scale, shift


def trust_running_statistics(network: nn.Module, trust: float) -> None:
    """Set `BatchRenorm2d.trust` of all layers of a network."""
    for module in network.modules():
        if isinstance(module, BatchRenorm2d):
            module.trust = trust


@torch.no_grad()
def forget_statistics(network: nn.Module) -> None:
    """Let running statistics of all layers begin anew with the next batch, for other pictures."""
    for module in network.modules():
        if isinstance(module, BatchRenorm2d):
            assert module.num_batches_tracked is not None
            module.num_batches_tracked.zero_()


@torch.no_grad()
def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of every channel, float32 (channel,)."""
    # Two plain sums; torch.var_mean along channels-last memory takes ten times as long on a CPU.
    rows = x.permute(0, 2, 3, 1).flatten(0, 2).float()
    mean = rows.mean(dim=0)
    return mean, (rows.square().mean(dim=0) - mean.square()).clamp_(min=0)
