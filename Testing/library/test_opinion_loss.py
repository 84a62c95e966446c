from __future__ import annotations

import math

import pytest
import torch

from RetinaTriageLib.networks.classification import HeadShape
from RetinaTriageLib.training.opinion_loss import LABEL_SMOOTHING, AnswerTables, opinion_loss

REFERRAL = HeadShape("referral", 2, exclusive=True)
CONDITIONS = HeadShape("conditions", 2, exclusive=False)


def test_cross_entropy_of_undecided_scores() -> None:
    scores = {"referral": torch.zeros(1, 2), "conditions": torch.zeros(1, 2)}
    answers = {"referral": torch.tensor([1]), "conditions": torch.tensor([[0, 1]])}
    loss = opinion_loss(scores, answers, AnswerTables((REFERRAL, CONDITIONS)))
    assert loss.item() == pytest.approx(3 * math.log(2))


def test_smoothed_target_is_the_best_answer() -> None:
    best = math.log((1 - LABEL_SMOOTHING / 2) / (LABEL_SMOOTHING / 2))
    scores = torch.tensor([[best, -best]], requires_grad=True)
    answers = {"conditions": torch.tensor([[1, 0]])}
    opinion_loss({"conditions": scores}, answers, AnswerTables((CONDITIONS,))).backward()
    assert scores.grad is not None
    assert scores.grad.abs().max() < 1e-6


def test_costly_mistake_adds_its_penalty() -> None:
    scores = {"referral": torch.tensor([[-50.0, 50.0]])}
    answers = {"referral": torch.tensor([0])}
    matrix = {"referral": torch.tensor([[0.0, 3.0], [1.0, 0.0]])}
    plain = opinion_loss(scores, answers, AnswerTables((REFERRAL,)))
    penalized = opinion_loss(scores, answers, AnswerTables((REFERRAL,), matrix, 1.0))
    assert (penalized - plain).item() == pytest.approx(3.0)


def test_unanswered_head_teaches_nothing() -> None:
    scores = torch.randn(2, 2, requires_grad=True)
    other = torch.zeros(2, 2, requires_grad=True)
    loss = opinion_loss(
        {"referral": scores, "conditions": other},
        {"referral": torch.tensor([-1, -1]), "conditions": torch.ones(2, 2)},
        AnswerTables((REFERRAL, CONDITIONS), {"referral": torch.eye(2)}, 1.0),
    )
    loss.backward()
    assert scores.grad is None


def test_rare_class_pulls_harder() -> None:
    scores = torch.zeros(2, 2, requires_grad=True)
    weights = {"referral": torch.tensor([3.0, 1.0])}
    tables = AnswerTables((REFERRAL,), smoothing=0.0, class_weights=weights)
    opinion_loss({"referral": scores}, {"referral": torch.tensor([0, 1])}, tables).backward()
    assert scores.grad is not None
    assert scores.grad[0, 0] == pytest.approx(3 * scores.grad[1, 1])


def test_rare_condition_pulls_harder_where_it_is_present() -> None:
    weights = {"conditions": torch.tensor([4.0, 1.0])}
    tables = AnswerTables((CONDITIONS,), smoothing=0.0, class_weights=weights)
    answers = {"conditions": torch.tensor([[1, 1]])}
    loss = opinion_loss({"conditions": torch.zeros(1, 2)}, answers, tables)
    assert loss.item() == pytest.approx(5 * math.log(2))
