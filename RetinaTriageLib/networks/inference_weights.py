"""Weights as inference uses them, so that bfloat16 and float32 run the very same network.

Rounding activations errs voxel by voxel, to either side. Rounding a weight errs everywhere alike:
it moves the borders of a tissue, and with them its volume by a percent or two. So weights are
rounded once, when a bundle is made, and what is measured of it holds for both number formats.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from RetinaTriageLib.networks.blocks import ConvUnit
from RetinaTriageLib.networks.segmentation import SegmentationNetwork


def round_for_inference(network: SegmentationNetwork) -> None:
    """Fold normalizations into their convolutions and round these to bfloat16, in place.

    Normalizations stay as they are needed to train on: they know the statistics of the folded
    features, and gain and shift that undo them. Without those, training that starts from here would
    normalize what was never normalized, and forget. The head is left alone, as it always runs in
    single precision.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, ConvUnit):
                _fold(module)
            elif isinstance(module, nn.ConvTranspose2d):
                for values in module.parameters():
                    values.copy_(_rounded(values))


def _fold(unit: ConvUnit) -> None:
    weight, bias = unit.folded()
    norm = unit.norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    gain = norm.weight / norm.deviation
    unit.conv.weight.copy_(_rounded(weight))
    norm.running_mean.mul_(gain)
    norm.running_var.mul_(gain.square())
    norm.weight.copy_(norm.deviation)  # a gain of exactly 1
    norm.bias.copy_(bias + norm.running_mean)


def _rounded(values: Tensor) -> Tensor:
    return values.to(torch.bfloat16).to(values.dtype)
