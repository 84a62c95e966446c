from __future__ import annotations

import pytest
import torch
from torch import Tensor

from RetinaTriageLib.labels.label_sets import LABEL_SETS, NOT_FLUID, SOME_FLUID, UNKNOWN
from RetinaTriageLib.training.losses import LabelTables, segmentation_loss

SHAPE = (1, 2, 4, 6)  # (batch, B-scan, depth, width)


def tables(smoothing: float = 0.02, dice_share: float = 0.5) -> LabelTables:
    weights = torch.linspace(0.5, 2.0, 15)
    return LabelTables(torch.tensor(LABEL_SETS), weights, smoothing, dice_share)


def random_scores() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, 15, *SHAPE[1:], generator=generator).requires_grad_()


def codes_of(*codes: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    draw = torch.randint(len(codes), SHAPE, generator=generator)
    return torch.tensor(codes, dtype=torch.uint8)[draw]


def textbook_loss(scores: Tensor, codes: Tensor, by: LabelTables) -> Tensor:
    logs = scores.double().log_softmax(dim=1).movedim(1, -1)
    p, index = logs.exp(), codes.long()
    reached, weight = (p * by.sets[index]).sum(-1), by.code_weights[index]
    share = by.smoothing * (codes < 15)
    terms = -(1 - share) * reached.log() - share * logs.mean(-1)
    known = codes < 15
    truth = torch.nn.functional.one_hot(index[known], 15)
    dice = 2 * (p[known] * truth).sum(0) / (p[known].sum(0) + truth.sum(0))
    present = truth.sum(0) > 0
    entropy = (terms * weight).sum() / weight.sum()
    return entropy + by.dice_share * (1 - dice[present]).mean()


@pytest.mark.parametrize("codes", [(0, 3, 4, 11), (0, 3, SOME_FLUID, NOT_FLUID, UNKNOWN)])
def test_loss_and_gradient_equal_the_textbook(codes: tuple[int, ...]) -> None:
    ours, textbook = random_scores(), random_scores()
    loss = segmentation_loss(ours, codes_of(*codes), tables())
    expected = textbook_loss(textbook, codes_of(*codes), tables())
    loss.backward()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(ours.grad, textbook.grad, rtol=1e-4, atol=1e-7)


def test_unknown_voxels_teach_nothing() -> None:
    scores = random_scores()
    segmentation_loss(scores, codes_of(UNKNOWN), tables()).backward()
    assert scores.grad is not None
    assert not scores.grad.any()


def test_some_fluid_accepts_either_fluid() -> None:
    scores = torch.full((1, 15, *SHAPE[1:]), -20.0)
    scores[:, 4:6] = 20.0
    assert segmentation_loss(scores, codes_of(SOME_FLUID), tables()).item() < 1e-5


def test_not_fluid_pushes_only_fluid_down() -> None:
    scores = torch.zeros((1, 15, *SHAPE[1:]), requires_grad=True)
    segmentation_loss(scores, codes_of(NOT_FLUID), tables()).backward()
    assert scores.grad is not None
    rises = scores.grad.sum(dim=(0, 2, 3, 4)) > 0
    assert rises.nonzero().flatten().tolist() == [4, 5]


def test_rare_tissue_weighs_more() -> None:
    scores, codes = torch.zeros((1, 15, *SHAPE[1:])), codes_of(0, 14)
    scores[:, 0] = 3.0
    wrong_on_rare = segmentation_loss(scores, codes, tables(0.0, 0.0))
    wrong_on_frequent = segmentation_loss(scores.flip(1), codes, tables(0.0, 0.0))
    assert wrong_on_rare > wrong_on_frequent
