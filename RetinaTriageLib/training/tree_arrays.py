"""scikit-learn's trees as the flat arrays of `networks.trees`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.networks.trees import NEVER

IntArray = npt.NDArray[np.intp]
Float64Array = npt.NDArray[np.float64]


class FittedTree(Protocol):
    """Public arrays of ``sklearn.tree._tree.Tree``; a left child of -1 marks a leaf."""

    @property
    def children_left(self) -> IntArray:
        """Left child of every node."""

    @property
    def children_right(self) -> IntArray:
        """Right child of every node."""

    @property
    def feature(self) -> IntArray:
        """Feature that every inner node looks at."""

    @property
    def threshold(self) -> Float64Array:
        """What samples that go right are above."""

    @property
    def value(self) -> Float64Array:
        """What every node stands for."""


@dataclass(frozen=True)
class TreeArrays:
    """Tensors of `networks.trees.Trees`, and the value of every node.

    Attributes
    ----------
    values : float64 array (node, output), in the order of the tensors
    """

    tensors: dict[str, Tensor]
    values: Float64Array


def tree_arrays(trees: Sequence[FittedTree]) -> TreeArrays:
    """Lay out trees one after another, siblings side by side."""
    orders, roots, children, first = [], [], [], 0
    for tree in trees:
        order, child = _siblings_together(tree)
        orders.append(order)
        children.append(child + first)
        roots.append(first)
        first += len(order)
    columns = [
        np.concatenate(
            [getattr(tree, name)[order] for tree, order in zip(trees, orders, strict=True)]
        )
        for name in ("feature", "threshold", "value")
    ]
    feature, threshold, values = columns
    child = np.concatenate(children)
    leaf = child == np.arange(first)
    tensors = {
        "feature": torch.from_numpy(np.where(leaf, 0, feature).astype(np.int16)),
        "threshold": torch.from_numpy(np.where(leaf, np.float32(NEVER), _rounded_down(threshold))),
        "child": torch.from_numpy(child.astype(np.int32)),
        "root": torch.from_numpy(np.array(roots, np.int32)),
    }
    return TreeArrays(tensors, values.reshape(first, -1))


def _siblings_together(tree: FittedTree) -> tuple[IntArray, IntArray]:
    """Order of the nodes, breadth first, and the place of each one's left child (leaf: its own)."""
    order, child = [0], list[int]()
    for node in order:  # grows as it is walked
        left = int(tree.children_left[node])
        if left < 0:
            child.append(len(child))
            continue
        child.append(len(order))
        order += [left, int(tree.children_right[node])]
    return np.array(order), np.array(child)


def _rounded_down(threshold: Float64Array) -> npt.NDArray[np.float32]:
    """Largest float32 that is not above: samples of single precision then go the same way."""
    single = threshold.astype(np.float32)
    above = single.astype(np.float64) > threshold
    return np.where(above, np.nextafter(single, np.float32(-np.inf)), single)
