from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats.contingency import relative_risk
from sklearn.metrics import class_likelihood_ratios

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.binary_figures import binary_figures
from RetinaTriageLib.evaluation.likelihood import AnswerCounts, negative_ratio, positive_ratio

# Scott, Greenberg and Poole 2008, table 1, as the manual of the R package epiR works it out.
EXAMPLE = AnswerCounts(670, 74, 202, 640)

cells = st.integers(1, 400)


def test_ratios_of_the_epir_example() -> None:
    positive, negative = positive_ratio(EXAMPLE), negative_ratio(EXAMPLE)
    assert (positive.value, positive.low, positive.high) == pytest.approx(
        (3.75, 3.32, 4.24), abs=5e-3
    )
    assert (negative.value, negative.low, negative.high) == pytest.approx(
        (0.13, 0.11, 0.16), abs=5e-3
    )


@given(cells, cells, cells, cells)
def test_interval_is_that_of_a_relative_risk(tp: int, fn: int, fp: int, tn: int) -> None:
    found = positive_ratio(AnswerCounts(tp, fn, fp, tn))
    expected = relative_risk(tp, tp + fn, fp, fp + tn)
    interval = expected.confidence_interval(0.95)
    assert found.value == pytest.approx(expected.relative_risk)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


@given(cells, cells, cells, cells)
def test_opposite_test_has_inverse_ratios(tp: int, fn: int, fp: int, tn: int) -> None:
    there = positive_ratio(AnswerCounts(tp, fn, fp, tn))
    back = positive_ratio(AnswerCounts(fp, tn, tp, fn))
    assert there.value * back.value == pytest.approx(1)
    assert there.low * back.high == pytest.approx(1)


def test_ratios_equal_scikit_learns() -> None:
    truth = [True] * 30 + [False] * 50
    decided = [True] * 24 + [False] * 6 + [True] * 5 + [False] * 45
    found = binary_figures(decided, truth)
    assert (found.positive.value, found.negative.value) == pytest.approx(
        class_likelihood_ratios(truth, decided)
    )


def test_no_false_alarm_gives_an_infinite_ratio_with_a_corrected_interval() -> None:
    found = positive_ratio(AnswerCounts(18, 2, 0, 40))
    assert found.value == math.inf
    assert found.corrected
    expected = relative_risk(37, 42, 1, 82)  # twice the counts with 0.5 added
    assert math.sqrt(found.low * found.high) == pytest.approx(expected.relative_risk)
    assert 1 < found.low < found.high < math.inf


def test_no_miss_gives_a_ratio_of_zero() -> None:
    found = negative_ratio(AnswerCounts(20, 0, 3, 40))
    assert found.value == 0
    assert 0 < found.low < found.high < 1


def test_ratio_without_one_kind_of_case_is_nan() -> None:
    assert math.isnan(positive_ratio(AnswerCounts(0, 0, 3, 40)).low)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(InputError, match="0 or more"):
        AnswerCounts(1, -1, 0, 0)
