"""Training of the network that looks for intraretinal fluid once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from RetinaTriageLib.bundle_manifest import FLUID_NETWORK
from RetinaTriageLib.networks.fluid_network import FluidConfig, FluidNetwork
from RetinaTriageLib.progress import OnProgress, ignore_progress
from RetinaTriageLib.training.checkpoints import RunState
from RetinaTriageLib.training.fluid_batches import FluidAugmentation, FluidBatch, FluidSource
from RetinaTriageLib.training.fluid_views import ALL, ViewSample, read_view
from RetinaTriageLib.training.optimization import OptimizationPlan
from RetinaTriageLib.training.patients import require_other_patients
from RetinaTriageLib.training.processes import Processes
from RetinaTriageLib.training.sample_folder import Folder, sample_files
from RetinaTriageLib.training.train_network import TrainingPlan, initial, train_network

SOME_PLACES = 200.0
"""Added to both sides of soft Dice, so that a batch almost without fluid does not rule."""

VALIDATED_BSCANS = 8  # of each scan, evenly spread


@dataclass(frozen=True)
class FluidPlan(TrainingPlan):
    """How the network is trained.

    Attributes
    ----------
    batch_bscans : B-scans of an iteration, each of a scan by chance
    columns : of a batch; wider views are cropped
    entropy_weight : of cross-entropy beside soft Dice
    """

    optimization: OptimizationPlan = field(
        default_factory=lambda: OptimizationPlan(
            iterations=6000, learning_rate=2e-3, weight_decay=1e-3, gradient_norm=1.0
        )
    )
    network: FluidConfig = field(default_factory=FluidConfig)
    augmentation: FluidAugmentation = field(default_factory=FluidAugmentation)
    batch_bscans: int = 16
    columns: int = 256
    entropy_weight: float = 5.0


@dataclass
class FluidTask:
    """The search for fluid as the training loop sees it."""

    plan: FluidPlan
    source: FluidSource
    held_out: tuple[Path, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the validation figures."""
        names = [f"dice_{folder.name}" for folder in self.held_out]
        return ("score", *names) if names else ()

    def batch(self, number: int) -> FluidBatch:
        """Return the changed B-scans of a batch."""
        return self.source.batch(number)

    def loss(self, network: FluidNetwork, batch: FluidBatch) -> Tensor:
        """Cross-entropy and soft Dice where fluid or its absence is known."""
        device = torch.device(self.plan.device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.plan.half_precision):
            scores = network(batch.gray.to(device), batch.ilm_rows.to(device))
        fluid, known = batch.fluid.to(device), batch.known.to(device)
        return fluid_loss(scores.float(), fluid, known, self.plan.entropy_weight)

    def validate(self, network: FluidNetwork) -> dict[str, float]:
        """Dice of fluid over the known places of every held-out folder; the score is their mean."""
        figures = {
            f"dice_{folder.name}": folder_dice(network, sample_files(folder), self.plan.device)
            for folder in self.held_out
        }
        return figures | {"score": float(np.mean(list(figures.values())))}


def fluid_loss(scores: Tensor, fluid: Tensor, known: Tensor, entropy_weight: float) -> Tensor:
    """Weighted cross-entropy plus soft Dice of (N, row, column), over the known places alone."""
    entropy = F.binary_cross_entropy_with_logits(scores, fluid, reduction="none")
    entropy = (entropy * known).sum() / known.sum().clamp(min=1)
    chance = scores.sigmoid()
    both, all_of_both = (chance * fluid * known).sum(), ((chance + fluid) * known).sum()
    dice = (2 * both + SOME_PLACES) / (all_of_both + SOME_PLACES)
    return entropy_weight * entropy + 1 - dice


@torch.inference_mode()
def folder_dice(network: FluidNetwork, files: Sequence[Path], device: str) -> float:
    """Dice of the fluid of some files, all of their places taken together."""
    sums = np.zeros(2)
    for path in files:
        sample = read_view(path)
        step = max(1, len(sample.gray) // VALIDATED_BSCANS)
        for number in range(step // 2, len(sample.gray), step):
            sums += _overlap(network, sample, number, device)
    return float(2 * sums[0] / max(sums[1], 1))


def _overlap(
    network: FluidNetwork, sample: ViewSample, number: int, device: str
) -> tuple[float, float]:
    """Places of fluid that are found, and those found plus those there."""
    beside = np.clip(number + np.array([-1, 0, 1]), 0, len(sample.gray) - 1)
    gray = torch.from_numpy(sample.gray[beside].astype(np.float32))[None].to(device)
    ilm_rows = torch.from_numpy(sample.ilm_rows[number])[None].to(device)
    known = sample.known[number] > ALL // 2
    found = (network(gray, ilm_rows)[0] > 0).cpu().numpy() & known
    there = (sample.fluid[number] > ALL // 2) & known
    return float((found & there).sum()), float(found.sum() + there.sum())


def train_fluid(
    plan: FluidPlan,
    folders: Sequence[Folder],
    out_folder: Path,
    *,
    held_out: Sequence[Path] = (),
    on_progress: OnProgress = ignore_progress,
) -> RunState:
    """Train the network into ``out_folder``, or go on with the run there.

    Parameters
    ----------
    folders : files that ``train fluid-views`` wrote, to learn from
    held_out : the same of other patients, to validate on

    Raises
    ------
    InputError
        If a folder holds no views, a patient is both to learn from and held out, or the run in
        ``out_folder`` is of another configuration.
    """

    def make_task(plan: FluidPlan, _processes: Processes) -> FluidTask:
        source = FluidSource(
            tuple(folders), plan.batch_bscans, plan.columns, plan.augmentation, plan.seed
        )
        require_other_patients(
            (path for files in source.files for path in files),
            (path for folder in held_out for path in sample_files(folder)),
        )
        return FluidTask(plan, source, tuple(held_out))

    def make_network() -> FluidNetwork:
        return initial(FluidNetwork(plan.network), plan)

    return train_network(plan, FLUID_NETWORK, make_network, make_task, out_folder, on_progress)
