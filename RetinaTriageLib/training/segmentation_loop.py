"""Training of a segmentation network on labeled B-scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from RetinaTriageLib.bundle_manifest import UNET
from RetinaTriageLib.labels.label_sets import LABEL_SETS
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork
from RetinaTriageLib.progress import OnProgress, ignore_progress
from RetinaTriageLib.training.augment import AugmentationPlan
from RetinaTriageLib.training.checkpoints import RunState
from RetinaTriageLib.training.class_weights import class_weights, kept_weights
from RetinaTriageLib.training.losses import LabelTables, segmentation_loss
from RetinaTriageLib.training.patients import require_other_patients
from RetinaTriageLib.training.processes import Processes
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.segmentation_validation import (
    folder_score,
    segmentation_figures,
    validation_columns,
)
from RetinaTriageLib.training.stack_batches import CropSize, StackBatch, StackSource
from RetinaTriageLib.training.stacks import StackLibrary
from RetinaTriageLib.training.train_network import TrainingPlan, initial, train_network

COUNTED_STACKS = 64  # of each folder; enough to know how rare a tissue is
REFRESH_BATCHES = 500

# About as many voxels each, so that every iteration takes as long.
DEFAULT_CROPS = (
    CropSize(4, 448, 256),
    CropSize(4, 496, 240),
    CropSize(5, 416, 224),
    CropSize(6, 352, 224),
)


@dataclass(frozen=True)
class SegmentationPlan(TrainingPlan):
    """How a segmentation network is trained.

    Attributes
    ----------
    smoothing : label smoothing of voxels of known tissue
    dice_share : weight of soft Dice beside cross-entropy
    class_weight_limits : weights of frequent and of rare tissues end here
    """

    network: SegmentationConfig = field(default_factory=SegmentationConfig)
    augmentation: AugmentationPlan = field(default_factory=AugmentationPlan)
    crops: tuple[CropSize, ...] = DEFAULT_CROPS
    smoothing: float = 0.02
    dice_share: float = 0.5
    class_weight_limits: tuple[float, float] = (0.5, 6.0)


@dataclass
class SegmentationTask:
    """Segmentation as the training loop sees it."""

    plan: SegmentationPlan
    source: StackSource
    tables: LabelTables
    held_out: tuple[StackLibrary, ...]
    refreshed: int = 0  # how often folders were looked through again

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the validation figures."""
        if not self.held_out:
            return ()
        names = [validation_columns(library.path.name) for library in self.held_out]
        return ("score", *(name for folder in names for name in folder))

    def batch(self, number: int) -> StackBatch:
        """Return the changed crops of a batch."""
        if number // REFRESH_BATCHES != self.refreshed:
            self.refreshed = number // REFRESH_BATCHES
            self.source.refresh()
        return self.source.batch(number)

    def loss(self, network: SegmentationNetwork, batch: StackBatch) -> Tensor:
        """Partial cross-entropy and Dice of a batch."""
        device = torch.device(self.plan.device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.plan.half_precision):
            scores = network(batch.images.to(device), batch.device)
        return segmentation_loss(scores, batch.codes.to(device), self.tables)

    def validate(self, network: SegmentationNetwork) -> dict[str, float]:
        """Dice of every held-out folder; the score is the mean over the folders."""
        figures: dict[str, float] = {}
        for library in self.held_out:
            figures |= segmentation_figures(
                network,
                library,
                self.plan.device,
                half_precision=self.plan.half_precision,
            )
        scores = [folder_score(figures, library.path.name) for library in self.held_out]
        return figures | {"score": float(np.nanmean(scores))}


def train_segmentation(
    plan: SegmentationPlan,
    folders: Sequence[Folder],
    out_folder: Path,
    *,
    held_out: Sequence[Path] = (),
    on_progress: OnProgress = ignore_progress,
) -> RunState:
    """Train a segmentation network into ``out_folder``, or go on with the run there.

    Parameters
    ----------
    folders : labeled stacks to learn from
    held_out : folders of stacks to validate on, of patients that are in none of ``folders``

    Returns
    -------
    RunState
        Where the run ended. `RetinaTriageLib.training.optimization.optimize` names the files.

    Raises
    ------
    InputError
        If a folder holds no stacks, a patient is both to learn from and held out, or the run in
        ``out_folder`` is of another configuration.
    """

    def make_task(plan: SegmentationPlan, processes: Processes) -> SegmentationTask:
        source = StackSource(
            tuple(folders), plan.crops, plan.augmentation, plan.seed, plan.bootstrap_seed
        )
        libraries = tuple(StackLibrary(path) for path in held_out)
        require_other_patients(
            (path for library in source.libraries for path in library.files),
            (path for library in libraries for path in library.files),
        )
        weights = kept_weights(out_folder, processes, lambda: _class_weights(source, plan))
        tables = LabelTables(
            torch.tensor(LABEL_SETS, device=plan.device),
            torch.tensor(weights, dtype=torch.float32, device=plan.device),
            plan.smoothing,
            plan.dice_share,
        )
        return SegmentationTask(plan, source, tables, libraries)

    def make_network() -> SegmentationNetwork:
        return initial(SegmentationNetwork(plan.network), plan)

    return train_network(plan, UNET, make_network, make_task, out_folder, on_progress)


def _class_weights(source: StackSource, plan: SegmentationPlan) -> list[float]:
    """Weights of tissues by the first stacks of every folder."""
    counts = np.zeros(plan.network.classes, np.int64)
    for library in source.libraries:
        for index in range(min(COUNTED_STACKS, len(library))):
            codes = library[index].codes
            counts += np.bincount(codes.ravel(), minlength=256)[: len(counts)]
    weights: list[float] = class_weights(counts, plan.class_weight_limits).tolist()
    return weights
