from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.trees import NEVER, Trees, TreeSize
from RetinaTriageLib.training.tree_arrays import tree_arrays


def stump(threshold: float = 0.5) -> Trees:
    """One question: is feature 1 above the threshold?"""
    trees = Trees(TreeSize(nodes=3, trees=1))
    trees.feature[0], trees.threshold[0], trees.child[0] = 1, threshold, 1
    return trees


def test_samples_above_the_threshold_go_right() -> None:
    samples = torch.tensor([[9.0, 0.4], [9.0, 0.5], [9.0, 0.6]])
    assert stump().leaves(samples).tolist() == [[1, 1, 2]]


def test_wide_split_hands_out_shares_by_the_distance_to_the_threshold() -> None:
    samples = torch.tensor([[9.0, 0.2], [9.0, 0.4], [9.0, 0.5], [9.0, 0.9]])
    shares = stump().shares(samples, torch.tensor([0.4, 0.0, 0.0]))
    expected = torch.tensor([[1, 1, 1, 1], [1, 0.75, 0.5, 0], [0, 0.25, 0.5, 1]])
    torch.testing.assert_close(shares, expected)


def test_split_without_a_width_sends_all_one_way() -> None:
    samples = torch.tensor([[9.0, 0.4], [9.0, 0.5], [9.0, 0.6]])
    assert stump().shares(samples, torch.zeros(3))[1:].tolist() == [[1, 1, 0], [0, 0, 1]]


def test_leaves_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(400, 5)).astype(np.float32)
    labels = (samples[:, 0] > samples[:, 1]).astype(int)
    forest = RandomForestClassifier(4, random_state=0).fit(samples, labels)
    fitted = [estimator.tree_ for estimator in forest.estimators_]
    arrays = tree_arrays(fitted)
    trees = Trees(TreeSize(len(arrays.values), 4))
    trees.load_state_dict(arrays.tensors)
    trees.require_sound(5)
    leaves = trees.leaves(torch.from_numpy(samples)).numpy()
    for found, tree in zip(leaves, fitted, strict=True):
        expected = tree.value[tree.apply(samples)][:, 0]
        np.testing.assert_array_equal(arrays.values[found], expected)


def test_threshold_between_neighboring_numbers_still_tells_them_apart() -> None:
    low = np.nextafter(np.float32(1), np.float32(2))
    high = np.nextafter(low, np.float32(2))
    middle = (float(low) + float(high)) / 2  # the nearest single number is the higher one
    tree = SimpleNamespace(
        children_left=np.array([1, -1, -1]),
        children_right=np.array([2, -1, -1]),
        feature=np.array([0, -2, -2]),
        threshold=np.array([middle, -2.0, -2.0]),
        value=np.zeros((3, 1, 1)),
    )
    trees = Trees(TreeSize(3, 1))
    trees.load_state_dict(tree_arrays([tree]).tensors)
    assert trees.leaves(torch.tensor([[low], [high]])).tolist() == [[1, 2]]


@pytest.mark.parametrize(("node", "child"), [(0, -1), (0, 2), (1, 0)])
def test_children_that_lead_nowhere_or_back_are_refused(node: int, child: int) -> None:
    trees = stump()
    trees.child[node] = child
    with pytest.raises(InputError, match="lead nowhere"):
        trees.require_sound(2)


def test_feature_beyond_the_last_is_refused() -> None:
    with pytest.raises(InputError, match="1 features"):
        stump().require_sound(1)


def test_leaf_with_a_threshold_is_refused() -> None:
    trees = stump()
    assert trees.threshold[1] == NEVER
    trees.threshold[1] = 0.0
    with pytest.raises(InputError, match="Found leaves with a threshold"):
        trees.require_sound(2)
