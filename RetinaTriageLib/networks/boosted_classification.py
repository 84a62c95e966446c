"""Classification by gradient-boosted trees on tissue measurements, run without scikit-learn.

Like the classification network it sees a tissue map on the grid, and never a gray value. Splits may
be gradual: a map near a threshold goes both ways in part, so that a few voxels move scores little.

References
----------
Friedman, Ann. Statist. 29:1189 (2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from RetinaTriageLib.networks.classification import DEFAULT_HEADS, HeadShape
from RetinaTriageLib.networks.classifier_input import DEFAULT_GRID
from RetinaTriageLib.networks.map_places import Cell
from RetinaTriageLib.networks.steady_features import (
    STEADY_VERSION,
    steady_feature_names,
    steady_features,
)
from RetinaTriageLib.networks.trees import Trees, TreeSize
from RetinaTriageLib.tissues import TISSUES, Tissue


@dataclass(frozen=True)
class BoostedConfig:
    """What boosted trees see and answer.

    Attributes
    ----------
    cell_mm : size of a grid cell (B-scan, depth, width)
    features : number of measurements
    softness : share of the training maps below a threshold, and of those above, over which a split
        turns from left to right; 0 for trees that send a map one way
    measurements : version of the measurements
    """

    grid_classes: int = len(TISSUES)
    heads: tuple[HeadShape, ...] = DEFAULT_HEADS
    patient_features: int = 6
    cell_mm: tuple[float, float, float] = DEFAULT_GRID.spacing_mm
    features: int = len(steady_feature_names(TISSUES))
    softness: float = 0.0
    measurements: int = STEADY_VERSION

    @property
    def outputs(self) -> int:
        """Number of outcomes of all heads together."""
        return sum(head.size for head in self.heads)


class BoostedClassifier(nn.Module):
    """Answers of several heads about one tissue map, by sums over small trees.

    Attributes
    ----------
    value : float32 tensor (node,), what a leaf adds to the score of its tree's outcome
    width : float32 tensor (node,), range of the measurement over which a split turns from left to
        right, 0 at leaves; there is none without softness
    outcome : int32 tensor (tree,), outcome of every tree, counted over all heads
    start : float32 tensor (outcome,), score that the trees add to
    """

    value: Tensor
    outcome: Tensor
    start: Tensor
    width: Tensor

    def __init__(
        self, config: BoostedConfig, size: TreeSize, tissues: tuple[Tissue, ...] = TISSUES
    ) -> None:
        super().__init__()
        self.config, self.tissues = config, tissues
        self.trees = Trees(size)
        self.register_buffer("value", torch.zeros(size.nodes))
        self.register_buffer("outcome", torch.zeros(size.trees, dtype=torch.int32))
        self.register_buffer("start", torch.zeros(config.outputs))
        if config.softness > 0:
            self.register_buffer("width", torch.zeros(size.nodes))

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
        """
        return self.scores(torch.cat((self.measured(grid), patient.float()), dim=1))

    def measured(self, grid: Tensor) -> Tensor:
        """Measurements of maps as in `forward`, float32 tensor (batch, measurement)."""
        cell = Cell(*self.config.cell_mm)
        found = [steady_features(one, cell, self.tissues) for one in grid.float().cpu().numpy()]
        return torch.from_numpy(np.stack(found)).to(self.value.device)

    def scores(self, samples: Tensor) -> dict[str, Tensor]:
        """Scores of every head from float32 samples (sample, measurement and patient feature)."""
        total = self.start[:, None].repeat(1, samples.shape[0])
        if self.config.softness > 0:
            leaf, tree = self._leaves()
            reached = self.trees.shares(samples, self.width)[leaf]  # (leaf, sample)
            total.index_add_(0, self.outcome.long()[tree], reached * self.value[leaf, None])
        else:
            added = self.value[self.trees.leaves(samples)]  # (tree, sample)
            total.index_add_(0, self.outcome.long(), added)
        sizes = [head.size for head in self.config.heads]
        parts = torch.split(total.T, sizes, dim=1)
        return {head.name: part for head, part in zip(self.config.heads, parts, strict=True)}

    def require_sound(self) -> None:
        """Refuse trees on other measurements than this library takes, or broken ones.

        Raises
        ------
        InputError, ValueError
            If the trees are no trees, or measurements or outcomes are others.
        """
        if self.config.measurements != STEADY_VERSION:
            msg = (
                f"measurements of version {self.config.measurements}; "
                f"this library takes version {STEADY_VERSION}"
            )
            raise ValueError(msg)
        known = len(steady_feature_names(self.tissues))
        if self.config.features != known:
            msg = f"{self.config.features} measurements; this library takes {known}"
            raise ValueError(msg)
        if bool(((self.outcome < 0) | (self.outcome >= self.config.outputs)).any()):
            msg = f"trees of outcomes beyond the {self.config.outputs} of the heads"
            raise ValueError(msg)
        if self.config.softness > 0 and not bool((self.width >= 0).all()):
            msg = "splits without a width of 0 or more"
            raise ValueError(msg)
        self.trees.require_sound(known + self.config.patient_features)

    def _leaves(self) -> tuple[Tensor, Tensor]:
        """Leaves of all trees, and the tree of each, int64 tensors (leaf,)."""
        nodes = torch.arange(self.value.numel(), device=self.value.device)
        leaf = nodes[self.trees.child == nodes]
        return leaf, torch.searchsorted(self.trees.root.long(), leaf, right=True) - 1
