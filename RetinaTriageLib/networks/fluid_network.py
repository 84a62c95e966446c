"""A small network that looks for intraretinal fluid once more, in the straightened retina.

Segmenters tell fifteen tissues from a crop at full resolution and miss the pale, confluent parts of
cysts. This one sees the whole retina of a B-scan at half the resolution and answers one question.

References
----------
Ronneberger et al., U-Net, MICCAI 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

from RetinaTriageLib.networks.blocks import ConvUnit, prepare
from RetinaTriageLib.networks.flat_view import BRUCH_ROW

VIEW_VERSION = 1
"""Of `flat_view` and of `FluidNetwork.forward`'s scale; weights hold for one."""

MIDDLE_GRAY = 100.0
THINNEST_ROWS = 4.0  # relative depth is not divided by less
DEPTH_LIMITS = (-0.5, 1.5)
NEIGHBORS = 3


@dataclass(frozen=True)
class FluidConfig:
    """Shape of the network, and when it is believed.

    Attributes
    ----------
    channels : of every level, from full resolution down
    found : chance from which retina is fluid where a tissue map has some in the same region
    doubted : chance up to which fluid of a tissue map is retina
    view : `VIEW_VERSION` that it was trained on
    """

    channels: tuple[int, ...] = (16, 32, 48, 64, 96)
    found: float = 0.3
    doubted: float = 0.02
    view: int = VIEW_VERSION


class FluidNetwork(nn.Module):
    """U-Net from a B-scan and its neighbors in the straightened retina to the chance of fluid."""

    def __init__(self, config: FluidConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        self.down = nn.ModuleList(
            _two_units(inputs, outputs)
            for inputs, outputs in zip((NEIGHBORS + 1, *channels), channels, strict=False)
        )
        self.up = nn.ModuleList(
            _two_units(inputs + outputs, outputs) for outputs, inputs in pairwise(channels)
        )
        self.head = nn.Conv2d(channels[0], 1, 1)
        prepare(self)

    def forward(self, gray: Tensor, ilm_rows: Tensor) -> Tensor:
        """Scores before the sigmoid, (N, row, column).

        Parameters
        ----------
        gray : float tensor (N, 3, row, column), 0 to 255 on the common scale; the middle one is the
            B-scan that is asked about
        ilm_rows : float tensor (N, column)
        """
        x = torch.cat((gray / MIDDLE_GRAY - 1, _relative_depth(gray, ilm_rows)), dim=1)
        x = x.contiguous(memory_format=torch.channels_last)
        skipped = []
        for level, units in enumerate(self.down):
            x = units(F.max_pool2d(x, 2) if level else x)
            skipped.append(x)
        for units, fine in zip(reversed(self.up), reversed(skipped[:-1]), strict=True):
            x = units(torch.cat((F.interpolate(x, scale_factor=2, mode="bilinear"), fine), dim=1))
        scores: Tensor = self.head(x)
        return scores[:, 0]

    def require_sound(self) -> None:
        """Refuse a network of another view, or chances that cannot be.

        Raises
        ------
        ValueError
            If the view is another one, or ``found`` and ``doubted`` are no rising chances.
        """
        config = self.config
        if config.view != VIEW_VERSION:
            msg = f"a view of version {config.view}; this library takes version {VIEW_VERSION}"
            raise ValueError(msg)
        if not 0 <= config.doubted <= config.found <= 1:
            msg = f"doubted {config.doubted} and found {config.found}; expected two rising chances"
            raise ValueError(msg)


def _two_units(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(ConvUnit(inputs, outputs, 3), ConvUnit(outputs, outputs, 3))


def _relative_depth(gray: Tensor, ilm_rows: Tensor) -> Tensor:
    """Depth between ILM, 0, and Bruch's membrane, 1; (N, 1, row, column)."""
    rows = torch.arange(gray.shape[2], dtype=gray.dtype, device=gray.device)[:, None]
    top = ilm_rows[:, None, None, :]
    return ((rows - top) / (BRUCH_ROW - top).clamp(min=THINNEST_ROWS)).clamp(*DEPTH_LIMITS)
