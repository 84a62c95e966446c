from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from RetinaTriageLib.evaluation.curve_points import sensitivity_at, sensitivity_interval
from RetinaTriageLib.evaluation.patient_draws import (
    drawn_aucs,
    drawn_weights,
    weighted_aucs,
)
from RetinaTriageLib.evaluation.proportions import proportion, roc_auc, roc_auc_interval


def test_a_patient_is_drawn_whole() -> None:
    weights = np.concatenate(list(drawn_weights(["a", "b", "a", "c"], draws=250)))
    assert weights.shape == (250, 4)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_areas_of_draws_equal_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(50) < 0.4
    scores = np.round(rng.random(50) + 0.3 * truth, 1)
    weights = rng.integers(0, 4, (6, 50)).astype(np.float64)
    expected = [roc_auc_score(truth, scores, sample_weight=weight) for weight in weights]
    np.testing.assert_allclose(weighted_aucs(scores, truth, weights), expected)


def test_same_seed_draws_the_same_patients_for_two_models() -> None:
    truth, patients = np.arange(12) % 2 == 0, [str(number // 2) for number in range(12)]
    scores = np.linspace(0, 1, 12)
    first = drawn_aucs(scores, truth, patients, draws=200)
    np.testing.assert_array_equal(first, drawn_aucs(2 * scores, truth, patients, draws=200))


def test_interval_holds_the_truth_where_images_of_a_patient_are_alike() -> None:
    from scipy.stats import norm

    rng = np.random.default_rng(2)
    patients = np.repeat(np.arange(60), 4).astype(str).tolist()
    true_area, held = norm.cdf(1.5 / np.sqrt(2)), 0
    for _ in range(120):
        truth = np.repeat(rng.random(60) < 0.5, 4)
        own = np.repeat(rng.normal(size=60), 4)  # half of the variance is the patient's
        scores = (own + rng.normal(size=240)) / np.sqrt(2) + 1.5 * truth
        interval = roc_auc_interval(scores, truth, patients, draws=300)
        held += interval.low <= true_area <= interval.high
    assert held / 120 > 0.88


def test_complete_separation_claims_no_interval() -> None:
    interval = roc_auc_interval([0.1, 0.2, 0.8, 0.9], [False, False, True, True], list("abcd"))
    assert np.isnan([interval.low, interval.high]).all()


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=30).filter(
        lambda cases: 0 < sum(present for _, present in cases) < len(cases)
    )
)
def test_sensitivity_falls_with_specificity(cases: list[tuple[int, bool]]) -> None:
    scores, truth = map(np.array, zip(*cases, strict=True))
    rates = [sensitivity_at(scores, truth, level) for level in np.linspace(0, 1, 21)]
    assert (np.diff(rates) <= 1e-12).all()
    assert rates[0] == 1
    assert np.mean(rates) == pytest.approx(roc_auc(scores, truth), abs=0.06)


def test_sensitivity_at_a_step_is_its_upper_end() -> None:
    scores = [0.9, 0.8, 0.7, 0.6, 0.1]
    truth = [True, False, True, True, False]
    assert sensitivity_at(scores, truth, 0.5) == pytest.approx(1)
    assert sensitivity_at(scores, truth, 1.0) == pytest.approx(1 / 3)


def test_sensitivity_of_all_has_the_exact_interval_of_patients() -> None:
    truth = np.repeat([True, False], 20)
    patients = [str(number // 2) for number in range(40)]
    interval = sensitivity_interval(truth * 0.9, truth, 0.8, patients, draws=200)
    assert (interval.low, interval.high) == (proportion(10, 10).low, 1)
