"""Gradient boosting of trees whose splits turn gradually, fitted as they will be run.

Each tree is found by scikit-learn on the residuals. Then its splits are widened over the
measurements of the training maps next to the threshold, and its leaves take the values that suit
maps which reach several of them in part. Without softness this is ordinary gradient boosting.

References
----------
Friedman, Ann. Statist. 29:1189 (2001). Irsoy et al., Soft decision trees, ICPR 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax

from RetinaTriageLib.training.scikit import scikit_trees

Samples = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.intp]
Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BoostingPlan:
    """How trees are boosted.

    Attributes
    ----------
    rounds : trees of every outcome
    sample_share : share of the samples that a tree learns from
    feature_share : share of the features that a tree may choose among at each node
    softness : share of the samples below a threshold, and of those above, over which a split turns
    damping : samples of even odds, of unknown answer, that every leaf has in addition
    """

    rounds: int = 100
    depth: int = 3
    learning_rate: float = 0.25
    sample_share: float = 0.7
    feature_share: float = 0.2
    softness: float = 0.35
    damping: float = 1.0


@dataclass(frozen=True)
class GradualTree:
    """A tree with arrays as `tree_arrays.FittedTree`.

    Attributes
    ----------
    threshold : middles of the ranges over which the splits turn
    value : float64 array (node, 2), what a leaf adds to the score, and the width of a split
    """

    children_left: IntArray
    children_right: IntArray
    feature: IntArray
    threshold: Float64Array
    value: Float64Array


class Booster(NamedTuple):
    """Fitted trees of one question.

    Attributes
    ----------
    trees : pairs of a tree and the outcome that it adds to
    start : float64 array (outcome,), scores before any tree
    """

    trees: list[tuple[GradualTree, int]]
    start: Float64Array


class Ranks:
    """Where the samples lie along every feature that is measured, and so is never quite exact.

    Parameters
    ----------
    samples : float32 array (sample, feature); patient facts come after the measurements
    narrowest : float array (measurement,), range over which a split turns at least. Where samples
        lie close together, as with tissue that most eyes lack, their shares alone would let a
        split turn within a few voxels.
    """

    def __init__(self, samples: Samples, narrowest: FloatArray) -> None:
        self._sorted = np.sort(samples[:, : narrowest.size], axis=0).astype(np.float64)
        self._narrowest = narrowest.astype(np.float64)

    def around(self, feature: int, threshold: float, share: float) -> tuple[float, float]:
        """Range of the feature that holds a share of the samples below and of those above."""
        count, measurements = self._sorted.shape
        if feature >= measurements or share <= 0:
            return threshold, threshold
        values = self._sorted[:, feature]
        below = int(np.searchsorted(values, threshold, side="right"))
        first, last = below - round(share * below), below + round(share * (count - below)) - 1
        low = values[first] if first < below else threshold
        high = values[last] if last >= below else threshold
        low, high = min(float(low), threshold), max(float(high), threshold)
        missing = max(self._narrowest[feature] - (high - low), 0)
        # Nothing lies below the least sample, so a range there would be lost.
        low = min(low, max(low - missing / 2, float(values[0])))
        return low, max(high, low + float(self._narrowest[feature]))


def boost(
    plan: BoostingPlan, samples: Samples, targets: Float64Array, ranks: Ranks, seed: int
) -> Booster:
    """Booster of outcomes of which exactly one is true, or of a single yes or no.

    Parameters
    ----------
    samples : float32 array (sample, feature)
    targets : float64 array (sample, outcome), zeros and ones; one column for yes or no
    """
    count, outcomes = targets.shape
    mean = targets.mean(axis=0)
    start = np.log(mean) if outcomes > 1 else np.log(mean / (1 - mean))
    # Adding one number to the scores of all outcomes changes nothing: one of them is redundant.
    several = (outcomes - 1) / outcomes if outcomes > 1 else 1.0
    scores = np.tile(start, (count, 1))
    random = np.random.RandomState(seed)
    trees: list[tuple[GradualTree, int]] = []
    for _ in range(plan.rounds):
        likely = softmax(scores, axis=1) if outcomes > 1 else expit(scores)
        drawn = random.permutation(count)[: max(1, int(plan.sample_share * count))]
        for outcome in range(outcomes):
            chance = likely[:, outcome]
            residual, certainty = targets[:, outcome] - chance, chance * (1 - chance)
            found = _regression_tree(plan, samples[drawn], residual[drawn], random)
            low, high = _ranges(found, ranks, plan.softness)
            shares = _leaf_shares(found, low, high, samples)
            leaves = _leaf_values(plan, shares[:, drawn], residual[drawn], certainty[drawn])
            leaves *= several * plan.learning_rate
            scores[:, outcome] += leaves @ shares
            trees.append((_gradual(found, low, high, leaves), outcome))
    return Booster(trees, start)


def _regression_tree(
    plan: BoostingPlan, samples: Samples, residual: Float64Array, random: Any
) -> Any:
    """Tree of scikit-learn that tells residuals apart."""
    model = scikit_trees().DecisionTreeRegressor(
        max_depth=plan.depth,
        max_features=plan.feature_share,
        random_state=random,
    )
    return model.fit(samples, residual).tree_


def _ranges(tree: Any, ranks: Ranks, softness: float) -> tuple[Float64Array, Float64Array]:
    """Lower and upper end of the range over which every split turns."""
    low, high = tree.threshold.copy(), tree.threshold.copy()
    for node in np.flatnonzero(tree.children_left >= 0):
        low[node], high[node] = ranks.around(tree.feature[node], tree.threshold[node], softness)
    return low, high


def _leaf_shares(
    tree: Any, low: Float64Array, high: Float64Array, samples: Samples
) -> Float64Array:
    """Share of every sample that reaches each leaf, float64 array (leaf, sample)."""
    shares = np.zeros((len(low), len(samples)))
    shares[0] = 1
    for node in np.flatnonzero(tree.children_left >= 0):  # a parent comes before its children
        value = samples[:, tree.feature[node]]
        if high[node] > low[node]:
            right = np.clip((value - low[node]) / (high[node] - low[node]), 0, 1)
        else:
            right = value > low[node]
        shares[tree.children_right[node]] = shares[node] * right
        shares[tree.children_left[node]] = shares[node] * (1 - right)
    leaves: Float64Array = shares[tree.children_left < 0]
    return leaves


def _leaf_values(
    plan: BoostingPlan, shares: Float64Array, residual: Float64Array, certainty: Float64Array
) -> Float64Array:
    """Newton step of all leaves together, float64 array (leaf,)."""
    curvature = (shares * certainty) @ shares.T
    even = plan.damping * 0.25 + 1e-12  # uncertainty of even odds; never quite singular
    curvature[np.diag_indices_from(curvature)] += even
    return np.asarray(np.linalg.solve(curvature, shares @ residual), np.float64)


def _gradual(tree: Any, low: Float64Array, high: Float64Array, leaves: Float64Array) -> GradualTree:
    leaf = tree.children_left < 0
    value = np.stack((np.zeros(len(low)), high - low), axis=1)
    value[leaf, 0] = leaves
    return GradualTree(
        tree.children_left, tree.children_right, tree.feature, (low + high) / 2, value
    )
