import numpy as np
import pytest

from RetinaTriageLib.hypotheses import Hypothesis, Opinion, opinion_grid, spread


def example_hypotheses() -> list[Hypothesis]:
    """Three maps with two opinions each on two outcomes; outcome "b" is 1 minus outcome "a"."""
    a = np.array([[0.1, 0.3], [0.2, 0.4], [0.6, 0.8]])
    return [
        Hypothesis(
            f"s{row}",
            np.zeros((1, 16, 16), np.uint8),
            tuple(Opinion(f"c{c}", {"head": np.array([q, 1 - q])}) for c, q in enumerate(a[row])),
        )
        for row in range(3)
    ]


def test_grid_is_hypothesis_classifier_outcome():
    grid = opinion_grid(example_hypotheses(), "head")
    assert grid.shape == (3, 2, 2)
    assert grid[1, 0, 0] == 0.2
    assert grid[2, 1, 1] == pytest.approx(0.2)


def test_spread_of_four_values():
    # Mean 5, squared deviations 9 + 1 + 1 + 9, over 4 values: 5
    found = spread([2, 4, 6, 8])
    assert (found.mean, found.low, found.high) == (5, 2, 8)
    assert found.std == pytest.approx(5**0.5)


def test_one_value_has_no_deviation():
    assert spread([0.3]).std == 0
