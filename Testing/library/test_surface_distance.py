from __future__ import annotations

import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.surface_distance import surface_distance, surface_distances


def layered(ilm: int, rpe: int, bruch: int, width: int = 6) -> np.ndarray:
    """Vitreous, retina, pigment epithelium and choroid in 2 B-scans of 40 depths."""
    tissue_map = np.zeros((2, 40, width), np.uint8)
    tissue_map[:, ilm:rpe] = 3
    tissue_map[:, rpe:bruch] = 7
    tissue_map[:, bruch:] = 11
    return tissue_map


def test_distances_of_shifted_layers() -> None:
    found = surface_distances(layered(10, 25, 30), layered(12, 25, 27), depth_mm=0.004)
    assert found["ilm"].signed_um == pytest.approx(8)
    assert found["inner_rpe"].absolute_um == pytest.approx(0)
    assert found["bruch"].signed_um == pytest.approx(-12)
    assert found["bruch"].absolute_um == pytest.approx(12)


def test_opposite_errors_cancel_in_the_signed_mean_alone() -> None:
    truth = np.full((1, 4), 10, np.float32)
    distance = surface_distance(truth, truth + np.array([1, -1, 3, -3], np.float32), 0.01)
    assert distance.signed_um == pytest.approx(0)
    assert distance.absolute_um == pytest.approx(20)


def test_missing_surface_is_counted_not_measured() -> None:
    truth = np.array([[5, 5, 5, np.nan]], np.float32)
    found = np.array([[6, np.nan, 6, 9]], np.float32)
    distance = surface_distance(truth, found, 0.01)
    assert distance.compared == 2
    assert distance.missed == pytest.approx(1 / 3)
    assert distance.absolute_um == pytest.approx(10)


def test_surface_that_is_nowhere_has_no_distance() -> None:
    nowhere = np.full((1, 3), np.nan, np.float32)
    distance = surface_distance(nowhere, nowhere, 0.01)
    assert np.isnan([distance.absolute_um, distance.signed_um, distance.missed]).all()


def test_maps_of_different_size_are_refused() -> None:
    with pytest.raises(InputError, match="maps of one scan"):
        surface_distances(layered(5, 6, 7), layered(5, 6, 7, width=3), 0.01)
