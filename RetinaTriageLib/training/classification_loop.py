"""Training of a classification network on tissue maps with answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.bundle_manifest import DENSENET, JOINT
from RetinaTriageLib.inference.allocator import keep_freed_memory
from RetinaTriageLib.networks.classification import ClassificationConfig, ClassificationNetwork
from RetinaTriageLib.networks.joint_classification import JointNetwork
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.penalties import default_penalty
from RetinaTriageLib.progress import OnProgress, ignore_progress
from RetinaTriageLib.training.checkpoints import RunState, load_weights, plain_value
from RetinaTriageLib.training.classification_validation import (
    classification_figures,
    figure_names,
)
from RetinaTriageLib.training.grid_augment import GridAugmentation
from RetinaTriageLib.training.grids import GridBatch, GridLibrary, GridSource
from RetinaTriageLib.training.opinion_loss import opinion_loss
from RetinaTriageLib.training.optimization import OptimizationPlan, optimize
from RetinaTriageLib.training.stacks import Folder

Classifier = ClassificationNetwork | JointNetwork


@dataclass(frozen=True)
class ClassificationPlan:
    """How a classification network is trained.

    Attributes
    ----------
    seed : sets the first weights, the order of the data, and their changes
    init_from : weights to start from instead of drawing them
    penalty_share : weight of the expected penalty of a referral beside cross-entropy
    half_precision : compute in bfloat16 where it is safe
    joint_maps : 0 trains a classifier of single maps; else one that judges all maps of a scan
        jointly, of which it is shown up to so many
    """

    optimization: OptimizationPlan = field(
        default_factory=lambda: OptimizationPlan(iterations=4000, validate_iterations=250)
    )
    network: ClassificationConfig = field(default_factory=ClassificationConfig)
    augmentation: GridAugmentation = field(default_factory=GridAugmentation)
    batch_size: int = 4
    seed: int = 0
    init_from: Path | None = None
    penalty_share: float = 0.25
    half_precision: bool = True
    device: str = "cpu"
    joint_maps: int = 0


@dataclass
class ClassificationTask:
    """Classification as the training loop sees it."""

    plan: ClassificationPlan
    source: GridSource
    held_out: tuple[GridLibrary, ...]
    penalties: Mapping[str, npt.NDArray[np.float64]]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the validation figures."""
        if not self.held_out:
            return ()
        return ("score", *figure_names(self.plan.network, tuple(self.penalties)))

    def batch(self, iteration: int) -> GridBatch:
        """Return the changed tissue maps of an iteration."""
        return self.source.batch(iteration)

    def loss(self, network: Classifier, batch: GridBatch) -> Tensor:
        """Cross-entropy and penalty of a batch."""
        device = torch.device(self.plan.device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.plan.half_precision):
            scores = network(batch.grids.to(device), batch.patients.to(device))
        answers = {name: answer.to(device) for name, answer in batch.answers.items()}
        penalties = {
            name: torch.tensor(matrix, dtype=torch.float32, device=device)
            for name, matrix in self.penalties.items()
        }
        heads = network.config.heads
        return opinion_loss(scores, answers, heads, penalties, self.plan.penalty_share)

    def validate(self, network: Classifier) -> dict[str, float]:
        """AUC, accuracy and penalty on all held-out samples."""
        return classification_figures(
            network,
            self.held_out,
            self.penalties,
            self.plan.device,
            half_precision=self.plan.half_precision,
        )


def train_classification(
    plan: ClassificationPlan,
    folders: Sequence[Folder],
    out_folder: Path,
    *,
    held_out: Sequence[Path] = (),
    on_progress: OnProgress = ignore_progress,
) -> RunState:
    """Train a classification network into ``out_folder``, or go on with the run there.

    Parameters
    ----------
    folders : tissue maps with answers to learn from
    held_out : folders of samples to validate on, of patients that are in none of ``folders``

    Returns
    -------
    RunState
        Where the run ended. `RetinaTriageLib.training.optimization.optimize` names the files.

    Raises
    ------
    InputError
        If a folder holds no samples, or the run in ``out_folder`` is of another configuration.
    """
    keep_freed_memory()
    source = GridSource(
        tuple(folders), plan.network, plan.augmentation, plan.batch_size, plan.seed, plan.joint_maps
    )
    libraries = tuple(GridLibrary(path, plan.network) for path in held_out)
    torch.manual_seed(plan.seed)
    of_single_maps = ClassificationNetwork(plan.network)
    if plan.init_from is not None:
        load_weights(plan.init_from, of_single_maps)
    network: Classifier = of_single_maps
    if plan.joint_maps:
        network = JointNetwork(plan.network, like=of_single_maps)
    network.to(plan.device)
    asked = {head.name for head in plan.network.heads}
    penalties = {REFERRAL.name: default_penalty(REFERRAL)} if REFERRAL.name in asked else {}
    facts = {
        "kind": JOINT if plan.joint_maps else DENSENET,
        "config": json.dumps(asdict(plan.network)),
        "plan": json.dumps(asdict(plan), default=plain_value),
    }
    task = ClassificationTask(plan, source, libraries, penalties)
    return optimize(network, task, plan.optimization, out_folder, facts, on_progress)
