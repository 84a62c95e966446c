from __future__ import annotations

import numpy as np
import pytest

from RetinaTriageLib.training.gradual_boosting import BoostingPlan, Ranks, boost

# Ten maps: six without a lesion, four with one of 1 to 4.
SIZES = np.array([0, 0, 0, 0, 0, 0, 1, 2, 3, 4], np.float32)[:, None]
FREE = np.zeros(1)  # how narrow a split may be


def test_split_turns_over_the_same_share_of_the_maps_on_both_sides() -> None:
    ranks = Ranks(np.arange(10, dtype=np.float32)[:, None], FREE)
    assert ranks.around(0, 4.5, 0.4) == (3.0, 6.0)


def test_map_without_a_lesion_stays_wholly_on_its_side() -> None:
    low, high = Ranks(SIZES, FREE).around(0, 0.5, 0.5)
    assert (low, high) == (0.0, 2.0)


def test_too_few_maps_on_a_side_leave_that_side_of_the_split_sharp() -> None:
    assert Ranks(SIZES, FREE).around(0, 3.5, 0.3) == (1.0, 3.5)


def test_patient_facts_and_no_softness_leave_a_split_sharp() -> None:
    samples = np.hstack((SIZES, SIZES))
    assert Ranks(samples, FREE).around(1, 0.5, 0.5) == (0.5, 0.5)
    assert Ranks(samples, FREE).around(0, 0.5, 0.0) == (0.5, 0.5)


def test_split_turns_at_least_over_the_range_that_its_measurement_needs() -> None:
    ranks = Ranks(SIZES, np.array([3.0]))
    assert ranks.around(0, 2.5, 0.1) == (0.75, 3.75)  # 2 to 2.5 by ranks
    assert ranks.around(0, 0.5, 0.1) == (0.0, 3.0)  # not below the smallest
    assert ranks.around(0, 0.5, 0.0) == (0.5, 0.5)  # trees that send a map one way do so


def test_leaves_are_fitted_to_the_shares_that_reach_them() -> None:
    chance = SIZES[:, 0] / 4  # rises evenly with the size, as a wide split does
    samples = np.repeat(SIZES, 4, axis=0)
    answers = np.concatenate([[1.0] * round(4 * p) + [0.0] * round(4 - 4 * p) for p in chance])
    plan = BoostingPlan(
        rounds=1, depth=1, sample_share=1.0, feature_share=1.0, learning_rate=1.0, damping=0
    )
    booster = boost(plan, samples, answers[:, None], Ranks(samples, FREE), seed=0)
    tree, outcome = booster.trees[0]
    assert outcome == 0
    assert tree.value[0, 1] > 0
    none, all_of_it = tree.value[tree.children_left < 0, 0]
    assert none < 0 < all_of_it
    assert booster.start[0] == pytest.approx(np.log(answers.mean() / (1 - answers.mean())))
