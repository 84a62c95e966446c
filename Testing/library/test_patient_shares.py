from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.patient_shares import (
    effective_size,
    mean_share,
    share_by_patient,
)
from RetinaTriageLib.evaluation.proportions import proportion


def test_one_image_a_patient_has_the_exact_interval() -> None:
    assert share_by_patient([True, False, True], ["a", "b", "c"]) == proportion(2, 3)


def test_copies_of_images_tell_nothing_new() -> None:
    hits = np.arange(20) < 14
    patients = [str(number) for number in range(20)]
    once, often = effective_size(hits, patients), effective_size(np.tile(hits, 6), patients * 6)
    assert once == 20
    assert often == pytest.approx(20, rel=0.2)


def test_hits_of_all_images_count_a_patient_once() -> None:
    found = share_by_patient([True] * 60, [f"p{number // 6}" for number in range(60)])
    assert (found.count, found.total) == (60, 60)
    assert found.low == proportion(10, 10).low


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=60))
def test_patients_never_narrow_an_interval(images: list[tuple[bool, int]]) -> None:
    hits = [hit for hit, _ in images]
    found = share_by_patient(hits, [str(patient) for _, patient in images])
    plain = proportion(sum(hits), len(hits))
    assert found.low <= plain.low + 1e-12
    assert found.high >= plain.high - 1e-12


def test_intervals_hold_the_truth_where_images_of_a_patient_are_alike() -> None:
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(40), 6)
    by_patient = by_image = 0
    for _ in range(300):
        hits = rng.random(240) < np.repeat(rng.beta(4, 1, 40), 6)  # mean 0.8
        found = share_by_patient(hits, patients.astype(str).tolist())
        plain = proportion(int(hits.sum()), 240)
        by_patient += found.low <= 0.8 <= found.high
        by_image += plain.low <= 0.8 <= plain.high
    assert by_patient / 300 > 0.93
    assert by_image / 300 < 0.9  # why patients have to be known


def test_mean_of_one_share_keeps_its_interval() -> None:
    share = proportion(7, 9)
    found = mean_share([share])
    assert (found.value, found.low, found.high) == pytest.approx(
        (share.value, share.low, share.high)
    )


def test_patients_of_another_number_are_refused() -> None:
    with pytest.raises(InputError, match="one for each"):
        share_by_patient([True, False], ["a"])
