from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.evaluation.central_thickness import central_thickness
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.volume import Laterality, OCTVolume, VoxelSpacing

SHAPE = (27, 40, 140)
MIDDLE = Fovea(13.0, 69.5, 0.0, "test")


def scan() -> OCTVolume:
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[0, 0, 0] = 1
    return OCTVolume(voxels, VoxelSpacing(0.24, 0.01, 0.047), Laterality.OD)


def flat_retina(thickness_px: int) -> np.ndarray:
    tissue_map = np.zeros(SHAPE, np.uint8)
    tissue_map[:, 2:] = 11
    tissue_map[:, 2 : 2 + thickness_px] = 3
    return tissue_map


def test_thicker_map_has_a_positive_error() -> None:
    found = central_thickness(scan(), flat_retina(30), flat_retina(32), MIDDLE)
    assert found.truth_um == pytest.approx(300)
    assert found.surface_error_um == pytest.approx(20)
    assert found.error_um == pytest.approx(20)


def test_fovea_that_was_not_found_is_told_apart_from_the_surfaces() -> None:
    truth = flat_retina(30)
    truth[:4, 12:] = 11  # a thin edge, far from where the map's fovea is taken to be
    fovea = Fovea(3.0, 69.5, 0.0, "test")
    found = central_thickness(scan(), truth, truth, fovea)
    assert found.surface_error_um == 0
    assert found.error_um > 50
    assert found.fovea_error_mm == pytest.approx(2.4)


def test_unknown_eye_side_is_refused() -> None:
    with pytest.raises(GeometryError, match="eye side"):
        central_thickness(
            replace(scan(), laterality=None), flat_retina(30), flat_retina(30), MIDDLE
        )
