import numpy as np
import pytest

from RetinaTriageLib.measures.macula_match import (
    PROFILE_MM,
    PROFILE_UM,
    coarse_map,
    macula_match,
)

CELL_MM = (0.12, 0.048)
SHAPE = (49, 128)
PLACE = (22, 70)


def macula():
    """Normal macula around one A-scan."""
    along = (np.arange(SHAPE[0])[:, None] - PLACE[0]) * CELL_MM[0]
    across = (np.arange(SHAPE[1]) - PLACE[1]) * CELL_MM[1]
    return np.interp(np.hypot(along, across), PROFILE_MM, PROFILE_UM).astype(np.float32)


def test_normal_macula_matches_fully_at_its_fovea():
    match = macula_match(macula(), CELL_MM)
    assert match[PLACE] == pytest.approx(1, abs=1e-3)
    assert np.unravel_index(match.argmax(), SHAPE) == PLACE


def test_thicker_or_flatter_macula_matches_as_well():
    match = macula_match(macula() * 0.5 + 200, CELL_MM)
    assert match[PLACE] == pytest.approx(1, abs=1e-3)


def test_gaps_do_not_change_the_match():
    gaps = macula()
    gaps[[3, 21, 40]] = np.nan
    match = macula_match(gaps, CELL_MM)
    assert np.unravel_index(match.argmax(), SHAPE) == PLACE
    assert match[PLACE] == pytest.approx(1, abs=1e-3)


def test_swelling_is_the_opposite_of_a_pit():
    assert macula_match(-macula(), CELL_MM)[PLACE] == pytest.approx(-1, abs=1e-3)


def test_even_or_unknown_retina_matches_nothing():
    even = np.full(SHAPE, 300, dtype=np.float32)
    assert np.abs(macula_match(even, CELL_MM)[PLACE]) < 0.01
    assert (macula_match(even * np.nan, CELL_MM) == -1).all()


def test_match_never_exceeds_one():
    noise = np.random.default_rng(0).normal(300, 30, SHAPE).astype(np.float32)
    noise[:, 100:] = np.nan
    match = macula_match(noise, CELL_MM)
    assert np.abs(match).max() <= 1 + 1e-9


def test_coarse_map_averages_what_is_known():
    fine = np.array([[1, 3, np.nan, np.nan, 9], [5, np.nan, np.nan, np.nan, 9]], dtype=np.float32)
    np.testing.assert_array_equal(coarse_map(fine, (2, 2)), [[3, np.nan]])


def test_what_is_nearer_than_asked_for_does_not_count() -> None:
    filled = macula()
    rows, columns = np.indices(filled.shape)
    along, across = (rows - PLACE[0]) * CELL_MM[0], (columns - PLACE[1]) * CELL_MM[1]
    near = np.hypot(along, across) < 0.7
    filled = np.where(near, 450, filled).astype(np.float32)
    assert macula_match(filled, CELL_MM)[PLACE] < 0.3
    assert macula_match(filled, CELL_MM, beyond_mm=0.75)[PLACE] > 0.99
