"""Decision trees as flat arrays: they travel in safetensors and need no scikit-learn to run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError

NEVER = float(torch.finfo(torch.float32).max)
"""Threshold of a leaf, which no sample is above."""

CHUNK = 16_384  # samples that walk down together; their nodes stay in the processor's cache
SHARED_CHUNK = 64  # samples that go down all ways of all trees together


class TreeSize(NamedTuple):
    """Number of nodes of all trees together, and number of trees."""

    nodes: int
    trees: int


class Trees(nn.Module):
    """Trees laid out one after another; a child always comes after its parent.

    Attributes
    ----------
    feature : int16 tensor (node,), feature that an inner node looks at
    threshold : float32 tensor (node,); samples above it go right, all others left;
        `NEVER` at leaves
    child : int32 tensor (node,), left child, the right one follows it; a leaf is its own child
    root : int32 tensor (tree,), first node of every tree
    """

    feature: Tensor
    threshold: Tensor
    child: Tensor
    root: Tensor

    def __init__(self, size: TreeSize) -> None:
        super().__init__()
        self.register_buffer("feature", torch.zeros(size.nodes, dtype=torch.int16))
        self.register_buffer("threshold", torch.full((size.nodes,), NEVER))
        # By numpy: for tensors without data torch's own loads its compiler, over a second's work.
        self.register_buffer("child", torch.from_numpy(np.arange(size.nodes, dtype=np.int32)))
        self.register_buffer("root", torch.zeros(size.trees, dtype=torch.int32))

    def leaves(self, samples: Tensor) -> Tensor:
        """Node that every sample ends in, int64 tensor (tree, sample).

        Parameters
        ----------
        samples : float32 tensor (sample, feature), finite
        """
        parts = [self._descend(part) for part in torch.split(samples, CHUNK)]
        return torch.cat(parts, dim=1)

    def shares(self, samples: Tensor, width: Tensor) -> Tensor:
        """Share of every sample that reaches every node, float32 tensor (node, sample).

        A node hands the share that reaches it to both its children. What goes right grows evenly
        from none, half a width below the threshold, to all, half a width above it.

        Parameters
        ----------
        samples : float32 tensor (sample, feature), finite
        width : float32 tensor (node,), of every node; 0 sends a sample one way
        """
        parts = [self._share(part.T, width) for part in torch.split(samples, SHARED_CHUNK)]
        return torch.cat(parts, dim=1)

    def require_sound(self, features: int) -> None:
        """Refuse trees that a walk would never leave, or that ask for features beyond the last.

        Raises
        ------
        InputError
            If a node has no place in a tree.
        """
        nodes = torch.arange(self.child.numel(), device=self.child.device)
        leaf = self.child == nodes
        child_lost = ~leaf & ((self.child <= nodes) | (self.child + 1 >= nodes.numel()))
        feature_lost = (self.feature < 0) | (self.feature >= features)
        root_lost = (self.root < 0) | (self.root >= nodes.numel())
        root_lost[1:] |= self.root[1:] <= self.root[:-1]
        if bool(child_lost.any() or feature_lost.any() or root_lost.any()):
            msg = (
                f"Found {int(child_lost.sum())} nodes, {int(feature_lost.sum())} features and "
                f"{int(root_lost.sum())} roots that lead nowhere; expected whole trees on "
                f"{features} features. Write the trees again from their training."
            )
            raise InputError(msg)
        if bool((leaf != (self.threshold >= NEVER)).any()):
            msg = "Found leaves with a threshold, or inner nodes without; write the trees again."
            raise InputError(msg)

    def _descend(self, samples: Tensor) -> Tensor:
        feature, child = self.feature.long(), self.child.long()
        count, width = samples.shape
        flat = samples.reshape(-1)
        start = torch.arange(count, device=samples.device) * width
        at = self.root.long()[:, None].expand(-1, count)  # (tree, sample)
        while True:
            value = flat[start + feature[at]]
            below = child[at] + (value > self.threshold[at])
            if torch.equal(below, at):
                return at
            at = below

    def _share(self, features: Tensor, width: Tensor) -> Tensor:
        child, size = self.child.long(), (self.child.numel(), features.shape[1])
        found = torch.zeros(size, device=features.device)
        at = self.root.long()
        found[at] = 1
        while True:
            at = at[child[at] != at]
            if not at.numel():
                return found
            above = features[self.feature[at].long()] - self.threshold[at, None]
            slope, left = width[at, None], child[at]
            even = (above / slope + 0.5).clamp_(0, 1)
            right = found[at] * torch.where(slope > 0, even, (above > 0).float())
            found[left], found[left + 1] = found[at] - right, right
            at = torch.cat((left, left + 1))
