"""Training of the trees that name lesions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from RetinaTriageLib.bundle_manifest import LESION_NAMER
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.lesion_naming import LesionNamer, LesionNamerConfig
from RetinaTriageLib.networks.lesions import LESION_LABELS, LESION_TISSUES
from RetinaTriageLib.networks.trees import TreeSize
from RetinaTriageLib.training.checkpoints import plain_value, save_weights
from RetinaTriageLib.training.lesion_samples import MeasuredLesions, read_lesions
from RetinaTriageLib.training.optimization import BEST
from RetinaTriageLib.training.patients import require_other_patients
from RetinaTriageLib.training.sample_folder import sample_files
from RetinaTriageLib.training.scikit import scikit_ensembles
from RetinaTriageLib.training.tree_arrays import Float64Array, IntArray, tree_arrays

UNSEEN_SCORE = -100.0  # of a tissue that no lesion was
SAME_SCORE = 1e-3  # trees that run without scikit-learn agree with it that well


@dataclass(frozen=True)
class LesionPlan:
    """How the trees are boosted.

    Attributes
    ----------
    rounds : trees of every tissue
    leaves : of a tree, at most
    leaf_lesions : least number of lesions in a leaf
    feature_share : share of the measurements that a tree may choose among at each node
    damping : of leaves, by L2
    smallest : voxels of the smallest lesion that is learned from
    """

    rounds: int = 150
    leaves: int = 15
    leaf_lesions: int = 30
    learning_rate: float = 0.1
    feature_share: float = 0.3
    damping: float = 5.0
    smallest: int = 20
    seed: int = 0


@dataclass(frozen=True)
class HistogramTree:
    """A tree of scikit-learn's histogram boosting, with arrays as `tree_arrays.FittedTree`."""

    children_left: IntArray
    children_right: IntArray
    feature: IntArray
    threshold: Float64Array
    value: Float64Array


def train_lesion_names(
    plan: LesionPlan, folders: Sequence[Path], out_folder: Path, *, held_out: Sequence[Path] = ()
) -> dict[str, float]:
    """Train a `LesionNamer` into ``best.safetensors``; gives its figures on held-out lesions.

    Parameters
    ----------
    folders, held_out : of files that ``train lesions`` wrote

    Raises
    ------
    InputError
        If scikit-learn is missing, there are too few lesions, or a held-out patient is learned
        from.
    """
    files, others = (
        [path for folder in some for path in sample_files(folder)] for some in (folders, held_out)
    )
    require_other_patients(files, others)
    namer = fitted_namer(plan, read_lesions(files))
    facts = {
        "kind": LESION_NAMER,
        "config": json.dumps(asdict(namer.config)),
        "plan": json.dumps(asdict(plan), default=plain_value),
    }
    save_weights(out_folder / BEST, namer, facts)
    return naming_figures(namer, read_lesions(others)) if others else {}


def fitted_namer(plan: LesionPlan, lesions: MeasuredLesions) -> LesionNamer:
    """Trees that tell what the lesions truly are.

    A lesion counts by the square root of its voxels, shared among the tissues it truly holds.

    Raises
    ------
    InputError
        If scikit-learn is missing, or the lesions are not of two tissues at least.
    """
    sizes = lesions.truth.sum(axis=1)
    lesion, tissue = np.nonzero(lesions.truth * (sizes >= plan.smallest)[:, None])
    if len(np.unique(tissue)) < 2:
        msg = (
            f"Found {len(lesion)} lesions of {len(np.unique(tissue))} true tissues; expected some "
            "of two or more. Write lesions of more scans with train lesions."
        )
        raise InputError(msg)
    weights = lesions.truth[lesion, tissue] / np.sqrt(sizes[lesion])
    model = scikit_ensembles().HistGradientBoostingClassifier(
        max_iter=plan.rounds,
        learning_rate=plan.learning_rate,
        max_leaf_nodes=plan.leaves,
        min_samples_leaf=plan.leaf_lesions,
        l2_regularization=plan.damping,
        max_features=plan.feature_share,
        early_stopping=False,
        random_state=plan.seed,
    )
    model.fit(lesions.features[lesion], tissue, sample_weight=weights / weights.mean())
    namer = _as_namer(model)
    _require_same(model, namer, lesions.features[lesion[:: max(1, len(lesion) // 1000)]])
    return namer


def naming_figures(namer: LesionNamer, lesions: MeasuredLesions) -> dict[str, float]:
    """Share of the lesions' voxels called what they are, before and after naming, by tissue.

    ``precision`` is the share of the voxels called a tissue that are it, ``kept`` the share of the
    voxels that are it and lie in any lesion which are called it.
    """
    own = np.array(LESION_LABELS)[lesions.features[:, : len(LESION_LABELS)].argmax(axis=1)]
    with torch.inference_mode():
        named = namer(torch.from_numpy(lesions.features)).argmax(dim=1).numpy()
    figures: dict[str, float] = {}
    for name, label in zip(LESION_TISSUES, LESION_LABELS, strict=True):
        truth = lesions.truth[:, label]
        for when, labels in (("before", own), ("after", named)):
            called = labels == label
            right = float(truth[called].sum())
            figures[f"{name}:precision {when}"] = _share(right, lesions.truth[called].sum())
            figures[f"{name}:kept {when}"] = _share(right, truth.sum())
    return figures


def _share(part: float, whole: float) -> float:
    return part / float(whole) if whole else float("nan")


def _as_namer(model: Any) -> LesionNamer:
    """Trees of a fitted ``HistGradientBoostingClassifier``, which has no public form of them."""
    classes = [int(label) for label in model.classes_]
    several = len(classes) > 2
    grown = [
        (_tree(predictor.nodes), classes[number] if several else classes[1])
        for of_round in model._predictors
        for number, predictor in enumerate(of_round)
    ]
    config = LesionNamerConfig()
    arrays = tree_arrays([tree for tree, _ in grown])
    start = np.full(config.classes, UNSEEN_SCORE)
    start[classes] = 0.0
    start[classes if several else classes[1:]] = np.ravel(model._baseline_prediction)
    namer = LesionNamer(config, TreeSize(len(arrays.values), len(grown)))
    namer.load_state_dict(
        {
            **{f"trees.{name}": tensor for name, tensor in arrays.tensors.items()},
            "value": torch.from_numpy(arrays.values[:, 0]).float(),
            "tissue": torch.tensor([tissue for _, tissue in grown], dtype=torch.int32),
            "start": torch.from_numpy(start).float(),
        }
    )
    namer.require_sound()
    return namer.eval()


def _tree(nodes: Any) -> HistogramTree:
    leaf = nodes["is_leaf"].astype(bool)
    return HistogramTree(
        np.where(leaf, -1, nodes["left"]).astype(np.intp),
        np.where(leaf, -1, nodes["right"]).astype(np.intp),
        nodes["feature_idx"].astype(np.intp),
        nodes["num_threshold"].astype(np.float64),
        nodes["value"].astype(np.float64),
    )


def _require_same(model: Any, namer: LesionNamer, features: Any) -> None:
    """Refuse trees that do not answer as scikit-learn's do, should their form ever change."""
    with torch.inference_mode():
        found = namer(torch.from_numpy(features)).numpy()[:, model.classes_]
    expected = model.decision_function(features)
    if expected.ndim == 1:
        expected = np.stack((np.zeros(len(expected)), expected), axis=1)
    gap = float(np.abs(found - expected).max())
    if not gap < SAME_SCORE:
        msg = (
            f"Found trees that differ by {gap:g} from those of this scikit-learn; expected less "
            f"than {SAME_SCORE}. Install the version that constraints.txt names."
        )
        raise InputError(msg)


def figures_table(figures: Mapping[str, float]) -> str:
    """Lines of a tissue each, for people."""
    lines = [f"{'':36s} precision before, after; kept before, after"]
    for name in LESION_TISSUES:
        shares = [
            figures[f"{name}:{what} {when}"]
            for what in ("precision", "kept")
            for when in ("before", "after")
        ]
        lines.append(f"{name:36s} " + " ".join(f"{share:8.3f}" for share in shares))
    return "\n".join(lines) + "\n"
