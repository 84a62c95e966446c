from __future__ import annotations

import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.classification_scores import HeadAnswers, head_scores
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL, Outcome, OutcomeHead

PRESENCE = OutcomeHead(
    "presence", "Presence", (Outcome("a", "A", ""), Outcome("b", "B", "")), exclusive=False
)


def referral_answers(actual: list[int], predicted: list[int]) -> HeadAnswers:
    raw = np.full((len(actual), 4), 0.1)
    raw[np.arange(len(actual)), predicted] = 0.7
    truth = np.eye(4, dtype=np.int8)[actual]
    return HeadAnswers(REFERRAL, raw, truth, tuple("abcdefgh"[: len(actual)]))


def test_confusion_and_error_of_a_worked_example() -> None:
    scores = head_scores(referral_answers([0, 0, 1, 3], [0, 3, 0, 3]), np.ones(4)).exclusive
    assert scores is not None
    assert (scores.error.count, scores.error.total) == (2, 4)
    assert scores.confusion.tolist() == [[1, 0, 0, 1], [1, 0, 0, 0], [0] * 4, [0, 0, 0, 1]]


def test_penalty_is_a_mean_and_a_share_of_the_worst() -> None:
    scores = head_scores(referral_answers([0, 0, 1, 3], [0, 3, 0, 3]), np.ones(4)).exclusive
    assert scores is not None
    # Penalties 0, 9, 1, 0; the worst answers to these cases cost 9, 9, 5, 3.
    assert scores.mean_penalty == pytest.approx(10 / 4)
    assert scores.penalty_share == pytest.approx(10 / 26)


def test_own_penalty_matrix_is_used() -> None:
    scores = head_scores(referral_answers([0, 1], [1, 1]), np.ones(4), 1 - np.eye(4)).exclusive
    assert scores is not None
    assert scores.mean_penalty == scores.penalty_share == 0.5


def test_factors_move_the_decisions() -> None:
    factors = [1, 1, 1, 100]
    scores = head_scores(referral_answers([0, 1], [0, 1]), factors).exclusive
    assert scores is not None
    assert scores.confusion[:, 3].tolist() == [1, 1, 0, 0]


def test_sensitivity_and_specificity_at_the_operating_point() -> None:
    raw = np.array([[0.6, 0], [0.4, 0], [0.3, 0], [0.1, 0], [0.8, 0]])
    truth = np.array([[1, 0], [1, 0], [0, 0], [0, 0], [0, 0]], np.int8)
    answers = HeadAnswers(PRESENCE, raw, truth, tuple("abcde"))
    neutral = head_scores(answers, [0.5, 0.5]).outcomes[0]
    assert (neutral.sensitivity.count, neutral.sensitivity.total) == (1, 2)
    assert (neutral.specificity.count, neutral.specificity.total) == (2, 3)
    sensitive = head_scores(answers, [0.65, 0.5]).outcomes[0]  # 0.35 becomes 0.5
    assert sensitive.sensitivity.value == 1
    assert sensitive.auc == neutral.auc == pytest.approx(4 / 6)


def test_case_without_an_answer_counts_nowhere() -> None:
    raw = np.array([[0.9, 0.2], [0.2, 0.2], [0.9, 0.2]])
    truth = np.array([[1, -1], [0, -1], [-1, -1]], np.int8)
    scores = head_scores(HeadAnswers(PRESENCE, raw, truth, tuple("abc")), [0.5, 0.5])
    assert scores.outcomes[0].auc == 1
    assert scores.outcomes[0].specificity.total == 1
    assert np.isnan(scores.outcomes[1].auc)
    assert np.isnan(scores.outcomes[1].sensitivity.value)


def test_normal_gives_way_to_a_finding() -> None:
    raw = np.zeros((1, len(CONDITIONS.outcomes)))
    raw[0, :2] = 0.9  # normal and cnv
    truth = np.zeros_like(raw, dtype=np.int8)
    truth[0, 1] = 1
    answers = HeadAnswers(CONDITIONS, raw, truth, ("a",))
    outcomes = head_scores(answers, np.full(raw.shape[1], 0.5)).outcomes
    assert outcomes[0].specificity.value == 1
    assert outcomes[1].sensitivity.value == 1


def test_two_true_classes_of_an_exclusive_head_are_refused() -> None:
    answers = HeadAnswers(REFERRAL, np.ones((1, 4)) / 4, np.array([[1, 1, 0, 0]], np.int8), ("a",))
    with pytest.raises(InputError, match="several true classes"):
        head_scores(answers, np.ones(4))


def test_truth_of_another_size_is_refused() -> None:
    answers = HeadAnswers(REFERRAL, np.ones((2, 4)), np.ones((1, 4), np.int8), ("a", "b"))
    with pytest.raises(InputError, match="a row a case"):
        head_scores(answers, np.ones(4))
