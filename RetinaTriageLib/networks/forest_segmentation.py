"""Segmentation by a random forest on voxel features, run without scikit-learn.

References
----------
Breiman, Machine Learning 45:5 (2001).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from RetinaTriageLib.networks.trees import Trees, TreeSize
from RetinaTriageLib.networks.voxel_features import FEATURES, voxel_features
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.volume import LabelArray, VoxelSpacing

SMALLEST = 1e-4  # probability of a class that no tree voted for


@dataclass(frozen=True)
class ForestConfig:
    """What a forest segments into, and by which features (`voxel_features.FEATURES`)."""

    classes: int = len(TISSUES)
    features: tuple[str, ...] = FEATURES


class ForestSegmenter(nn.Module):
    """Tissue probabilities of B-scans, voxel by voxel; needs the voxel spacing.

    Attributes
    ----------
    votes : float tensor (node, class), class probabilities at every node; those of leaves count
    """

    votes: Tensor

    def __init__(self, config: ForestConfig, size: TreeSize) -> None:
        super().__init__()
        self.config = config
        self.trees = Trees(size)
        self.register_buffer("votes", torch.zeros(size.nodes, config.classes))

    def probabilities(self, samples: Tensor) -> Tensor:
        """Mean vote of all trees, float tensor (sample, class).

        Parameters
        ----------
        samples : float32 tensor (sample, feature), in the order of the configuration
        """
        total = torch.zeros(samples.shape[0], self.config.classes, device=samples.device)
        leaves = self.trees.leaves(samples)
        for of_tree in leaves:
            total += self.votes[of_tree]
        return total / len(leaves)

    def bscan_scores(self, voxels: LabelArray, spacing: VoxelSpacing) -> Tensor:
        """Class scores before softmax, float32 tensor (B-scan, class, depth, width).

        Parameters
        ----------
        voxels : uint8 array (B-scan, depth, width); the answer for one B-scan rests on it alone
        """
        scores = []
        for bscan in voxels:
            features = torch.from_numpy(voxel_features(bscan, spacing)).to(self.votes.device)
            found = self.probabilities(features.flatten(0, 1))
            scores.append(found.clamp_min(SMALLEST).log().T.reshape(-1, *bscan.shape))
        return torch.stack(scores)

    def require_sound(self) -> None:
        """Refuse a forest of other features than this version computes, or of broken trees.

        Raises
        ------
        InputError, ValueError
            If the trees are no trees, or the features are others.
        """
        if self.config.features != FEATURES:
            msg = f"features {self.config.features}; this version computes {FEATURES}"
            raise ValueError(msg)
        self.trees.require_sound(len(FEATURES))
