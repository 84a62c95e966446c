import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import PROGRESSION, REFERRAL
from RetinaTriageLib.penalties import (
    default_penalty,
    mean_penalty,
    normalized_penalty,
    penalty_for,
    require_penalty,
)

# Rows actual, columns predicted.
PENALTY = ((0, 2, 4), (1, 0, 3), (1, 1, 0))


def test_mean_penalty_of_four_cases():
    # actual 0 as 2: 4; actual 1 as 0: 1; actual 2 right: 0; actual 2 as 1: 1
    assert mean_penalty([2, 0, 2, 1], [0, 1, 2, 2], PENALTY) == pytest.approx(6 / 4)


def test_normalized_penalty_has_a_worst_mistake_of_one():
    np.testing.assert_allclose(normalized_penalty(PENALTY), np.array(PENALTY) / 4)


def test_referral_penalty_grows_with_the_distance():
    penalty = default_penalty(REFERRAL)
    assert all((np.diff(row[i:]) > 0).all() for i, row in enumerate(penalty))
    assert all((np.diff(row[: i + 1]) < 0).all() for i, row in enumerate(penalty))


def test_referring_too_late_costs_more_than_too_early():
    penalty = default_penalty(REFERRAL)
    upper = np.triu_indices(4, k=1)
    assert (penalty[upper] > penalty.T[upper]).all()


def test_heads_without_own_penalty_count_mistakes():
    np.testing.assert_array_equal(default_penalty(PROGRESSION), 1 - np.eye(3))


def test_high_sensitivity_raises_misses_only():
    penalty = penalty_for(((0, 3), (1, 0)), OperatingPoint.HIGH_SENSITIVITY)
    np.testing.assert_array_equal(penalty, ((0, 12), (1, 0)))


def test_high_specificity_exchanges_opposite_mistakes():
    penalty = penalty_for(((0, 3), (1, 0)), OperatingPoint.HIGH_SPECIFICITY)
    np.testing.assert_array_equal(penalty, ((0, 1), (3, 0)))


@pytest.mark.parametrize(
    ("penalty", "why"),
    [
        (((0, 1, 1), (1, 0, 1)), "square"),
        (((1, 1), (1, 0)), "diagonal"),
        (((0, -1), (1, 0)), "finite penalties"),
        (((0, np.nan), (1, 0)), "finite penalties"),
        (((0, 0), (0, 0)), "zeros"),
    ],
)
def test_unusable_penalties_are_refused(penalty, why):
    with pytest.raises(InputError, match=why):
        require_penalty(penalty)
