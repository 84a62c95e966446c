"""Classification network: a tissue map, as class fractions on a grid, to one answer a head.

Densely connected blocks as in De Fauw et al. 2018 (Supplementary Fig. 16). The network sees tissue
classes only, never gray values, so it need not know which scanner made the volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.blocks import ConvUnit, SliceUnit, prepare
from RetinaTriageLib.outcomes import OUTCOME_HEADS

STEM_CHANNELS = 24
PATIENT_CHANNELS = 8


class HeadShape(NamedTuple):
    """One question of a classification network; exclusive answers add up to 1."""

    name: str
    size: int
    exclusive: bool


DEFAULT_HEADS = tuple(HeadShape(h.name, len(h.outcomes), h.exclusive) for h in OUTCOME_HEADS)


@dataclass(frozen=True)
class ClassificationConfig:
    """Shape of a classification network.

    Attributes
    ----------
    growth : feature maps that each convolution of a dense block adds
    blocks : rounds a dense block; a round is two in-plane convolutions and one across B-scans
    """

    grid_classes: int = 15
    growth: int = 12
    blocks: tuple[int, ...] = (2, 2, 3)
    heads: tuple[HeadShape, ...] = DEFAULT_HEADS
    patient_features: int = 6


class DenseRound(nn.Module):
    """Two in-plane convolutions and one across B-scans; each sees all features before it."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.in_plane1 = ConvUnit(inputs, growth, 3)
        self.in_plane2 = ConvUnit(inputs + growth, growth, 3)
        self.across = SliceUnit(inputs + 2 * growth, growth)

    def forward(self, x: Tensor, bscans: int) -> Tensor:
        """Features (N, inputs + 3 * growth, depth, width)."""
        x = torch.cat((x, self.in_plane1(x)), dim=1)
        x = torch.cat((x, self.in_plane2(x)), dim=1)
        return torch.cat((x, self.across(x, bscans)), dim=1)


class DenseBlock(nn.Module):
    """Rounds of densely connected convolutions; a 1x1 convolution then halves the features."""

    def __init__(self, inputs: int, growth: int, rounds: int) -> None:
        super().__init__()
        self.rounds = nn.ModuleList(
            DenseRound(inputs + 3 * growth * number, growth) for number in range(rounds)
        )
        outputs = inputs + 3 * growth * rounds
        self.transition = ConvUnit(outputs, outputs // 2, 1)

    def forward(self, x: Tensor, bscans: int) -> Tensor:
        """Features (N, (inputs + 3 * growth * rounds) // 2, depth, width)."""
        for dense in self.rounds:
            x = dense(x, bscans)
        features: Tensor = self.transition(x)
        return features


class ClassificationNetwork(nn.Module):
    """Answers of several heads about one tissue map, with or without facts on the patient.

    Departs from De Fauw et al. 2018: the first convolution strides (the map comes at half of their
    resolution already), the growth is 12 (theirs is not printed), the average over the grid is
    joined by the maximum so that a small lesion counts, and the patient vector is the patent's.
    """

    def __init__(self, config: ClassificationConfig | None = None) -> None:
        super().__init__()
        self.config = config or ClassificationConfig()
        self.stem = nn.Sequential(
            ConvUnit(self.config.grid_classes, STEM_CHANNELS, 3, stride=2),
            ConvUnit(STEM_CHANNELS, STEM_CHANNELS, 3),
        )
        channels = STEM_CHANNELS
        self.blocks = nn.ModuleList()
        for rounds in self.config.blocks:
            self.blocks.append(DenseBlock(channels, self.config.growth, rounds))
            channels = (channels + 3 * self.config.growth * rounds) // 2
        self.patient = nn.Linear(self.config.patient_features, PATIENT_CHANNELS)
        features = 2 * channels + PATIENT_CHANNELS
        self.heads = nn.ModuleDict(
            {head.name: nn.Linear(features, head.size) for head in self.config.heads}
        )
        prepare(self)

    def forward(self, grid: Tensor, patient: Tensor) -> dict[str, Tensor]:
        """Scores of every head before softmax or sigmoid.

        Parameters
        ----------
        grid : float tensor (batch, class, B-scan, depth, width), class fractions
        patient : float tensor (batch, feature), zeros where nothing is known

        Returns
        -------
        dict
            Head name to tensor (batch, outcome).

        Raises
        ------
        InputError
            If the grid is not 5D or has another number of classes than the network.
        """
        if grid.ndim != 5 or grid.shape[1] != self.config.grid_classes:
            msg = (
                f"Expected (batch, {self.config.grid_classes} classes, B-scan, depth, width), "
                f"got {tuple(grid.shape)}; build the grid with networks.classifier_input."
            )
            raise InputError(msg)
        batch, _, bscans = grid.shape[:3]
        x = grid.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        x = F.avg_pool2d(self.stem(x), 2, ceil_mode=True)
        for number, block in enumerate(self.blocks):
            if number:
                x = average_pairs(F.avg_pool2d(x, 2, ceil_mode=True), bscans)
                bscans = (bscans + 1) // 2
            x = block(x, bscans)
        x = x.float().reshape(batch, bscans, x.shape[1], -1)
        facts = F.relu(self.patient(patient))
        features = torch.cat((x.mean(dim=(1, 3)), x.amax(dim=(1, 3)), facts), dim=1)
        return {name: head(features) for name, head in self.heads.items()}


def average_pairs(x: Tensor, bscans: int) -> Tensor:
    """Mean of every two B-scans (batch * B-scan, ...); a last odd one stays as it is."""
    if bscans == 1:
        return x
    volume = x.reshape(-1, bscans, *x.shape[1:])
    if bscans % 2:
        volume = torch.cat((volume, volume[:, -1:]), dim=1)
    means = (volume[:, 0::2] + volume[:, 1::2]) * 0.5
    return means.flatten(0, 1).contiguous(memory_format=torch.channels_last)


def probabilities(scores: Mapping[str, Tensor], heads: tuple[HeadShape, ...]) -> dict[str, Tensor]:
    """Probability of every outcome: softmax for exclusive heads, sigmoid for the others."""
    return {
        head.name: scores[head.name].float().softmax(dim=1)
        if head.exclusive
        else scores[head.name].float().sigmoid()
        for head in heads
    }
