"""Scanner branches for pictures with inverted gray: black on white, as in print."""

from __future__ import annotations

import torch
from torch import nn

from RetinaTriageLib.networks.blocks import conv_units
from RetinaTriageLib.networks.gray import INVERSION


@torch.no_grad()
def invert_gray(branch: nn.Module) -> None:
    """Change a scanner branch so that it answers inverted pictures as it did the others, in place.

    Exact but for the outermost pixels, which see the zeros past the border. A convolution of
    ``INVERSION - x`` is one of ``x`` with weights of the other sign, moved by a constant that goes
    into the running mean behind it.
    """
    first = conv_units(branch)[0]
    assert first.norm.running_mean is not None
    first.conv.weight.neg_()
    first.norm.running_mean += INVERSION * first.conv.weight.sum(dim=(1, 2, 3))
