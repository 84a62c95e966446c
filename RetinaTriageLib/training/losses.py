"""Loss of a segmentation network: cross-entropy on partial labels, with soft Dice.

A voxel whose label is a set of tissues teaches only that its tissue lies in the set:
-log of the summed probability of the set. A known tissue is the set of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor
from torch.autograd.function import FunctionCtx

SMALLEST_PROBABILITY = 1e-30  # keeps the logarithm finite; float32 reaches 1e-38


@dataclass(frozen=True)
class LabelTables:
    """What each label code teaches.

    Attributes
    ----------
    sets : bool tensor (256, class), tissues that a code allows
    class_weights : float tensor (class,), weight of a voxel of known tissue
    smoothing : share of the target that known tissues hand to all classes alike
    dice_share : weight of soft Dice beside cross-entropy
    """

    sets: Tensor
    class_weights: Tensor
    smoothing: float = 0.02
    dice_share: float = 0.5

    @cached_property
    def classes(self) -> int:
        """Number of tissue classes; codes below it name one tissue."""
        return int(self.sets.shape[1])

    @cached_property
    def code_weights(self) -> Tensor:
        """Weight of a voxel by its code: of the set's least weighty tissue, 0 where all fit."""
        weights = torch.where(self.sets, self.class_weights, torch.inf).amin(dim=1)
        teaches = self.sets.any(dim=1) & ~self.sets.all(dim=1)
        return torch.where(teaches, weights, 0.0).float()

    @cached_property
    def members(self) -> tuple[tuple[int, ...], ...]:
        """Tissues that each code allows."""
        return tuple(tuple(np.flatnonzero(row).tolist()) for row in self.sets.cpu().numpy())


def segmentation_loss(scores: Tensor, codes: Tensor, tables: LabelTables) -> Tensor:
    """Weighted partial cross-entropy plus soft Dice of the tissues present, a scalar.

    Dice counts voxels of known tissue only.

    Parameters
    ----------
    scores : float tensor (batch, class, B-scan, depth, width), before softmax
    codes : uint8 tensor (batch, B-scan, depth, width)

    References
    ----------
    Milletari et al., V-Net, 3DV 2016 (soft Dice).
    """
    planes = scores.transpose(1, 2).flatten(0, 1).flatten(2)  # (B-scan, class, voxel)
    flat = codes.flatten(0, 1).flatten(1).long()  # (B-scan, voxel)
    loss: Tensor = _SegmentationLoss.apply(planes, flat, tables)  # type: ignore[no-untyped-call]  # torch
    return loss


class _SegmentationLoss(torch.autograd.Function):
    """Loss and gradient in two passes over the B-scans; autograd would take a dozen."""

    @staticmethod
    def forward(ctx: FunctionCtx, scores: Tensor, codes: Tensor, tables: LabelTables) -> Tensor:
        """Loss; keeps the gradient with respect to the scores."""
        code_counts = [torch.bincount(row, minlength=256) for row in codes]
        total_weight = float((torch.stack(code_counts).sum(0) * tables.code_weights.double()).sum())
        total_weight = max(total_weight, 1.0)
        dice = _DiceSums(tables.classes, scores.device)
        entropy = torch.zeros((), dtype=torch.float64, device=scores.device)
        probabilities, reached = [], []
        for plane, row, counts in zip(scores, codes, code_counts, strict=True):
            logs = torch.log_softmax(plane.float(), dim=0)
            p = logs.exp()  # (class, voxel)
            in_set = _set_probability(p, row, counts, tables)
            probabilities.append(p)
            reached.append(in_set)
            known = row < tables.classes
            share = tables.smoothing * known
            terms = (share - 1) * in_set.log() - share * logs.mean(dim=0)
            entropy += (terms * tables.code_weights[row]).sum(dtype=torch.float64)
            dice.add(p, row, in_set, known, counts)
        gradient = torch.empty_like(scores)
        for index, (p, in_set) in enumerate(zip(probabilities, reached, strict=True)):
            gradient[index] = _gradient(
                p, codes[index], in_set, code_counts[index], tables, dice, total_weight
            )
        ctx.save_for_backward(gradient)
        return (entropy / total_weight + tables.dice_share * dice.loss()).float()

    @staticmethod
    def backward(ctx: FunctionCtx, *outer: Tensor) -> tuple[Tensor, None, None]:
        """Gradient with respect to the scores."""
        (gradient,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return gradient * outer[0].to(gradient.dtype), None, None


def _partial_codes(counts: Tensor, tables: LabelTables) -> list[int]:
    codes = np.flatnonzero(counts.cpu().numpy()[tables.classes :]) + tables.classes
    return [code for code in codes.tolist() if float(tables.code_weights[code]) > 0]


def _set_probability(p: Tensor, row: Tensor, counts: Tensor, tables: LabelTables) -> Tensor:
    """Probability of each voxel's label set, (voxel,); 1 where the label is unknown."""
    known = row < tables.classes
    in_set = p.gather(0, torch.where(known, row, 0)[None])[0]
    in_set = torch.where(known, in_set, 1.0)
    for code in _partial_codes(counts, tables):
        in_set = torch.where(row == code, p[list(tables.members[code])].sum(0), in_set)
    return in_set.clamp_(min=SMALLEST_PROBABILITY)


class _DiceSums:
    """Sums over all B-scans from which soft Dice and its gradient follow."""

    def __init__(self, classes: int, device: torch.device) -> None:
        zeros = torch.zeros(classes, dtype=torch.float64, device=device)
        self.overlap, self.predicted, self.present = zeros, zeros.clone(), zeros.clone()

    def add(self, p: Tensor, row: Tensor, in_set: Tensor, known: Tensor, counts: Tensor) -> None:
        classes = len(self.present)
        if not bool(counts[:classes].any()):
            return
        self.overlap += torch.bincount(row, weights=in_set, minlength=256)[:classes].double()
        self.predicted += (p @ known.float()).double()
        self.present += counts[:classes]

    @property
    def share(self) -> Tensor:
        """Weight of each class: the classes present count alike."""
        here = (self.present > 0).double()
        return here / here.sum().clamp(min=1.0)

    def loss(self) -> Tensor:
        sizes = (self.predicted + self.present).clamp(min=1.0)
        return (self.share * (1 - 2 * self.overlap / sizes)).sum()

    def slopes(self) -> tuple[Tensor, Tensor]:
        """Slope of the loss by a class's probability: extra inside its truth, and everywhere."""
        sizes = (self.predicted + self.present).clamp(min=1.0)
        inside = -2 * self.share / sizes
        everywhere = 2 * self.share * self.overlap / sizes**2
        return inside.float(), everywhere.float()


def _gradient(
    p: Tensor,
    row: Tensor,
    in_set: Tensor,
    counts: Tensor,
    tables: LabelTables,
    dice: _DiceSums,
    total_weight: float,
) -> Tensor:
    """Gradient of the whole loss by the scores of one B-scan, (class, voxel)."""
    inside, everywhere = (tables.dice_share * slope for slope in dice.slopes())
    known = (row < tables.classes).float()
    inside_of_code = F.pad(inside, (0, 256 - tables.classes))
    pull = -inside_of_code[row] * in_set  # towards the truth, by Dice
    weight = tables.code_weights[row] / total_weight
    smoothed = weight * tables.smoothing * known
    factor = weight + pull - known * (everywhere @ p)
    gradient = torch.addcmul(-smoothed / tables.classes, p, factor)
    gradient += p * torch.outer(everywhere, known)
    target = weight - smoothed + pull
    own = torch.where(known > 0, row, 0)[None]
    gradient.scatter_add_(0, own, (-target * known)[None])
    for code in _partial_codes(counts, tables):
        of_set = torch.where(row == code, target / in_set, 0.0)
        for label in tables.members[code]:
            gradient[label] -= of_set * p[label]
    return gradient
