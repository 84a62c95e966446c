from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.proportions import (
    proportion,
    roc_auc,
    roc_auc_interval,
    roc_curve,
)


def test_no_misses_leave_room_for_some() -> None:
    found = proportion(0, 252)  # 0 of 252 urgent cases missed
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 252))


def test_interval_of_all_mirrors_that_of_none() -> None:
    assert proportion(20, 20).low == pytest.approx(1 - proportion(0, 20).high)
    assert proportion(20, 20).high == 1


def test_share_of_no_cases_is_nan() -> None:
    found = proportion(0, 0)
    assert np.isnan([found.value, found.low, found.high]).all()


def test_more_hits_than_cases_are_refused() -> None:
    with pytest.raises(InputError, match="Found 3 of 2"):
        proportion(3, 2)


@pytest.mark.parametrize("seed", range(5))
def test_auc_equals_scikit_learns_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(80) < 0.3
    scores = np.round(rng.random(80) + 0.3 * truth, 1)
    assert roc_auc(scores, truth) == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)


def test_auc_of_one_kind_of_case_is_nan() -> None:
    assert np.isnan(roc_auc([0.1, 0.2], [True, True]))


def test_curve_passes_through_scikit_learns_points() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(60) < 0.5
    scores = np.round(rng.random(60) + 0.5 * truth, 1)
    false, true, _ = sklearn_roc_curve(truth, scores, drop_intermediate=False)
    found_false, found_true = roc_curve(scores, truth)
    np.testing.assert_allclose(found_false, false)
    np.testing.assert_allclose(found_true, true)


def test_interval_holds_the_auc_and_repeats() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(100) < 0.5
    scores = rng.random(100) + 0.5 * truth
    patients = [str(case) for case in range(100)]
    interval = roc_auc_interval(scores, truth, patients, draws=200)
    assert interval.low < roc_auc(scores, truth) < interval.high
    assert interval == roc_auc_interval(scores, truth, patients, draws=200)


def test_repeated_scans_of_a_patient_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(2)
    truth = rng.random(30) < 0.5
    scores = rng.random(30) + 0.4 * truth
    patients = [str(case) for case in range(30)]
    once = roc_auc_interval(scores, truth, patients, draws=300)
    often = roc_auc_interval(
        np.tile(scores, 8), np.tile(truth, 8), np.tile(patients, 8).tolist(), draws=300
    )
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.05)
