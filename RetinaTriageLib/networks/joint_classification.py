"""Joint classification: one opinion on all tissue maps of a scan together.

Where segmenters agree, a finding is likely; where they do not, that itself says something. This
network sees the mean of the maps and, class by class, how far they stray from it, so it takes any
number of maps in any order.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.classification import ClassificationConfig, ClassificationNetwork

STEM = "stem.0.conv.weight"
"""Weights of a classification network that meet the classes of the map."""


class JointNetwork(nn.Module):
    """A classification network on the mean and the deviation of several tissue maps.

    Parameters
    ----------
    like : network of single maps, of the same configuration, to begin from; the mean map is then
        judged as that network would, whatever the deviation
    """

    def __init__(
        self, config: ClassificationConfig | None = None, like: ClassificationNetwork | None = None
    ) -> None:
        super().__init__()
        self.config = config or ClassificationConfig()
        seen = replace(self.config, grid_classes=2 * self.config.grid_classes)
        self.judge = ClassificationNetwork(seen)
        if like is not None:
            weights = like.state_dict()
            stem = weights[STEM]  # (output, class, 3, 3)
            weights[STEM] = torch.cat((stem, torch.zeros_like(stem)), dim=1)
            self.judge.load_state_dict(weights)

    def forward(self, grids: Tensor, patient: Tensor) -> dict[str, Tensor]:
        """Scores of every head before softmax or sigmoid.

        Parameters
        ----------
        grids : float tensor (batch, map, class, B-scan, depth, width), class fractions on one grid
        patient : float tensor (batch, feature), zeros where nothing is known

        Returns
        -------
        dict
            Head name to tensor (batch, outcome).

        Raises
        ------
        InputError
            If the grids are not 6D.
        """
        if grids.ndim != 6:
            msg = (
                "Expected (batch, map, class, B-scan, depth, width), got "
                f"{tuple(grids.shape)}; stack the maps of each scan."
            )
            raise InputError(msg)
        scores: dict[str, Tensor] = self.judge(mean_and_deviation(grids), patient)
        return scores


def mean_and_deviation(grids: Tensor) -> Tensor:
    """Mean and standard deviation over maps, side by side: (batch, 2 * class, B-scan, ...).

    Parameters
    ----------
    grids : float tensor (batch, map, class, B-scan, depth, width)
    """
    deviation, mean = torch.std_mean(grids, dim=1, correction=0)
    return torch.cat((mean, deviation), dim=1)
