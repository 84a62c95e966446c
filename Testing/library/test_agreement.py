from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.agreement import agreement
from RetinaTriageLib.evaluation.kappa import Weighting, cohen_kappa
from RetinaTriageLib.evaluation.weighted_error import kermany_penalty, weighted_error
from RetinaTriageLib.outcomes import REFERRAL

# 100 patients, two raters: Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions,
# 3rd edition, table 18.1.
FLEISS = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])


def drawn_answers(seed: int, cases: int) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    reader = rng.choice(REFERRAL.names, cases)
    model = np.where(rng.random(cases) < 0.6, reader, rng.choice(REFERRAL.names, cases))
    return reader.tolist(), model.tolist()


def test_kappa_of_fleiss_example() -> None:
    found = cohen_kappa(FLEISS)
    assert found.value == pytest.approx(0.676, abs=5e-4)
    assert found.standard_error == pytest.approx(0.0877, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((0.504, 0.848), abs=1e-3)


def test_kappa_and_weighted_kappa_of_the_sas_example() -> None:
    # Example printed by SAS PROC FREQ with limits; 20 cases of three classes.
    counts = [[0, 4, 1], [0, 8, 0], [0, 1, 5]]
    plain, linear = cohen_kappa(counts), cohen_kappa(counts, Weighting.LINEAR)
    assert (plain.value, plain.standard_error) == pytest.approx((0.4842, 0.1380), abs=5e-5)
    assert (plain.low, plain.high) == pytest.approx((0.2137, 0.7547), abs=5e-5)
    assert (linear.value, linear.standard_error) == pytest.approx((0.4701, 0.1457), abs=5e-5)


@pytest.mark.parametrize("weighting", list(Weighting))
def test_kappa_equals_scikit_learns(weighting: Weighting) -> None:
    reader, model = drawn_answers(1, 60)
    weights = None if weighting is Weighting.NONE else weighting.value
    expected = cohen_kappa_score(reader, model, labels=list(REFERRAL.names), weights=weights)
    found = agreement(reader, model)
    of = {"none": found.kappa, "linear": found.linear, "quadratic": found.quadratic}
    assert of[weighting.value].value == pytest.approx(expected, abs=1e-12)


def test_intervals_of_kappa_hold_the_truth_95_times_of_100() -> None:
    rng = np.random.default_rng(5)
    shares = FLEISS / 100
    truth = cohen_kappa(shares * 1e6).value
    drawn = [cohen_kappa(d.reshape(3, 3)) for d in rng.multinomial(200, shares.ravel(), 1000)]
    covered = np.mean([found.low <= truth <= found.high for found in drawn])
    assert 0.92 < covered < 0.97


def test_complete_agreement_claims_no_interval() -> None:
    found = agreement(["urgent", "routine"] * 5, ["urgent", "routine"] * 5)
    assert found.kappa.value == 1
    assert np.isnan([found.kappa.standard_error, found.kappa.low, found.kappa.high]).all()


def test_one_answer_always_leaves_kappa_open() -> None:
    assert np.isnan(agreement(["urgent"] * 3, ["urgent"] * 3).kappa.value)


def test_no_cases_leave_everything_open() -> None:
    found = agreement([], [])
    assert np.isnan([found.kappa.value, found.observed.value, found.penalty.mean_penalty]).all()


def test_matrix_has_the_reader_in_rows() -> None:
    found = agreement(["urgent", "urgent"], ["routine", "urgent"])
    assert found.confusion[0].tolist() == [1, 0, 1, 0]
    assert found.penalty.mean_penalty == 7 / 2


def test_answers_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="Found 1 and 2 answers"):
        agreement(["urgent"], ["urgent", "urgent"])


def test_answer_of_no_class_is_refused() -> None:
    with pytest.raises(InputError, match="soon"):
        agreement(["soon"], ["urgent"])


def test_weighted_error_in_both_normalizations() -> None:
    penalty = kermany_penalty(("normal", "drusen", "cnv", "dme"))
    assert penalty is not None
    # 2 CNV called normal (4 each), 1 DME called drusen (2), 3 drusen called CNV (1 each).
    counts = [[10, 0, 0, 0], [0, 7, 3, 0], [2, 0, 8, 0], [0, 1, 0, 9]]
    found = weighted_error(counts, penalty)
    assert (found.total, found.cases) == (13, 40)
    assert found.mean_penalty == 13 / 40
    assert found.share_of_worst == 13 / (10 * (1 + 1 + 4 + 4))


def test_kermanys_penalties_belong_to_kermanys_classes() -> None:
    assert kermany_penalty(("pneumonia", "normal")) is None


def test_penalties_of_other_classes_are_refused() -> None:
    with pytest.raises(InputError, match="classes"):
        weighted_error(np.eye(2), 1 - np.eye(3))


@pytest.mark.parametrize(("as_normal", "percent"), [(0, 4.5), (11, 6.7)])
def test_kermanys_published_errors_cost_between_4_5_and_6_7_percent(
    as_normal: int, percent: float
) -> None:
    # 34 errors of 1000: 11 urgent images missed, 13 false urgent ones, 10 within urgent or within
    # the others. What the mean penalty is depends on how many urgent ones were called normal.
    penalty = kermany_penalty(("normal", "drusen", "cnv", "dme"))
    assert penalty is not None
    counts = [[237, 0, 13, 0], [10, 240, 0, 0], [as_normal, 11 - as_normal, 239, 0], [0, 0, 0, 250]]
    found = weighted_error(counts, penalty)
    assert np.sum(counts) - np.trace(counts) == 34
    assert 100 * found.mean_penalty == pytest.approx(percent)
