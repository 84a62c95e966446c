"""A new scanner adaptation branch of one segmentation network; nothing else of it learns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from RetinaTriageLib.labels.label_sets import LABEL_SETS, UNKNOWN
from RetinaTriageLib.networks.gray import EIGHT_BITS, INVERSION, normalize
from RetinaTriageLib.networks.inverted_gray import invert_gray
from RetinaTriageLib.networks.renorm import forget_statistics
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.progress import OnProgress
from RetinaTriageLib.training.augment import AugmentationPlan
from RetinaTriageLib.training.checkpoints import load_weights, plain_value
from RetinaTriageLib.training.losses import LabelTables, segmentation_loss
from RetinaTriageLib.training.optimization import BEST, FINAL, OptimizationPlan, optimize
from RetinaTriageLib.training.patients import require_other_patients
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.segmentation_validation import (
    folder_score,
    segmentation_figures,
    validation_columns,
)
from RetinaTriageLib.training.stack_batches import CropSize, StackBatch, StackSource
from RetinaTriageLib.training.stacks import Stack, StackLibrary

COMPARED_STACKS = 6  # of each folder, on which branches are compared
COMPARED_BSCANS = 2  # of each stack


@dataclass(frozen=True)
class BranchStart:
    """What a new branch begins as.

    Attributes
    ----------
    like : branch that is copied
    inverted : whether the copy takes pictures with inverted gray as the original takes the others
    """

    like: str
    inverted: bool = False

    @property
    def title(self) -> str:
        """The start, for people."""
        return f"{self.like} for inverted gray" if self.inverted else self.like


@dataclass(frozen=True)
class BranchPlan:
    """How a branch is trained.

    A branch has few weights and starts from one that works, so it needs hundreds of iterations.
    Gray values are changed less than in a whole training: the branch serves one scanner.

    Attributes
    ----------
    smoothing, dice_share : as in `segmentation_loop.SegmentationPlan`
    half_precision : compute in bfloat16 where it is safe
    """

    optimization: OptimizationPlan = field(
        default_factory=lambda: OptimizationPlan(
            iterations=300,
            learning_rate=2e-3,
            warm_up_iterations=10,
            weight_decay=0.0,
            average_decay=0.97,
            validate_iterations=60,
        )
    )
    augmentation: AugmentationPlan = field(
        default_factory=lambda: AugmentationPlan(
            gamma=1.15, contrast=0.1, brightness=0.04, speckle=0.1, noise=0.02
        )
    )
    crops: tuple[CropSize, ...] = (CropSize(3, 448, 224), CropSize(3, 384, 256))
    seed: int = 0
    smoothing: float = 0.02
    dice_share: float = 0.5
    half_precision: bool = True
    device: str = "cpu"


@dataclass
class OneScannerLibrary(StackLibrary):
    """Stacks of a folder that all count as one scanner's, whatever their files say."""

    scanner: str = ""

    def __getitem__(self, index: int) -> Stack:
        """Read the stack of one file."""
        return replace(super().__getitem__(index), device=self.scanner)


@dataclass
class BranchTask:
    """One branch as the training loop sees it, in front of a common block that stays as it is.

    The loop puts what it trains into training mode. It gets the branch alone, so the common block
    stays in evaluation mode, and its normalization keeps its statistics.
    """

    network: SegmentationNetwork
    scanner: str
    plan: BranchPlan
    source: StackSource
    tables: LabelTables
    held_out: tuple[OneScannerLibrary, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the validation figures."""
        if not self.held_out:
            return ()
        names = (validation_columns(library.path.name) for library in self.held_out)
        return ("score", *(name for folder in names for name in folder))

    def batch(self, iteration: int) -> StackBatch:
        """Return the changed crops of an iteration."""
        return self.source.batch(iteration)

    def loss(self, network: nn.Module, batch: StackBatch) -> Tensor:
        """Loss of the whole network with this branch."""
        self.network.branches[self.scanner] = network
        device = torch.device(self.plan.device)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.plan.half_precision):
            scores = self.network(batch.images.to(device), self.scanner)
        return segmentation_loss(scores, batch.codes.to(device), self.tables)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Dice of every held-out folder; the score is the mean over the folders."""
        self.network.branches[self.scanner] = network
        figures: dict[str, float] = {}
        for library in self.held_out:
            figures |= segmentation_figures(
                self.network, library, self.plan.device, half_precision=self.plan.half_precision
            )
        scores = [folder_score(figures, library.path.name) for library in self.held_out]
        return figures | {"score": float(np.nanmean(scores))}


def train_branch(
    network: SegmentationNetwork,
    scanner: str,
    start: BranchStart,
    plan: BranchPlan,
    folders: Sequence[Folder],
    run_folder: Path,
    *,
    held_out: Sequence[Path] = (),
    on_progress: OnProgress,
) -> None:
    """Add the branch ``scanner`` to a network and train it from ``start``, in place.

    A run that is found in ``run_folder`` is gone on with.

    Raises
    ------
    InputError
        If the network has such a branch, a folder holds no labeled B-scans, or a patient is both
        to learn from and held out.
    """
    network.eval().requires_grad_(requires_grad=False)
    network.add_branch(scanner, start.like)
    if start.inverted:
        invert_gray(network.branches[scanner])
    network.to(plan.device)
    branch = network.branches[scanner].requires_grad_()
    forget_statistics(branch)
    source = StackSource(tuple(folders), plan.crops, plan.augmentation, plan.seed)
    tables = label_tables(network.config.classes, plan)
    libraries = tuple(OneScannerLibrary(path, scanner=scanner) for path in held_out)
    require_other_patients(
        (path for library in source.libraries for path in library.files),
        (path for library in libraries for path in library.files),
    )
    task = BranchTask(network, scanner, plan, source, tables, libraries)
    facts = {"plan": json.dumps(asdict(plan), default=plain_value)}
    optimize(branch, task, plan.optimization, run_folder, facts, on_progress)
    network.branches[scanner] = branch
    load_weights(run_folder / (BEST if task.columns else FINAL), branch)
    network.to("cpu").eval().requires_grad_(requires_grad=False)


@torch.no_grad()
def start_losses(
    network: SegmentationNetwork,
    branches: Sequence[str],
    plan: BranchPlan,
    folders: Sequence[Folder],
) -> Mapping[BranchStart, float]:
    """Loss of every start from one of the branches on some labeled B-scans of each folder."""
    network.eval().to(plan.device)
    libraries = [StackLibrary(folder.path) for folder in folders]
    tables = label_tables(network.config.classes, plan)
    stacks = [stack for library in libraries for stack in _compared(library)]
    losses = {
        start: float(np.mean([_loss(network, stack, start, tables, plan) for stack in stacks]))
        for branch in branches
        for start in (BranchStart(branch), BranchStart(branch, inverted=True))
    }
    network.to("cpu")
    return losses


def label_tables(classes: int, plan: BranchPlan) -> LabelTables:
    """Tables of what labels teach. All tissues weigh alike: else rare ones come out too large."""
    return LabelTables(
        torch.tensor(LABEL_SETS, device=plan.device),
        torch.ones(classes, device=plan.device),
        plan.smoothing,
        plan.dice_share,
    )


def labeled_bscans(stack: Stack) -> npt.NDArray[np.intp]:
    """List the B-scans of which something is known, by index."""
    return np.flatnonzero((stack.codes != UNKNOWN).any(axis=(1, 2)))


def _compared(library: StackLibrary) -> list[Stack]:
    """Take stacks spread over the folder."""
    count = min(COMPARED_STACKS, len(library))
    return [library[int(index)] for index in (np.arange(count) + 0.5) * len(library) / count]


def _loss(
    network: SegmentationNetwork,
    stack: Stack,
    start: BranchStart,
    tables: LabelTables,
    plan: BranchPlan,
) -> float:
    """Loss on the middle ones of the labeled B-scans of a stack."""
    labeled = labeled_bscans(stack)
    chosen = labeled[max(0, (len(labeled) - COMPARED_BSCANS) // 2) :][:COMPARED_BSCANS]
    gray = normalize(stack.image[chosen], EIGHT_BITS)
    if start.inverted:
        gray = np.float32(INVERSION) - gray
    images = torch.from_numpy(gray)[None].to(plan.device)
    codes = torch.from_numpy(stack.codes[chosen])[None].to(plan.device)
    kind = torch.device(plan.device).type
    with torch.autocast(kind, torch.bfloat16, enabled=plan.half_precision):
        scores = network(images, start.like)
    return float(segmentation_loss(scores, codes, tables))
