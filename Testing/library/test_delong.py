from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.delong import compare_aucs, delong_auc

# 43 patients with albumin, total protein, K-G score and whether surgery helped: DeLong, DeLong and
# Clarke-Pearson 1988, as the manual of SAS/STAT (PROC LOGISTIC, comparing ROC curves) gives them.
OVARIAN = """
3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1
3.8 5.7 5 1 3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0
2.3 4.4 6 1 4.2 7.6 4 0 4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1
3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0
3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1 2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1
3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1
"""
ALBUMIN, PROTEIN, KG, HELPED = np.array(OVARIAN.split(), np.float64).reshape(-1, 4).T

# CT of 109 heads, five ratings, normal and abnormal: Hanley and McNeil, Radiology 143:29, 1982.
NORMAL_RATINGS, ABNORMAL_RATINGS = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)

Draw = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]


def drawn(seed: int, cases: int, shift: float) -> Draw:
    rng = np.random.default_rng(seed)
    truth = rng.random(cases) < 0.4
    return rng.normal(size=cases) + shift * truth, truth


@pytest.mark.parametrize(
    ("scores", "area", "error"),
    [(ALBUMIN, 0.7366, 0.0927), (PROTEIN, 0.6478, 0.1000), (10 - KG, 0.7258, 0.1028)],
)
def test_areas_and_errors_of_delongs_patients(
    scores: npt.NDArray[np.float64], area: float, error: float
) -> None:
    found = delong_auc(scores, HELPED)
    assert (found.value, found.standard_error) == pytest.approx((area, error), abs=5e-5)


def test_comparison_of_delongs_patients() -> None:
    found = compare_aucs(PROTEIN, 10 - KG, HELPED)
    assert found.difference == pytest.approx(-0.0780, abs=5e-5)
    assert found.standard_error == pytest.approx(0.1046, abs=5e-5)
    assert found.p_value == pytest.approx(0.4561, abs=5e-5)


def test_interval_of_hanleys_ratings_is_that_of_stata() -> None:
    ratings = np.concatenate(
        [np.repeat(range(5), NORMAL_RATINGS), np.repeat(range(5), ABNORMAL_RATINGS)]
    )
    found = delong_auc(ratings, np.arange(109) >= sum(NORMAL_RATINGS))
    assert (found.value, found.standard_error) == pytest.approx((0.8932, 0.0307), abs=5e-5)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.83295, 0.95339), abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_variance_equals_its_definition_by_pairs(seed: int) -> None:
    scores, truth = drawn(seed, 40, 1.0)
    scores = np.round(scores)  # ties
    pairs = np.sign(scores[truth][:, None] - scores[~truth]) / 2 + 0.5
    variance = np.var(pairs.mean(axis=1), ddof=1) / truth.sum()
    variance += np.var(pairs.mean(axis=0), ddof=1) / (~truth).sum()
    found = delong_auc(scores, truth)
    assert found.value == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert found.standard_error == pytest.approx(np.sqrt(variance))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=6, max_size=40).filter(
        lambda cases: 2 <= sum(present for _, present in cases) <= len(cases) - 2
    )
)
def test_opposite_answers_mirror_the_area(cases: list[tuple[int, bool]]) -> None:
    scores, truth = map(np.array, zip(*cases, strict=True))
    there, back = delong_auc(np.exp(scores), truth), delong_auc(scores, ~truth)
    assert there.value == pytest.approx(1 - back.value)
    assert there.standard_error == pytest.approx(back.standard_error, nan_ok=True)


@pytest.mark.parametrize(("shift", "least"), [(1.0, 0.92), (2.2, 0.87)])
def test_intervals_hold_the_true_area(shift: float, least: float) -> None:
    from scipy.stats import norm

    true_area = norm.cdf(shift / np.sqrt(2))
    found = [delong_auc(*drawn(seed, 120, shift)) for seed in range(400)]
    wald = np.mean([one.interval.low <= true_area <= one.interval.high for one in found])
    logit = np.mean(
        [one.logit_interval.low <= true_area <= one.logit_interval.high for one in found]
    )
    assert wald > least
    assert 0.92 < logit < 0.985


def test_equal_areas_are_told_apart_five_times_of_100() -> None:
    rng = np.random.default_rng(3)
    below = 0
    for seed in range(400):
        scores, truth = drawn(seed, 100, 1.0)
        noise = rng.normal(size=(2, 100))
        below += compare_aucs(scores + noise[0], scores + noise[1], truth).p_value < 0.05
    assert 0.02 < below / 400 < 0.09


def test_complete_separation_claims_no_interval() -> None:
    found = delong_auc([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    assert found.value == 1
    assert np.isnan([found.standard_error, found.interval.low, found.logit_interval.high]).all()


def test_same_scores_do_not_differ() -> None:
    scores, truth = drawn(1, 30, 1.0)
    found = compare_aucs(scores, 2 * scores, truth)
    assert found.difference == 0
    assert np.isnan(found.p_value)


def test_one_kind_of_case_has_no_area() -> None:
    assert np.isnan(delong_auc([0.1, 0.2], [True, True]).value)


def test_missing_score_is_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        delong_auc([0.1, float("nan")], [True, False])


def test_truth_of_another_length_is_refused() -> None:
    with pytest.raises(InputError, match="shape"):
        delong_auc([0.1, 0.2], [True])
