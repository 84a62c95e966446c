"""Training of a segmentation network on labeled B-scans."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.inference.allocator import keep_freed_memory
from RetinaTriageLib.labels.label_sets import LABEL_SETS
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork
from RetinaTriageLib.progress import OnProgress, ignore_progress
from RetinaTriageLib.training.augment import AugmentationPlan
from RetinaTriageLib.training.checkpoints import RunState, load_weights, plain_value
from RetinaTriageLib.training.losses import LabelTables, segmentation_loss
from RetinaTriageLib.training.optimization import OptimizationPlan, optimize
from RetinaTriageLib.training.segmentation_validation import (
    folder_score,
    segmentation_figures,
    validation_columns,
)
from RetinaTriageLib.training.stacks import CropSize, Folder, StackBatch, StackLibrary, StackSource

CLASS_WEIGHTS = "class_weights.json"
COUNTED_STACKS = 64  # of each folder; enough to know how rare a tissue is
REFRESH_ITERATIONS = 500

# About as many voxels each, so that every iteration takes as long.
DEFAULT_CROPS = (
    CropSize(4, 448, 256),
    CropSize(4, 496, 240),
    CropSize(5, 416, 224),
    CropSize(6, 352, 224),
)


@dataclass(frozen=True)
class SegmentationPlan:
    """How a segmentation network is trained.

    Attributes
    ----------
    seed : sets the first weights, the order of the data, and their changes
    init_from : weights to start from instead of drawing them
    smoothing : label smoothing of voxels of known tissue
    dice_share : weight of soft Dice beside cross-entropy
    class_weight_limits : weights of frequent and of rare tissues end here
    half_precision : compute in bfloat16 where it is safe
    """

    optimization: OptimizationPlan = field(default_factory=OptimizationPlan)
    network: SegmentationConfig = field(default_factory=SegmentationConfig)
    augmentation: AugmentationPlan = field(default_factory=AugmentationPlan)
    crops: tuple[CropSize, ...] = DEFAULT_CROPS
    seed: int = 0
    init_from: Path | None = None
    smoothing: float = 0.02
    dice_share: float = 0.5
    class_weight_limits: tuple[float, float] = (0.5, 6.0)
    half_precision: bool = True
    device: str = "cpu"


@dataclass
class SegmentationTask:
    """Segmentation as the training loop sees it."""

    plan: SegmentationPlan
    source: StackSource
    tables: LabelTables
    held_out: tuple[StackLibrary, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the validation figures."""
        if not self.held_out:
            return ()
        names = [validation_columns(library.path.name) for library in self.held_out]
        return ("score", *(name for folder in names for name in folder))

    def batch(self, iteration: int) -> StackBatch:
        """Return the changed crops of an iteration."""
        if iteration % REFRESH_ITERATIONS == 0:
            self.source.refresh()
        return self.source.batch(iteration)

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
        If a folder holds no stacks, or the run in ``out_folder`` is of another configuration.
    """
    keep_freed_memory()
    source = StackSource(tuple(folders), plan.crops, plan.augmentation, plan.seed)
    weights = _class_weights(source, plan, out_folder)
    tables = LabelTables(
        torch.tensor(LABEL_SETS, device=plan.device),
        torch.from_numpy(weights).to(plan.device),
        plan.smoothing,
        plan.dice_share,
    )
    torch.manual_seed(plan.seed)
    network = SegmentationNetwork(plan.network)
    if plan.init_from is not None:
        load_weights(plan.init_from, network)
    network.to(plan.device)
    libraries = tuple(StackLibrary(path) for path in held_out)
    facts = {
        "config": json.dumps(asdict(plan.network)),
        "plan": json.dumps(asdict(plan), default=plain_value),
    }
    task = SegmentationTask(plan, source, tables, libraries)
    return optimize(network, task, plan.optimization, out_folder, facts, on_progress)


def class_weights(
    voxel_counts: npt.NDArray[np.int64], limits: tuple[float, float]
) -> npt.NDArray[np.float32]:
    """Weight of every tissue: root of how much rarer than the mean it is, within limits.

    Examples
    --------
    >>> class_weights(np.array([900, 100]), (0.5, 6.0)).round(1)
    array([0.7, 2.2], dtype=float32)
    """
    rarity = voxel_counts.mean() / np.maximum(voxel_counts, 1)
    weights: npt.NDArray[np.float64] = np.clip(np.sqrt(rarity), *limits)
    return weights.astype(np.float32)


def _class_weights(
    source: StackSource, plan: SegmentationPlan, out_folder: Path
) -> npt.NDArray[np.float32]:
    """Weights by the stacks at the start of the run; a resumed run keeps those."""
    path = out_folder / CLASS_WEIGHTS
    if path.exists():
        return np.array(json.loads(path.read_text(encoding="utf-8")), np.float32)
    counts = np.zeros(plan.network.classes, np.int64)
    for library in source.libraries:
        for index in range(min(COUNTED_STACKS, len(library))):
            codes = library[index].codes
            counts += np.bincount(codes.ravel(), minlength=256)[: len(counts)]
    weights = class_weights(counts, plan.class_weight_limits)
    out_folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(weights.tolist()), encoding="utf-8")
    return weights
