"""Training of a random forest that segments B-scans voxel by voxel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from RetinaTriageLib.bundle_manifest import RANDOM_FOREST
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.forest_segmentation import ForestConfig, ForestSegmenter
from RetinaTriageLib.networks.trees import TreeSize
from RetinaTriageLib.networks.voxel_features import voxel_features
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.training.bscan_validation import bscan_figures, spread_bscans
from RetinaTriageLib.training.checkpoints import plain_value, save_weights
from RetinaTriageLib.training.optimization import BEST
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.scikit import scikit_ensembles
from RetinaTriageLib.training.stack_spacing import spacing_of
from RetinaTriageLib.training.stacks import Stack, StackLibrary
from RetinaTriageLib.training.tree_arrays import tree_arrays
from RetinaTriageLib.volume import LabelArray, VoxelSpacing

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ForestPlan:
    """How a forest is trained.

    Attributes
    ----------
    stacks : number of stacks drawn from the folders, by their weights
    bscans : B-scans taken of each
    voxels : at most so many voxels of each tissue of a B-scan
    leaf_voxels : least number of voxels in a leaf
    balance : 0 weighs tissues by their share of the voxels, 1 weighs them all alike
    """

    trees: int = 16
    depth: int = 16
    leaf_voxels: int = 4
    stacks: int = 150
    bscans: int = 2
    voxels: int = 100
    balance: float = 0.3
    seed: int = 0


@dataclass(frozen=True)
class VoxelSamples:
    """Voxels to learn from: ``features`` float32 (sample, feature), ``labels`` and ``weights``."""

    features: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    weights: Floats


def train_forest(
    plan: ForestPlan,
    folders: Sequence[Folder],
    spacings: Mapping[str, VoxelSpacing],
    out_folder: Path,
    *,
    held_out: Sequence[Path] = (),
    on_progress: OnProgress = ignore_progress,
) -> dict[str, float]:
    """Train a forest into ``best.safetensors`` of a folder; gives its Dice on held-out folders.

    Parameters
    ----------
    folders : stacks of labeled B-scans; labels that name no single tissue teach nothing
    spacings : device to the spacing of its stacks

    Raises
    ------
    InputError
        If scikit-learn is missing, no voxel is labeled, or a device has no spacing.
    """
    ensembles = scikit_ensembles()
    config = ForestConfig()
    samples = voxel_samples(plan, folders, spacings, config.classes, on_progress)
    forest = ensembles.RandomForestClassifier(
        plan.trees,
        max_depth=plan.depth,
        min_samples_leaf=plan.leaf_voxels,
        random_state=plan.seed,
        n_jobs=1,
    )
    forest.fit(samples.features, samples.labels, samples.weights)
    segmenter = as_segmenter(forest, config)
    facts = {
        "kind": RANDOM_FOREST,
        "config": json.dumps(asdict(config)),
        "plan": json.dumps(asdict(plan), default=plain_value),
    }
    save_weights(out_folder / BEST, segmenter, facts)
    return bscan_figures(segmenter, held_out, spacings, plan.bscans)


def as_segmenter(forest: Any, config: ForestConfig) -> ForestSegmenter:
    """Forest of scikit-learn as a segmenter.

    Parameters
    ----------
    forest : fitted ``RandomForestClassifier`` whose classes are tissue labels
    """
    arrays = tree_arrays([estimator.tree_ for estimator in forest.estimators_])
    votes = torch.zeros(len(arrays.values), config.classes)
    shares = arrays.values / arrays.values.sum(axis=1, keepdims=True)
    votes[:, torch.from_numpy(forest.classes_.astype(np.int64))] = torch.from_numpy(shares).float()
    segmenter = ForestSegmenter(config, TreeSize(len(votes), len(forest.estimators_)))
    trees = {f"trees.{name}": tensor for name, tensor in arrays.tensors.items()}
    segmenter.load_state_dict({**trees, "votes": votes})
    segmenter.require_sound()
    return segmenter.eval()


def voxel_samples(
    plan: ForestPlan,
    folders: Sequence[Folder],
    spacings: Mapping[str, VoxelSpacing],
    classes: int,
    on_progress: OnProgress,
) -> VoxelSamples:
    """Draw voxels of known tissue from stacks of all folders.

    Raises
    ------
    InputError
        If no voxel is of known tissue.
    """
    rng = np.random.default_rng(plan.seed)
    parts = []
    for done, stack in enumerate(_drawn(plan, folders, rng)):
        on_progress(Progress("features", done, plan.stacks))
        for bscan in spread_bscans(len(stack.image), plan.bscans):
            chosen, weights = drawn_voxels(stack.codes[bscan], classes, plan, rng)
            features = voxel_features(stack.image[bscan], spacing_of(stack, spacings))
            labels = stack.codes[bscan].reshape(-1)[chosen]
            parts.append(
                (features.reshape(len(stack.codes[bscan].flat), -1)[chosen], labels, weights)
            )
    features, labels, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    if not len(labels):
        msg = "Found no voxel of known tissue; expected labels from 0 on. Label some B-scans fully."
        raise InputError(msg)
    return VoxelSamples(features, labels, weights / weights.mean())


def drawn_voxels(
    codes: LabelArray, classes: int, plan: ForestPlan, rng: np.random.Generator
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Flat positions of voxels drawn from each tissue of a B-scan, and their weights."""
    flat = codes.reshape(-1)
    places, weights = [np.zeros(0, np.intp)], [np.zeros(0)]
    for label in range(classes):
        there = np.flatnonzero(flat == label)
        chosen = rng.permutation(there)[: plan.voxels]
        places.append(chosen)
        stands_for = (len(there) / max(1, len(chosen))) ** (1 - plan.balance)
        weights.append(np.full(len(chosen), stands_for))
    return np.concatenate(places), np.concatenate(weights)


def _drawn(
    plan: ForestPlan, folders: Sequence[Folder], rng: np.random.Generator
) -> Iterator[Stack]:
    """Stacks of the folders by their weights, each at most once."""
    libraries = [StackLibrary(folder.path, cache_bytes=0) for folder in folders]
    weights = np.array([folder.weight for folder in folders])
    counts = rng.multinomial(plan.stacks, weights / weights.sum())
    for library, count in zip(libraries, counts, strict=True):
        for index in rng.permutation(len(library))[:count]:
            yield library[int(index)]
