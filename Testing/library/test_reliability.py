from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.reliability import (
    Binning,
    multiclass_brier,
    reliability,
    top_label_reliability,
)

RNG_SCORES = np.random.default_rng(1).random(200)
RNG_TRUTH = np.random.default_rng(2).random(200) < RNG_SCORES


def test_bins_and_brier_equal_scikit_learns() -> None:
    found = reliability(RNG_SCORES, RNG_TRUTH)
    observed, mean = calibration_curve(RNG_TRUTH, RNG_SCORES, n_bins=10)
    assert [one.observed.value for one in found.bins] == pytest.approx(observed)
    assert [one.mean_score for one in found.bins] == pytest.approx(mean)
    assert found.brier == pytest.approx(brier_score_loss(RNG_TRUTH, RNG_SCORES))


def test_bins_of_equal_count_equal_scikit_learns() -> None:
    found = reliability(RNG_SCORES, RNG_TRUTH, binning=Binning.COUNT)
    observed, _ = calibration_curve(RNG_TRUTH, RNG_SCORES, n_bins=10, strategy="quantile")
    assert [one.observed.total for one in found.bins] == [20] * 10
    assert [one.observed.value for one in found.bins] == pytest.approx(observed)


def test_error_of_a_worked_example() -> None:
    # Two bins: 4 images at 0.2 of which 2 present, 6 at 0.8 of which 6 present.
    scores = [0.2] * 4 + [0.8] * 6
    truth = [True, True, False, False] + [True] * 6
    found = reliability(scores, truth)
    assert found.ece == pytest.approx(0.4 * 0.3 + 0.6 * 0.2)
    assert found.mce == pytest.approx(0.3)
    assert found.brier == pytest.approx((2 * 0.64 + 2 * 0.04 + 6 * 0.04) / 10)
    assert found.brier_of_prevalence == pytest.approx(0.8 * 0.2)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40),
    st.sampled_from(Binning),
)
def test_every_image_is_in_one_bin(cases: list[tuple[float, bool]], binning: Binning) -> None:
    scores, truth = zip(*cases, strict=True)
    found = reliability(scores, truth, binning=binning)
    assert sum(one.observed.total for one in found.bins) == len(cases)
    assert 0 <= found.ece <= found.mce + 1e-12 <= 1 + 2e-12
    # The mean of equal scores may differ from them in the last digit.
    assert all(one.low - 1e-12 <= one.mean_score <= one.high + 1e-12 for one in found.bins)


def test_highest_score_is_compared_with_being_right() -> None:
    found = top_label_reliability([[0.6, 0.4], [0.4, 0.6], [0.4, 0.6], [0.4, 0.6]], [0, 1, 1, 0])
    assert found.bins[0].observed.value == 0.75
    assert found.ece == pytest.approx(0.15)


def test_brier_over_classes_runs_from_0_to_2() -> None:
    assert multiclass_brier([[1, 0, 0]], [0]) == 0
    assert multiclass_brier([[1, 0, 0]], [2]) == 2


@pytest.mark.parametrize("score", [1.2, -0.1, float("nan")])
def test_score_that_is_no_probability_is_refused(score: float) -> None:
    with pytest.raises(InputError, match=r"0\.\.1"):
        reliability([0.5, score], [True, False])


def test_no_images_are_refused() -> None:
    with pytest.raises(InputError, match="at least one image"):
        reliability([], [])
