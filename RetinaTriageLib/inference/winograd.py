"""3 x 3 convolutions in single precision with a fifth of the products, by Winograd's filtering.

NNPACK, which torch carries on Linux and macOS, takes 64 products for 6 x 6 results instead of 324.
What it adds and transforms in turn pays from some tens of channels on. Its operator is private in
torch, and taken on the same terms as oneDNN's, see `convolution`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

# Fewer channels go in or out as fast or faster directly (AMD Zen 4; `docs/performance.md`).
LEAST_CHANNELS = 48


@dataclass(frozen=True)
class WinogradConv:
    """3 x 3 convolution of features in float32, then ReLU.

    Features and weights lie channel by channel in memory, not channels last.

    Attributes
    ----------
    weight : float32 tensor (outputs, inputs, 3, 3)
    bias : float32 tensor (outputs,)

    References
    ----------
    Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016 (arXiv:1509.09308).
    """

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Features (N, outputs, depth, width)."""
        # One B-scan at a time: NNPACK keeps its fast path for batches of one.
        bscans = [
            torch._nnpack_spatial_convolution(bscan, self.weight, self.bias, 1, 1).relu_()
            for bscan in torch.split(x.contiguous(), 1)
        ]
        return bscans[0] if len(bscans) == 1 else torch.cat(bscans)


@dataclass(frozen=True)
class PointConv:
    """1 x 1 convolution of features in float32, then ReLU: one matrix product a B-scan.

    torch's own takes a slow path where features lie channel by channel (torch 2.13).

    Attributes
    ----------
    weight : float32 tensor (outputs, inputs, 1, 1)
    bias : float32 tensor (outputs,)
    """

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Features (N, outputs, depth, width)."""
        rows = torch.matmul(self.weight.flatten(1), x.flatten(2)).add_(self.bias[:, None]).relu_()
        return rows.view(len(x), -1, *x.shape[2:])


@cache
def winograd_agrees() -> bool:
    """Tell whether NNPACK is there and a small convolution comes out as with torch."""
    # The first question makes NNPACK ready; without it every convolution fails.
    if not torch.backends.nnpack.is_available():  # type: ignore[no-untyped-call]
        return False
    count = 4
    weight = torch.linspace(-1, 1, count * count * 9).reshape(count, count, 3, 3)
    bias = torch.linspace(-1, 1, count)
    x = torch.linspace(-1, 1, 2 * count * 70).reshape(2, count, 7, 10)
    with torch.inference_mode():
        try:
            found = WinogradConv(weight, bias)(x)
        except (AttributeError, NotImplementedError, RuntimeError):  # another torch
            return False
        expected = nn.functional.conv2d(x, weight, bias, padding=1).relu()
    return torch.allclose(found, expected, rtol=1e-3, atol=1e-3)
