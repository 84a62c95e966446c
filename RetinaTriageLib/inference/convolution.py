"""Convolutions of a trained network with what follows them folded in: normalization and ReLU.

On processors, convolution and ReLU can be one oneDNN kernel with weights packed ahead. These are
private operators of torch: they are taken only with versions that were tried, and only where a
small convolution comes out as with torch's public functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from RetinaTriageLib.networks.blocks import ConvUnit, even_length

Convolution = Callable[[Tensor], Tensor]

# Versions whose private operators were tried; they have no promise to stay.
FUSED_TORCH_VERSIONS = ("2.13",)

ONES = (1, 1)


@dataclass(frozen=True)
class FoldedConv:
    """Convolution with the batch normalization behind it folded in, then ReLU.

    Attributes
    ----------
    bias : float32, as oneDNN adds it; where weights are rounded to bfloat16 it need not be
    """

    weight: Tensor
    bias: Tensor
    padding: int

    def __call__(self, x: Tensor) -> Tensor:
        """Features (N, outputs, depth, width)."""
        bias = self.bias.to(x.dtype)
        return F.conv2d(x, self.weight, bias, padding=self.padding).relu_()


class FusedConv:
    """The same as one oneDNN kernel; weights are packed once for every size that comes."""

    def __init__(self, conv: FoldedConv) -> None:
        self._conv = conv
        self._padding = (conv.padding, conv.padding)
        self._packed: dict[torch.Size, Tensor] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """Features (N, outputs, depth, width)."""
        packed = self._packed.get(x.shape)
        if packed is None:
            packed = torch.ops.mkldnn._reorder_convolution_weight(
                self._conv.weight, self._padding, ONES, ONES, 1, list(x.shape)
            )
            self._packed[x.shape] = packed
        features: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, packed, self._conv.bias, self._padding, ONES, ONES, 1, "relu", [], ""
        )
        return features


def fold(unit: ConvUnit, dtype: torch.dtype, *, fused: bool = False) -> Convolution:
    """Convolution of a trained unit with its batch normalization folded in.

    Parameters
    ----------
    fused : whether to use oneDNN's kernels directly, see `fused_kernels_agree`

    Raises
    ------
    InputError
        If the normalization has no running statistics.
    """
    weight, bias = unit.folded()
    conv = FoldedConv(prepared(weight, dtype), bias.float(), unit.conv.kernel_size[0] // 2)
    return FusedConv(conv) if fused else conv


def prepared(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """Weights of a convolution in a number format, channels last in memory."""
    return weight.detach().to(dtype).contiguous(memory_format=torch.channels_last)


def halved(x: Tensor) -> Tensor:
    """Maximum of every 2 x 2 voxels, (N, channel, depth, width) to half of both, rounded up.

    Two maxima of views take half the time of ``max_pool2d`` on processors (torch 2.13), which
    keeps the positions as well.
    """
    rows = even_length(even_length(x.permute(0, 2, 3, 1), 1), 2)  # (N, depth, width, channel)
    depths = torch.maximum(rows[:, 0::2], rows[:, 1::2])
    return torch.maximum(depths[:, :, 0::2], depths[:, :, 1::2]).permute(0, 3, 1, 2)


@cache
def fused_kernels_agree(dtype: torch.dtype) -> bool:
    """Tell whether fused kernels are of a version that was tried and give what torch gives."""
    if not torch.__version__.startswith(tuple(f"{known}." for known in FUSED_TORCH_VERSIONS)):
        return False
    count = 8
    ramp = torch.linspace(-1, 1, count * count * 9)
    weight = prepared(ramp.reshape(count, count, 3, 3), dtype)
    conv = FoldedConv(weight, torch.linspace(-1, 1, count), 1)
    x = prepared(torch.linspace(-1, 1, 2 * count * 64).reshape(2, count, 8, 8), dtype)
    with torch.inference_mode():
        try:
            fused = FusedConv(conv)(x)
        except (AttributeError, NotImplementedError, RuntimeError):  # torch without oneDNN
            return False
        return torch.allclose(fused.float(), conv(x).float(), rtol=0.02, atol=0.02)
