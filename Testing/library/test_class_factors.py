import numpy as np
import pytest

from RetinaTriageLib.class_factors import fit_class_factors, reweight_classes
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import TooFewCasesError
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.penalties import default_penalty, mean_penalty

# Rows actual, columns predicted.
PENALTY = ((0, 2, 4), (1, 0, 3), (1, 1, 0))


def test_reweighting_follows_the_formula():
    # 1 * .5, 2 * .3, 2 * .2 over their sum 1.5
    np.testing.assert_allclose(reweight_classes([0.5, 0.3, 0.2], [1, 2, 2]), [1 / 3, 0.4, 4 / 15])


def test_only_ratios_of_factors_matter():
    scores = np.array([[0.2, 0.8], [0.6, 0.4]])
    np.testing.assert_allclose(reweight_classes(scores, [1, 3]), reweight_classes(scores, [2, 6]))


def test_an_answer_that_is_never_cheapest_vanishes():
    # One case a class: always answering 0, 1, 2 costs 2, 3, 7, so p_2 = 1 - 2 * 7 / 12 < 0.
    scores = np.full((3, 3), 1 / 3)
    factors = fit_class_factors(scores, [0, 1, 2], PENALTY)
    assert factors[2] / factors.sum() < 0.01
    # Without it the loss is -2 log(1 - p_0) - 3 log p_0: p_0 = 3 / 5.
    np.testing.assert_allclose(reweight_classes(scores[0], factors)[:2], [0.6, 0.4], atol=0.01)


def test_factors_of_two_uninformed_classes_follow_their_penalties():
    # One case each; missing class 0 costs 3, missing class 1 costs 1: p_0 = 3 / 4.
    factors = fit_class_factors(np.full((2, 2), 0.5), [0, 1], ((0, 3), (1, 0)))
    assert factors[0] / factors[1] == pytest.approx(3, rel=1e-3)


def test_factors_of_three_uninformed_classes():
    # Cases 2, 1, 1; always answering 0, 1, 2 costs 1 + 2, 2 + 2, 4 + 1: p = 1 - 2 k / 12.
    penalty = ((0, 1, 2), (1, 0, 1), (2, 2, 0))
    factors = fit_class_factors(np.full((4, 3), 1 / 3), [0, 0, 1, 2], penalty)
    np.testing.assert_allclose(factors / factors.sum(), [1 / 2, 1 / 3, 1 / 6], atol=1e-3)


def test_costly_misses_are_decided_for_sooner():
    # Missing class 0 costs 9; both doubtful cases at q_0 = .3 are worth an alarm.
    scores = np.array([[0.9, 0.1], [0.3, 0.7], [0.3, 0.7], [0.1, 0.9]])
    actual, penalty = [0, 0, 1, 1], ((0, 9), (1, 0))
    decided = reweight_classes(scores, fit_class_factors(scores, actual, penalty)).argmax(axis=1)
    assert decided.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("seed", range(5))
def test_factors_never_raise_the_penalty_of_their_cases(seed):
    rng = np.random.default_rng(seed)
    actual = np.concatenate((np.arange(4), rng.integers(0, 4, 96)))
    logits = rng.standard_normal((100, 4)) + 1.5 * np.eye(4)[actual] + [0, 0, 1, 2]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    penalty = default_penalty(REFERRAL)
    factors = fit_class_factors(scores, actual, penalty)
    after = mean_penalty(reweight_classes(scores, factors).argmax(axis=1), actual, penalty)
    assert after < mean_penalty(scores.argmax(axis=1), actual, penalty)


def test_right_and_certain_scores_keep_their_decisions():
    scores = np.eye(3)[[0, 1, 2]]
    factors = fit_class_factors(scores, [0, 1, 2], PENALTY)
    assert reweight_classes(scores, factors).argmax(axis=1).tolist() == [0, 1, 2]


def test_fit_without_a_case_of_each_class_is_refused():
    with pytest.raises(TooFewCasesError, match=r"no case of class \[2\]"):
        fit_class_factors(np.full((2, 3), 1 / 3), [0, 1], PENALTY)


def test_fit_with_unknown_class_is_refused():
    with pytest.raises(InputError, match="expected 0 to 2"):
        fit_class_factors(np.full((4, 3), 1 / 3), [0, 1, 2, 3], PENALTY)
