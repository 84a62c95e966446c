import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.measures.disagreement import (
    bscan_disagreement,
    disagreement_map,
    vote_entropy,
)


def votes(*labels):
    return [np.full((2, 4, 3), label, dtype=np.uint8) for label in labels]


def entropy_by_definition(tissue_maps):
    shares = np.mean([np.eye(15)[tissue_map] for tissue_map in tissue_maps], axis=0)
    return -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)


def test_two_of_four_votes_are_ln_2():
    np.testing.assert_allclose(vote_entropy(votes(3, 3, 7, 7)), np.log(2), rtol=1e-6)


def test_five_different_votes_are_ln_5():
    np.testing.assert_allclose(vote_entropy(votes(0, 3, 5, 7, 14)), np.log(5), rtol=1e-6)


def test_agreement_and_a_single_map_are_exactly_zero():
    assert not vote_entropy(votes(3, 3, 3)).any()
    assert not disagreement_map(votes(3)).any()


def test_random_votes_follow_the_definition_of_entropy():
    rng = np.random.default_rng(2)
    tissue_maps = [rng.integers(0, 15, (2, 30, 20)).astype(np.uint8) % 4 for _ in range(6)]
    expected = entropy_by_definition(tissue_maps)
    np.testing.assert_allclose(vote_entropy(tissue_maps), expected, atol=1e-6)
    np.testing.assert_allclose(disagreement_map(tissue_maps), expected.mean(axis=1), atol=1e-6)


def test_order_of_the_hypotheses_does_not_matter():
    first, second, third = votes(1, 1, 2)
    second[0, 0, 0] = 2
    there = disagreement_map([first, second, third])
    np.testing.assert_array_equal(there, disagreement_map([third, first, second]))


def test_bscan_in_dispute_stands_out():
    first, second = votes(3, 3)
    second[1, :2] = 4
    expected = [0.0, np.log(2) / 2]
    np.testing.assert_allclose(
        bscan_disagreement(disagreement_map([first, second])), expected, rtol=1e-6
    )


def test_maps_of_different_scans_are_refused():
    with pytest.raises(InputError, match="hypotheses of one scan"):
        disagreement_map([*votes(1), np.zeros((2, 4, 4), dtype=np.uint8)])
