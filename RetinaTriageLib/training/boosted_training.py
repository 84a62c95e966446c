"""Training of gradient-boosted trees that judge tissue maps by their measurements."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from RetinaTriageLib.bundle_manifest import GRADIENT_BOOSTED
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.boosted_classification import BoostedClassifier, BoostedConfig
from RetinaTriageLib.networks.classification import HeadShape
from RetinaTriageLib.networks.steady_features import steady_ranges
from RetinaTriageLib.networks.trees import TreeSize
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.training.checkpoints import plain_value, save_weights
from RetinaTriageLib.training.classification_validation import classification_figures
from RetinaTriageLib.training.gradual_boosting import Booster, BoostingPlan, Ranks, boost
from RetinaTriageLib.training.grids import UNANSWERED, Answer, GridLibrary
from RetinaTriageLib.training.measured_maps import (
    MeasuredMaps,
    MeasuringPlan,
    Samples,
    asked,
    measured_maps,
)
from RetinaTriageLib.training.optimization import BEST
from RetinaTriageLib.training.patients import Resampling
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.tree_arrays import tree_arrays

UNSEEN_SCORE = -10.0  # of an outcome that no sample had
RARE = 2  # an outcome with fewer samples for or against it cannot be learned


@dataclass(frozen=True)
class BoostedPlan:
    """How boosted trees are trained.

    Attributes
    ----------
    members : classifiers to train on the same measurements, each with a seed of its own
    resampling : whether each of several members has all maps, or patients drawn with replacement
    """

    boosting: BoostingPlan = field(default_factory=BoostingPlan)
    measuring: MeasuringPlan = field(default_factory=MeasuringPlan)
    seed: int = 0
    members: int = 1
    resampling: Resampling = Resampling.PERMUTATION


def train_boosted(
    plan: BoostedPlan,
    folders: Sequence[Folder],
    out_folder: Path,
    *,
    drawn: Sequence[Path] = (),
    held_out: Sequence[Path] = (),
    on_progress: OnProgress = ignore_progress,
) -> dict[str, float]:
    """Train boosted trees into ``best.safetensors`` of a folder; gives figures on held-out maps.

    Several members go into its folders ``member_1`` and so on, which then also begin the names of
    their figures.

    Parameters
    ----------
    folders : tissue maps with answers, as for classification networks; weights are not used
    drawn : folders of maps that were drawn, to learn from with the errors of those in ``folders``

    Raises
    ------
    InputError
        If scikit-learn is missing, a folder holds no maps, drawn maps come without known errors,
        or there is no member.
    """
    if plan.members < 1:
        msg = f"Found {plan.members} members; expected at least 1."
        raise InputError(msg)
    config = BoostedConfig(softness=plan.boosting.softness)
    found = [folder.path for folder in folders]
    maps = measured_maps(plan.measuring, config, found, drawn, on_progress)
    libraries = tuple(GridLibrary(path, asked(config), cache_bytes=0) for path in held_out)
    if plan.members == 1:
        return _train_member(plan, maps, config, out_folder, libraries, on_progress)
    figures: dict[str, float] = {}
    for number in range(plan.members):
        own, name = replace(plan, seed=plan.seed + number), f"member_{number + 1}"
        some = maps.drawn(own.seed) if plan.resampling is Resampling.BOOTSTRAP else maps
        reached = _train_member(own, some, config, out_folder / name, libraries, on_progress)
        figures |= {f"{name}:{figure}": value for figure, value in reached.items()}
    return figures


def fitted(
    plan: BoostedPlan,
    samples: Samples,
    answers: Mapping[str, Answer],
    config: BoostedConfig,
    on_progress: OnProgress = ignore_progress,
) -> BoostedClassifier:
    """Classifier that has learned from measurements.

    Parameters
    ----------
    samples : float32 array (sample, measurement and patient feature)
    answers : head to array (sample,) or (sample, outcome)
    config : of the same softness as the plan
    """
    material = _Material(plan, samples, Ranks(samples, steady_ranges(TISSUES)))
    boosters, first = [], 0
    for done, head in enumerate(config.heads):
        on_progress(Progress("boost", done, len(config.heads), head.name))
        answer = answers[head.name]
        if head.exclusive:
            boosters.append((first, _exclusive(material, answer, head)))
        else:
            boosters += [
                (first + outcome, _yes_or_no(material, answer[:, outcome]))
                for outcome in range(head.size)
            ]
        first += head.size
    trees = [tree for _, booster in boosters for tree, _ in booster.trees]
    outcomes = [at + outcome for at, booster in boosters for _, outcome in booster.trees]
    if not trees:
        msg = "Found no outcome that some maps have and others lack; add maps with other answers."
        raise InputError(msg)
    arrays = tree_arrays(trees)
    classifier = BoostedClassifier(config, TreeSize(len(arrays.values), len(trees)))
    weights = {
        **{f"trees.{name}": tensor for name, tensor in arrays.tensors.items()},
        "value": torch.from_numpy(arrays.values[:, 0]).float(),
        "outcome": torch.tensor(outcomes, dtype=torch.int32),
        "start": torch.from_numpy(np.concatenate([b.start for _, b in boosters])).float(),
    }
    if config.softness > 0:
        weights["width"] = torch.from_numpy(arrays.values[:, 1]).float()
    classifier.load_state_dict(weights)
    classifier.require_sound()
    return classifier.eval()


def _train_member(
    plan: BoostedPlan,
    maps: MeasuredMaps,
    config: BoostedConfig,
    out_folder: Path,
    held_out: Sequence[GridLibrary],
    on_progress: OnProgress,
) -> dict[str, float]:
    """Write one classifier; gives its figures on held-out maps."""
    classifier = fitted(plan, maps.samples, maps.answers, config, on_progress)
    facts = {
        "kind": GRADIENT_BOOSTED,
        "config": json.dumps(asdict(config)),
        "plan": json.dumps(asdict(plan), default=plain_value),
    }
    save_weights(out_folder / BEST, classifier, facts)
    if not held_out:
        return {}
    return classification_figures(classifier, held_out, {}, "cpu", half_precision=False)


class _Material(NamedTuple):
    """What the trees of all questions learn from."""

    plan: BoostedPlan
    samples: Samples
    ranks: Ranks

    def booster(self, known: npt.NDArray[np.bool_], targets: npt.NDArray[np.bool_]) -> Booster:
        """Booster of one question; targets are those of the samples whose answer is known."""
        own = self.samples[known]
        return boost(self.plan.boosting, own, targets.astype(float), self.ranks, self.plan.seed)


def _exclusive(material: _Material, answer: Answer, head: HeadShape) -> Booster:
    """Booster of a head with one answer."""
    known = answer != UNANSWERED
    start = np.full(head.size, UNSEEN_SCORE)
    seen = np.unique(answer[known])
    if len(seen) < RARE:
        start[seen] = 0.0
        return Booster([], start)
    # With two outcomes, one score says by how much the second one is ahead.
    outcomes = seen[1:] if len(seen) == RARE else seen
    booster = material.booster(known, answer[known, None] == outcomes)
    start[seen] = 0.0
    start[outcomes] = booster.start
    return Booster([(tree, int(outcomes[index])) for tree, index in booster.trees], start)


def _yes_or_no(material: _Material, answer: Answer) -> Booster:
    """Booster of one outcome of a head with several answers."""
    known = answer != UNANSWERED
    positives = int((answer[known] == 1).sum())
    if min(positives, int(known.sum()) - positives) < RARE:
        certain = -UNSEEN_SCORE if positives > known.sum() / 2 else UNSEEN_SCORE
        return Booster([], np.array([certain if known.any() else 0.0]))
    return material.booster(known, answer[known, None] == 1)
