from __future__ import annotations

import pytest

from RetinaTriageLib.training.schedule import (
    COSINE_FLOOR,
    STAIRS,
    Schedule,
    rate_factor,
    warm_up_factor,
)


@pytest.mark.parametrize("schedule", list(Schedule))
def test_rate_begins_at_its_peak_and_never_rises(schedule: Schedule) -> None:
    factors = [rate_factor(schedule, step / 100) for step in range(101)]
    assert factors[0] == 1.0
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] > 0


@pytest.mark.parametrize(("start", "factor"), STAIRS)
def test_staircase_falls_where_it_says(start: float, factor: float) -> None:
    assert rate_factor(Schedule.STAIRCASE, start) == factor
    if start:
        assert rate_factor(Schedule.STAIRCASE, start - 1e-6) > factor


def test_cosine_is_half_way_in_the_middle() -> None:
    assert rate_factor(Schedule.COSINE, 0.5) == pytest.approx((1 + COSINE_FLOOR) / 2)
    assert rate_factor(Schedule.COSINE, 1.0) == pytest.approx(COSINE_FLOOR)


def test_rate_warms_up_in_equal_steps() -> None:
    assert [warm_up_factor(iteration, 4) for iteration in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
