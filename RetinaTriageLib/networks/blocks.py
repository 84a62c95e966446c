"""Building blocks of both networks: 2D convolutions on B-scans, and their view of the neighbors.

Features are (batch * B-scan, channel, depth, width), channels last in memory. What crosses B-scans
is written as 2D convolutions too: the backward pass of a 3D convolution in bfloat16 takes minutes
on processors (torch 2.13).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.renorm import BatchRenorm2d


class ConvUnit(nn.Module):
    """Convolution, batch (re)normalization, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False
        )
        self.norm = BatchRenorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Features (N, outputs, depth, width) of features (N, inputs, depth, width)."""
        return F.relu(self.norm(self.conv(x)))

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the one convolution that this is once training is over.

        Raises
        ------
        InputError
            If the normalization has no running statistics.
        """
        norm = self.norm
        if norm.running_mean is None or norm.running_var is None:
            msg = (
                "Found batch normalization without running statistics; train the network with them."
            )
            raise InputError(msg)
        gain = norm.weight.detach() / norm.deviation
        weight = self.conv.weight.detach() * gain[:, None, None, None]
        return weight, norm.bias.detach() - norm.running_mean * gain


def conv_units(branch: nn.Module) -> list[ConvUnit]:
    """Units of a scanner adaptation branch, in their order."""
    return [unit for unit in branch.children() if isinstance(unit, ConvUnit)]


class SliceUnit(nn.Module):
    """Convolution across three neighboring B-scans, batch normalization, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.unit = ConvUnit(3 * inputs, outputs, 1)

    def forward(self, x: Tensor, bscans: int) -> Tensor:
        """Features (batch * B-scan, outputs, depth, width); zeros stand past the ends."""
        mixed: Tensor = self.unit(with_neighbors(x, bscans))
        return mixed


def with_neighbors(x: Tensor, bscans: int) -> Tensor:
    """Features of the previous, the same and the next B-scan as channels; zeros past the ends."""
    count, channels, depth, width = x.shape
    # As (batch, B-scan, ...): nothing may leak from one volume of the batch into the next.
    volume = x.permute(0, 2, 3, 1).reshape(count // bscans, bscans, depth, width, channels)
    edge = torch.zeros_like(volume[:, :1])
    before = torch.cat((edge, volume[:, :-1]), dim=1)
    after = torch.cat((volume[:, 1:], edge), dim=1)
    joined = torch.cat((before, volume, after), dim=4)
    return joined.reshape(count, depth, width, 3 * channels).permute(0, 3, 1, 2)


def even_length(x: Tensor, axis: int) -> Tensor:
    """Repeat the last entry along an axis of odd length."""
    return torch.cat((x, x.narrow(axis, -1, 1)), dim=axis) if x.shape[axis] % 2 else x


def prepare(network: nn.Module) -> None:
    """Draw the weights of all layers for ReLU networks and lay them out channels last.

    References
    ----------
    He et al., Delving deep into rectifiers, ICCV 2015.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
