"""Segmentation network: B-scans to the tissue class of every voxel.

A 2.5D U-Net. All in-plane work is 2D convolutions with the B-scans in the batch; a few cross-slice
convolutions in the encoder let each B-scan see its neighbors. The scanner adaptation branch comes
first, one a device family; the common block behind it never sees which scanner it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.blocks import ConvUnit, SliceUnit, even_length, prepare


@dataclass(frozen=True)
class SegmentationConfig:
    """Shape of a segmentation network.

    Attributes
    ----------
    channels : feature maps a level; level 0 has half the depth and the full width of the B-scan
    slice_levels : encoder levels with a cross-slice convolution; each adds one B-scan of context
        on either side
    branches : names of the scanner adaptation branches
    """

    classes: int = 15
    channels: tuple[int, ...] = (16, 32, 64, 96, 128)
    slice_levels: tuple[int, ...] = (1, 2, 3, 4)
    branches: tuple[str, ...] = ("spectralis", "cirrus", "topcon", "optovue")

    def __post_init__(self) -> None:
        """Refuse cross-slice convolutions outside the common encoder."""
        if not all(1 <= level < len(self.channels) for level in self.slice_levels):
            msg = (
                f"Found slice_levels {self.slice_levels}; expected levels from 1 to "
                f"{len(self.channels) - 1}. Level 0 belongs to the scanner adaptation branches."
            )
            raise InputError(msg)

    @property
    def width_step(self) -> int:
        """A-scans that the deepest level takes together."""
        return 1 << (len(self.channels) - 1)

    @property
    def context_bscans(self) -> int:
        """Number of B-scans that the answer for one B-scan rests on."""
        return 1 + 2 * len(self.slice_levels)


class EncoderLevel(nn.Module):
    """One level of the way down; ``slices`` looks at the neighboring B-scans."""

    def __init__(self, inputs: int, outputs: int, *, across_slices: bool) -> None:
        super().__init__()
        self.first = ConvUnit(inputs, outputs, 3)
        self.slices = SliceUnit(outputs, outputs) if across_slices else None
        self.second = ConvUnit(outputs, outputs, 3)

    def forward(self, x: Tensor, bscans: int) -> Tensor:
        """Features (batch * B-scan, channel, depth, width) at half the size, rounded up."""
        x = self.first(F.max_pool2d(x, 2, ceil_mode=True))
        if self.slices is not None:
            x = x + self.slices(x, bscans)
        features: Tensor = self.second(x)
        return features


class DecoderLevel(nn.Module):
    """One level of the way up: twice the size, joined with the encoder's features."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.first = ConvUnit(2 * outputs, outputs, 3)
        self.second = ConvUnit(outputs, outputs, 3)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Features (N, outputs, depth, width) at the size of ``skip``."""
        features: Tensor = self.second(self.first(joined(self.up(x), skip)))
        return features


class SegmentationNetwork(nn.Module):
    """Tissue class scores of B-scans that lie side by side.

    Departs from De Fauw et al. 2018 (Supplementary Fig. 15) to fit processors without a GPU: the
    depth is folded into channels first, three convolutions a level become two, batch normalization
    is added, and cross-slice convolutions pad with zeros so that every B-scan gets an answer.
    """

    def __init__(self, config: SegmentationConfig | None = None) -> None:
        super().__init__()
        self.config = config or SegmentationConfig()
        channels = self.config.channels
        self.branches = nn.ModuleDict(
            {name: _scanner_branch(channels[0]) for name in self.config.branches}
        )
        self.encoder = nn.ModuleDict(
            {
                f"level{level}": EncoderLevel(
                    channels[level - 1],
                    channels[level],
                    across_slices=level in self.config.slice_levels,
                )
                for level in range(1, len(channels))
            }
        )
        self.decoder = nn.ModuleDict(
            {
                f"level{level}": DecoderLevel(channels[level + 1], channels[level])
                for level in reversed(range(len(channels) - 1))
            }
        )
        self.head = nn.Conv2d(channels[0], 2 * self.config.classes, 1)
        prepare(self)

    def forward(self, bscans: Tensor, branch: str) -> Tensor:
        """Class scores before softmax.

        Parameters
        ----------
        bscans : float tensor (batch, B-scan, depth, width), normalized gray values
        branch : scanner adaptation branch to use

        Returns
        -------
        tensor (batch, class, B-scan, depth, width)

        Raises
        ------
        InputError
            If the tensor is not 4D or the branch is unknown.
        """
        require_branch(self.config, branch)
        if bscans.ndim != 4:
            msg = (
                "Expected (batch, B-scan, depth, width), got "
                f"{tuple(bscans.shape)}; add the missing axes."
            )
            raise InputError(msg)
        batch, count, depth, width = bscans.shape
        x = fold_depth(bscans.flatten(0, 1))
        skips = [self.branches[branch](x)]
        for level in self.encoder.values():
            skips.append(level(skips[-1], count))
        x = skips.pop()
        for level in self.decoder.values():
            x = level(x, skips.pop())
        scores = unfold_depth(self.head(x))[:, :, :depth]
        return scores.reshape(batch, count, -1, depth, width).transpose(1, 2)

    def add_branch(self, name: str, like: str | None = None) -> None:
        """Add a scanner adaptation branch: newly drawn, or a copy of the branch ``like``."""
        if name in self.config.branches:
            msg = f"Found a branch {name!r} already; choose another name or train that one."
            raise InputError(msg)
        branch = _scanner_branch(self.config.channels[0])
        prepare(branch)
        if like is not None:
            require_branch(self.config, like)
            branch.load_state_dict(self.branches[like].state_dict())
        self.branches[name] = branch.to(self.head.weight).train(self.training)
        self.config = replace(self.config, branches=(*self.config.branches, name))


def _scanner_branch(channels: int) -> nn.Sequential:
    return nn.Sequential(ConvUnit(2, channels, 3), ConvUnit(channels, channels, 3))


def require_branch(config: SegmentationConfig, branch: str) -> None:
    """Refuse a scanner adaptation branch that the network does not have."""
    if branch not in config.branches:
        msg = (
            f"Found scanner branch {branch!r}; this network has {', '.join(config.branches)}. "
            "Choose one of them, or adapt the network to the new scanner."
        )
        raise InputError(msg)


def joined(up: Tensor, skip: Tensor) -> Tensor:
    """Channels of both, at the size of ``skip``: halves of levels were rounded up."""
    depth, width = skip.shape[-2:]
    return torch.cat((up[:, :, :depth, :width], skip), dim=1)


def fold_depth(bscans: Tensor) -> Tensor:
    """Even and odd depths as two channels: (N, depth, width) to (N, 2, depth / 2, width).

    An odd number of depths is rounded up; the last one is repeated.
    """
    count, _, width = bscans.shape
    pairs = even_length(bscans, 1).reshape(count, -1, 2, width).transpose(1, 2)
    return pairs.contiguous(memory_format=torch.channels_last)


def unfold_depth(scores: Tensor) -> Tensor:
    """Full depth again: (N, 2 * class, depth / 2, width) to (N, class, depth, width)."""
    count, planes, depth, width = scores.shape
    pairs = scores.reshape(count, planes // 2, 2, depth, width)
    return pairs.transpose(2, 3).reshape(count, planes // 2, 2 * depth, width)
