"""A trained segmentation network made wider or deeper, which at first gives the same answers.

What a small network has learned is kept, and training goes on with the capacity that it lacked.
Old features read nothing from the new ones until training lets them; a new deepest level begins
beside a path that hands the old features through.

References
----------
Chen et al., Net2Net: Accelerating Learning via Knowledge Transfer, ICLR 2016 (arXiv:1511.05641).
Here new features are drawn instead of copied, so that nothing keeps them alike.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.blocks import ConvUnit, conv_units
from RetinaTriageLib.networks.segmentation import (
    DecoderLevel,
    EncoderLevel,
    SegmentationNetwork,
)


@torch.no_grad()
def grown(network: SegmentationNetwork, channels: tuple[int, ...]) -> SegmentationNetwork:
    """Network of more channels, or more levels, with the same answers.

    New weights are drawn: set the seed of torch before.

    Parameters
    ----------
    channels : feature maps a level, at least as many as the network has, on as many levels or more

    Raises
    ------
    InputError
        If a level would become narrower, or there would be fewer levels.
    """
    old = network.config.channels
    if len(channels) < len(old) or any(n < o for n, o in zip(channels, old, strict=False)):
        msg = (
            f"Found {list(channels)} channels for a network of {list(old)}; expected at least as "
            "many on every level. A network grows and never shrinks."
        )
        raise InputError(msg)
    larger = SegmentationNetwork(replace(network.config, channels=channels))
    larger.train(network.training)
    for name, branch in network.branches.items():
        for small, large in zip(conv_units(branch), conv_units(larger.branches[name]), strict=True):
            _copy_unit(small, large)
    for name, level in network.encoder.items():
        _copy_encoder_level(level, larger.encoder[name])
    for name, level in network.decoder.items():
        _copy_decoder_level(level, larger.decoder[name])
    if len(channels) > len(old):
        deepest = f"level{len(old) - 1}"
        _hand_through(network.encoder[deepest], larger.decoder[deepest])
    larger.head.weight[:, old[0] :] = 0
    larger.head.weight[:, : old[0]] = network.head.weight
    _copy_vector(network.head.bias, larger.head.bias)
    return larger


def _copy_encoder_level(small: nn.Module, large: nn.Module) -> None:
    assert isinstance(small, EncoderLevel)
    assert isinstance(large, EncoderLevel)
    _copy_unit(small.first, large.first)
    if small.slices is not None and large.slices is not None:
        _copy_unit(small.slices.unit, large.slices.unit, parts=3)  # B-scan before, same, next
    _copy_unit(small.second, large.second)


def _copy_decoder_level(small: nn.Module, large: nn.Module) -> None:
    assert isinstance(small, DecoderLevel)
    assert isinstance(large, DecoderLevel)
    inputs, outputs = small.up.weight.shape[:2]
    large.up.weight[:, :outputs] = 0
    large.up.weight[:inputs, :outputs] = small.up.weight
    _copy_vector(small.up.bias, large.up.bias)
    _copy_unit(small.first, large.first, parts=2)  # from below, from the encoder
    _copy_unit(small.second, large.second)


def _copy_unit(small: ConvUnit, large: ConvUnit, parts: int = 1) -> None:
    """Copy a unit whose inputs are so many parts side by side, each of which may have grown."""
    outputs, inputs = small.conv.weight.shape[:2]
    within = torch.arange(inputs // parts)
    starts = torch.arange(parts) * (large.conv.in_channels // parts)
    places = (starts[:, None] + within).flatten()
    large.conv.weight[:outputs] = 0
    large.conv.weight[:outputs, places] = small.conv.weight
    theirs = large.norm.state_dict()
    for name, values in small.norm.state_dict().items():
        _copy_vector(values, theirs[name])


def _hand_through(encoder: nn.Module, decoder: nn.Module) -> None:
    """Let a new decoder level give what the encoder's last level gave before.

    Its normalizations take the statistics of these features, so that they change nothing: those
    of a normal distribution, which normalization leaves, cut off at 0.
    """
    assert isinstance(encoder, EncoderLevel)
    assert isinstance(decoder, DecoderLevel)
    mean, variance = _rectified(encoder.second.norm.bias, encoder.second.norm.weight)
    count = len(mean)
    each = torch.arange(count)
    for unit, first in ((decoder.first, decoder.first.conv.in_channels // 2), (decoder.second, 0)):
        unit.conv.weight[:count] = 0
        unit.conv.weight[each, first + each, 1, 1] = 1
        norm = unit.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean[:count] = mean
        norm.running_var[:count] = variance
        norm.bias[:count] = mean
        norm.weight[:count] = norm.deviation[:count]


def _rectified(mean: Tensor, deviation: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of a normal distribution after ReLU."""
    scale = deviation.abs().clamp(min=1e-6)
    ratio = mean / scale
    share = 0.5 * (1 + torch.erf(ratio / math.sqrt(2)))
    density = torch.exp(-0.5 * ratio**2) / math.sqrt(2 * math.pi)
    first = mean * share + scale * density
    second = (mean**2 + scale**2) * share + mean * scale * density
    return first, (second - first**2).clamp(min=1e-6)


def _copy_vector(small: Tensor | None, large: Tensor | None) -> None:
    if small is not None and large is not None:
        large.view(-1)[: small.numel()] = small.view(-1)  # the count of batches has no axis
