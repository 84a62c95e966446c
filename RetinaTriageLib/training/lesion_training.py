"""Training of the trees that name lesions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from RetinaTriageLib.bundle_manifest import LESION_NAMER
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.lesion_features import CALLED, SIZES, Features, size_columns
from RetinaTriageLib.networks.lesion_naming import LesionNamer, LesionNamerConfig
from RetinaTriageLib.networks.lesions import LESION_LABELS
from RetinaTriageLib.networks.trees import TreeSize
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.training.checkpoints import plain_value, save_weights
from RetinaTriageLib.training.lesion_samples import Counts, MeasuredLesions, read_lesions
from RetinaTriageLib.training.lesion_scores import best_shifts, name_scores, naming_figures
from RetinaTriageLib.training.optimization import BEST
from RetinaTriageLib.training.patients import require_other_patients
from RetinaTriageLib.training.sample_folder import sample_files
from RetinaTriageLib.training.scikit import scikit_ensembles
from RetinaTriageLib.training.tree_arrays import Float64Array, IntArray, tree_arrays

UNSEEN_SCORE = -100.0  # of a tissue that no lesion was
SAME_SCORE = 1e-3  # trees that run without scikit-learn agree with it that well

Limits = tuple[Float64Array, Float64Array]
"""Least and largest sizes, float64 arrays (lesion tissue, `SIZES`)."""


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
    rarest : share of the lesions of a tissue, smallest and largest each, whose size is not learned
    sure, sure_of_fluid : as `LesionNamerConfig` has them
    folds : parts of the patients that are left out in turn, to find what names serve best
    """

    rounds: int = 150
    leaves: int = 15
    leaf_lesions: int = 30
    learning_rate: float = 0.1
    feature_share: float = 0.3
    damping: float = 5.0
    smallest: int = 20
    rarest: float = 0.01
    sure: float = LesionNamerConfig.sure
    sure_of_fluid: float = LesionNamerConfig.sure_of_fluid
    folds: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be a chance.

        Raises
        ------
        InputError
            If ``sure`` or ``sure_of_fluid`` lies outside of 0 to 1.
        """
        for chance in (self.sure, self.sure_of_fluid):
            if not 0 <= chance <= 1:
                msg = f"Found {chance:g} as a chance to be sure from; expected 0 to 1."
                raise InputError(msg)


@dataclass(frozen=True)
class HistogramTree:
    """A tree of scikit-learn's histogram boosting, with arrays as `tree_arrays.FittedTree`."""

    children_left: IntArray
    children_right: IntArray
    feature: IntArray
    threshold: Float64Array
    value: Float64Array


def train_lesion_names(
    plan: LesionPlan,
    folders: Sequence[Path],
    out_folder: Path,
    *,
    held_out: Sequence[Path] = (),
    on_progress: OnProgress = ignore_progress,
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
    namer = fitted_namer(plan, read_lesions(files), on_progress)
    facts = {
        "kind": LESION_NAMER,
        "config": json.dumps(asdict(namer.config)),
        "plan": json.dumps(asdict(plan), default=plain_value),
    }
    save_weights(out_folder / BEST, namer, facts)
    return naming_figures(namer, read_lesions(others)) if others else {}


def fitted_namer(
    plan: LesionPlan, lesions: MeasuredLesions, on_progress: OnProgress = ignore_progress
) -> LesionNamer:
    """Trees that tell what the lesions truly are, so that the mean Dice is best.

    The most likely name is not the best one for a rare tissue: its Dice gains by calling more. So
    each tissue's score is moved by what served best on lesions of patients that other trees, of
    the same kind, had not learned from.

    Raises
    ------
    InputError
        If scikit-learn is missing, or the lesions are not of two tissues at least.
    """
    on_progress(Progress("fit", 0, plan.folds + 1, f"{len(lesions.features)} lesions"))
    namer = boosted_namer(plan, lesions)
    lesions = lesions.only(lesions.truth.sum(axis=1) >= plan.smallest)
    order = np.random.default_rng(plan.seed).permutation(lesions.patient.max() + 1)
    fold = order[lesions.patient] % plan.folds
    scores = np.zeros((len(lesions.features), namer.config.classes), np.float32)
    for number in range(plan.folds):
        on_progress(Progress("fit", number + 1, plan.folds + 1, f"without part {number + 1}"))
        others = boosted_namer(plan, lesions.only(fold != number))
        scores[fold == number] = name_scores(others, lesions.features[fold == number])
    namer.start += torch.from_numpy(best_shifts(scores, lesions)).float()
    return namer


def boosted_namer(plan: LesionPlan, lesions: MeasuredLesions) -> LesionNamer:
    """Trees that tell what the lesions most likely are.

    A lesion counts by the square root of its voxels, shared among the tissues it truly holds.

    Raises
    ------
    InputError
        As `fitted_namer`.
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
    learned = sizes >= plan.smallest
    limits = size_limits(lesions.features[learned], sizes[learned], plan.rarest)
    config = LesionNamerConfig(sure=plan.sure, sure_of_fluid=plan.sure_of_fluid)
    namer = _as_namer(model, config, limits)
    _require_same(model, namer, lesions.features[lesion[:: max(1, len(lesion) // 1000)]])
    return namer


def size_limits(features: Features, voxels: Counts, rarest: float) -> Limits:
    """Least and largest sizes of all but the rarest lesions, (lesion tissue, `SIZES`).

    A lesion counts by the square root of its voxels, as in training. Where there is none of a
    tissue the limits are such that no lesion lies within.
    """
    sizes = features[:, size_columns()]
    called = features[:, CALLED].argmax(axis=1)
    least, most = np.ones((2, len(LESION_LABELS), len(SIZES)))
    most[:] = -1
    for number in np.unique(called):
        own = called == number
        weights = np.sqrt(voxels[own])
        for column, values in enumerate(sizes[own].T):
            order = np.argsort(values)
            share = np.cumsum(weights[order]) / weights.sum()
            first, last = np.searchsorted(share, (rarest, 1 - rarest))
            least[number, column] = values[order[first]]
            most[number, column] = values[order[min(last, len(order) - 1)]]
    return least, most


def _as_namer(model: Any, config: LesionNamerConfig, limits: Limits) -> LesionNamer:
    """Trees of a fitted ``HistGradientBoostingClassifier``, which has no public form of them."""
    classes = [int(label) for label in model.classes_]
    several = len(classes) > 2
    grown = [
        (_tree(predictor.nodes), classes[number] if several else classes[1])
        for of_round in model._predictors
        for number, predictor in enumerate(of_round)
    ]
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
            "least": torch.from_numpy(limits[0].ravel()).float(),
            "most": torch.from_numpy(limits[1].ravel()).float(),
        }
    )
    namer.require_sound()
    return namer.eval()


def _tree(nodes: Any) -> HistogramTree:
    leaf = nodes["is_leaf"].astype(bool)
    return HistogramTree(
        np.where(leaf, -1, nodes["left"].astype(np.intp)),
        np.where(leaf, -1, nodes["right"].astype(np.intp)),
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
