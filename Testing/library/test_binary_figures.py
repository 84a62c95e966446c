from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.binary_figures import BinaryFigures, binary_figures


def of_counts(tp: int, fn: int, fp: int, tn: int) -> BinaryFigures:
    decided = [True] * tp + [False] * fn + [True] * fp + [False] * tn
    return binary_figures(decided, [True] * (tp + fn) + [False] * (fp + tn))


def test_rates_of_the_liver_scan_example() -> None:
    # Altman and Bland, BMJ 308:1552 and 309:102, 1994.
    found = of_counts(231, 27, 32, 54)
    assert round(found.sensitivity.value, 2) == 0.90
    assert round(found.specificity.value, 2) == 0.63
    assert round(found.ppv.value, 2) == 0.88
    assert round(found.npv.value, 2) == 0.67


def test_rates_and_exact_intervals_of_the_epir_example() -> None:
    # Scott, Greenberg and Poole 2008, as the manual of the R package epiR works it out.
    found = of_counts(670, 74, 202, 640)
    for share, expected in (
        (found.sensitivity, (0.90, 0.88, 0.92)),
        (found.specificity, (0.76, 0.73, 0.79)),
        (found.ppv, (0.77, 0.74, 0.80)),
        (found.npv, (0.90, 0.87, 0.92)),
    ):
        assert (share.value, share.low, share.high) == pytest.approx(expected, abs=5e-3)


def test_balanced_accuracy_equals_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    truth, decided = rng.random(60) < 0.3, rng.random(60) < 0.5
    found = binary_figures(decided, truth).balanced
    assert found.value == pytest.approx(balanced_accuracy_score(truth, decided))
    assert found.low < found.value < found.high


def test_images_of_one_patient_widen_every_interval() -> None:
    rng = np.random.default_rng(2)
    truth = np.repeat(rng.random(40) < 0.5, 5)
    decided = np.repeat(rng.random(40) < 0.8, 5) == truth
    alone = binary_figures(decided, truth)
    alike = binary_figures(decided, truth, [f"p{number // 5}" for number in range(200)])
    for name in ("sensitivity", "specificity", "ppv", "npv", "balanced", "positive", "negative"):
        one, other = getattr(alone, name), getattr(alike, name)
        assert other.high - other.low > 1.5 * (one.high - one.low), name


def test_class_that_never_comes_leaves_its_rate_open() -> None:
    found = binary_figures([True, False], [False, False])
    assert np.isnan([found.sensitivity.value, found.balanced.value, found.positive.low]).all()
    assert found.specificity.value == 0.5


def test_answers_of_another_length_are_refused() -> None:
    with pytest.raises(InputError, match="shape"):
        binary_figures([True], [True, False])
