"""Training of a classification network on tissue maps with answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.bundle_manifest import DENSENET, JOINT
from RetinaTriageLib.networks.classification import ClassificationConfig, ClassificationNetwork
from RetinaTriageLib.networks.joint_classification import JointNetwork
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.penalties import default_penalty
from RetinaTriageLib.progress import OnProgress, ignore_progress
from RetinaTriageLib.training.checkpoints import RunState
from RetinaTriageLib.training.class_weights import UNIFORM, answer_weights, kept_weights
from RetinaTriageLib.training.classification_validation import (
    classification_figures,
    figure_names,
)
from RetinaTriageLib.training.grid_augment import GridAugmentation
from RetinaTriageLib.training.grids import GridBatch, GridLibrary, GridSource
from RetinaTriageLib.training.opinion_loss import LABEL_SMOOTHING, AnswerTables, opinion_loss
from RetinaTriageLib.training.optimization import OptimizationPlan
from RetinaTriageLib.training.patients import require_other_patients
from RetinaTriageLib.training.processes import Processes
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.train_network import TrainingPlan, initial, train_network

Classifier = ClassificationNetwork | JointNetwork


@dataclass(frozen=True)
class ClassificationPlan(TrainingPlan):
    """How a classification network is trained.

    Attributes
    ----------
    penalty_share : weight of the expected penalty of a referral beside cross-entropy
    smoothing : label smoothing of answers
    class_weight_limits : weights of frequent and of rare outcomes end here; 1 and 1 weighs them
        alike
    joint_maps : 0 trains a classifier of single maps; else one that judges all maps of a scan
        jointly, of which it is shown up to so many
    """

    optimization: OptimizationPlan = field(
        default_factory=lambda: OptimizationPlan(iterations=4000, validate_iterations=250)
    )
    network: ClassificationConfig = field(default_factory=ClassificationConfig)
    augmentation: GridAugmentation = field(default_factory=GridAugmentation)
    batch_size: int = 4
    penalty_share: float = 0.25
    smoothing: float = LABEL_SMOOTHING
    class_weight_limits: tuple[float, float] = UNIFORM
    joint_maps: int = 0


@dataclass
class ClassificationTask:
    """Classification as the training loop sees it."""

    plan: ClassificationPlan
    source: GridSource
    held_out: tuple[GridLibrary, ...]
    penalties: Mapping[str, npt.NDArray[np.float64]]
    tables: AnswerTables

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the validation figures."""
        if not self.held_out:
            return ()
        return ("score", *figure_names(self.plan.network, tuple(self.penalties)))

    def batch(self, number: int) -> GridBatch:
        """Return the changed tissue maps of a batch."""
        return self.source.batch(number)

    def loss(self, network: Classifier, batch: GridBatch) -> Tensor:
        """Cross-entropy and penalty of a batch."""
        device = torch.device(self.plan.device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.plan.half_precision):
            scores = network(batch.grids.to(device), batch.patients.to(device))
        answers = {name: answer.to(device) for name, answer in batch.answers.items()}
        return opinion_loss(scores, answers, self.tables)

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
        If a folder holds no samples, a patient is both to learn from and held out, or the run in
        ``out_folder`` is of another configuration.
    """

    def make_task(plan: ClassificationPlan, processes: Processes) -> ClassificationTask:
        source = GridSource(
            tuple(folders),
            plan.network,
            plan.augmentation,
            plan.batch_size,
            plan.seed,
            plan.joint_maps,
            plan.bootstrap_seed,
        )
        libraries = tuple(GridLibrary(path, plan.network) for path in held_out)
        require_other_patients(
            (path for library in source.libraries for path in library.files),
            (path for library in libraries for path in library.files),
        )
        heads = plan.network.heads
        weights = kept_weights(
            out_folder,
            processes,
            lambda: answer_weights(source.libraries, heads, plan.class_weight_limits),
        )
        asked = {head.name for head in heads}
        penalties = {REFERRAL.name: default_penalty(REFERRAL)} if REFERRAL.name in asked else {}
        tables = AnswerTables(
            heads,
            _tensors(penalties, plan.device),
            plan.penalty_share,
            plan.smoothing,
            _tensors(weights, plan.device),
        )
        return ClassificationTask(plan, source, libraries, penalties, tables)

    def make_network() -> Classifier:
        of_single_maps = initial(ClassificationNetwork(plan.network), plan)
        return (
            JointNetwork(plan.network, like=of_single_maps) if plan.joint_maps else of_single_maps
        )

    kind = JOINT if plan.joint_maps else DENSENET
    return train_network(plan, kind, make_network, make_task, out_folder, on_progress)


def _tensors(values: Mapping[str, npt.ArrayLike], device: str) -> dict[str, Tensor]:
    return {
        name: torch.tensor(np.asarray(value), dtype=torch.float32, device=device)
        for name, value in values.items()
    }
