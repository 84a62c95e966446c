"""Binary re-weighting, against six cases worked out on paper.

Scores .1 .3 .4 .6 .7 .9, truth 0 0 1 0 1 1. At threshold .35 sensitivity is 3/3 and specificity
2/3, at .65 it is the other way round; both balance at 5/6.
"""

import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import (
    OperatingPoint,
    TooFewCasesError,
    best_threshold,
    fit_binary_weight,
    operating_curve,
    reweight_binary,
)

SCORES = (0.1, 0.3, 0.4, 0.6, 0.7, 0.9)
TRUTH = (False, False, True, False, True, True)


def test_reweighting_follows_the_formula():
    # .8 * .3 / (.8 * .3 + .2 * .7) = .24 / .38
    assert reweight_binary(0.3, 0.8) == pytest.approx(0.24 / 0.38)


def test_neutral_weight_changes_nothing():
    np.testing.assert_allclose(reweight_binary(SCORES, 0.5), SCORES)


def test_certain_scores_stay_certain():
    np.testing.assert_array_equal(reweight_binary([0.0, 1.0], 0.9), [0.0, 1.0])


def test_curve_of_six_cases():
    curve = operating_curve(SCORES, TRUTH)
    np.testing.assert_allclose(curve.thresholds, [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
    np.testing.assert_allclose(curve.sensitivity * 3, [3, 3, 3, 2, 2, 1, 0])
    np.testing.assert_allclose(curve.specificity * 3, [0, 1, 2, 2, 3, 3, 3])


def test_tied_scores_share_one_threshold():
    curve = operating_curve([0.2, 0.6, 0.6, 0.6], [False, False, True, True])
    np.testing.assert_allclose(curve.thresholds, [0.1, 0.4, 0.8])
    np.testing.assert_allclose(curve.specificity, [0, 0.5, 1])


@pytest.mark.parametrize(
    ("point", "threshold"),
    [
        (OperatingPoint.BALANCED, 0.35),  # tie with .65: the higher sensitivity wins
        (OperatingPoint.HIGH_SENSITIVITY, 0.35),
        (OperatingPoint.HIGH_SPECIFICITY, 0.65),
    ],
)
def test_operating_points_of_six_cases(point, threshold):
    assert best_threshold(SCORES, TRUTH, point) == pytest.approx(threshold)


def test_lower_target_sensitivity_buys_specificity():
    threshold = best_threshold(SCORES, TRUTH, OperatingPoint.HIGH_SENSITIVITY, target=0.6)
    assert threshold == pytest.approx(0.65)


@pytest.mark.parametrize("point", OperatingPoint)
def test_fitted_weight_puts_the_threshold_at_one_half(point):
    weight = fit_binary_weight(SCORES, TRUTH, point)
    threshold = best_threshold(SCORES, TRUTH, point)
    assert reweight_binary(threshold, weight) == pytest.approx(0.5)


def test_decisions_reach_the_best_balance_of_all_thresholds():
    rng = np.random.default_rng(3)
    truth = rng.random(200) < 0.3
    scores = np.clip(0.25 + 0.2 * truth + 0.15 * rng.standard_normal(200), 0, 1)
    decided = reweight_binary(scores, fit_binary_weight(scores, truth)) >= 0.5
    rates = [((scores >= t)[truth].mean() + (scores < t)[~truth].mean()) / 2 for t in scores]
    assert (decided[truth].mean() + (~decided[~truth]).mean()) / 2 == pytest.approx(max(rates))


@pytest.mark.parametrize("truth", [[True, True], [False, False]])
def test_one_kind_of_cases_is_refused(truth):
    with pytest.raises(TooFewCasesError, match="with and without"):
        operating_curve([0.2, 0.7], truth)


def test_scores_worse_than_chance_are_refused():
    with pytest.raises(TooFewCasesError, match="no better than chance"):
        best_threshold([0.9, 0.1], [False, True])


def test_unreachable_target_is_refused():
    # A case with the outcome scores 0, which no threshold above 0 finds.
    with pytest.raises(TooFewCasesError, match=r"at most 0\.667"):
        best_threshold(
            [0.0, 0.1, 0.8, 0.9], [True, False, True, True], OperatingPoint.HIGH_SENSITIVITY
        )


@pytest.mark.parametrize("scores", [[0.2, 1.2], [0.2, np.nan], [[0.2], [0.3]]])
def test_unusable_scores_are_refused(scores):
    with pytest.raises(InputError, match="scores"):
        operating_curve(scores, [True, False])
