from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_eye import mean_eye, raster

from RetinaTriageLib.phantoms.anatomy import (
    DISC_CENTER_MM,
    LAYERS,
    choroid_thickness_mm,
    disc_distance_mm,
    draw_anatomy,
    layer_thickness_mm,
    vessel_reach,
)

# CLINICAL.md section 7 (PMC6042244): fovea | 1-3 mm S N I T | 3-6 mm S N I T, in µm.
TABLE_UM = {
    "gcl": (12.3, 52.0, 50.1, 51.3, 46.7, 36.6, 40.5, 34.0, 36.9),
    "ipl": (18.3, 41.2, 42.3, 40.9, 41.0, 29.7, 31.2, 27.8, 32.6),
    "inl": (15.3, 39.8, 38.5, 40.5, 36.5, 32.3, 35.1, 32.1, 33.9),
    "opl": (23.5, 32.9, 31.9, 36.2, 31.1, 26.2, 28.2, 27.0, 26.4),
    "onl": (88.4, 67.5, 72.5, 60.5, 70.0, 58.2, 55.9, 49.6, 55.8),
    "rpe": (17.5, 16.2, 16.3, 15.4, 15.1, 14.3, 14.2, 13.7, 13.5),
}
PHOTORECEPTORS_AND_RPE_UM = (90.2, 82.7, 83.9, 81.3, 82.6, 79.8, 79.8, 77.8, 79.8)
RNFL_UM = (10.8, 23.4, 20.1, 24.5, 16.8, 37.5, 46.1, 38.9, 19.2)
RETINA_UM = (257.0, 339.4, 339.6, 335.1, 324.9, 300.4, 317.4, 287.2, 283.8)

TOLERANCE_UM = 5.0


def sector_means_um(thickness_mm: np.ndarray) -> np.ndarray:
    """Means over the ETDRS sectors in the order of the table."""
    x_mm, y_mm = raster(3.0, 0.06)
    radius = np.hypot(x_mm, y_mm)
    turned = (np.degrees(np.arctan2(y_mm, x_mm)) - 45) % 360
    quadrant = (turned // 90).astype(int)  # 0 S, 1 T, 2 I, 3 N
    sectors = [radius <= 0.5]
    for inner, outer in ((0.5, 1.5), (1.5, 3.0)):
        ring = (radius > inner) & (radius <= outer)
        sectors += [ring & (quadrant == index) for index in (0, 3, 2, 1)]
    return np.array([thickness_mm[sector].mean() * 1000 for sector in sectors])


@pytest.fixture(scope="module")
def thickness() -> dict[str, np.ndarray]:
    return layer_thickness_mm(mean_eye(), *raster(3.0, 0.06))


@pytest.mark.parametrize("layer", list(TABLE_UM))
def test_mean_eye_has_the_layers_of_the_table(thickness, layer):
    assert sector_means_um(thickness[layer]) == pytest.approx(TABLE_UM[layer], abs=TOLERANCE_UM)


def test_mean_eye_has_the_outer_bands_of_the_table(thickness):
    bands = sum(thickness[layer] for layer in ("is", "ez", "os", "iz", "rpe"))
    assert sector_means_um(bands) == pytest.approx(PHOTORECEPTORS_AND_RPE_UM, abs=3)


def test_mean_eye_has_the_nerve_fibers_of_the_table(thickness):
    assert sector_means_um(thickness["rnfl"]) == pytest.approx(RNFL_UM, abs=TOLERANCE_UM)


def test_mean_retina_is_that_of_the_table(thickness):
    assert sector_means_um(sum(thickness.values())) == pytest.approx(RETINA_UM, abs=TOLERANCE_UM)


def test_inner_layers_run_out_in_the_foveal_center():
    x_mm, y_mm = np.array([[0.0, 1.1]]), np.zeros((1, 2))
    thickness = layer_thickness_mm(mean_eye(), x_mm, y_mm)
    inner = sum(thickness[layer] for layer in ("gcl", "ipl", "inl"))
    assert inner[0, 0] < 0.012
    assert inner[0, 1] > 0.11


def test_thickness_is_never_negative_and_disc_ends_the_layers():
    anatomy = replace(draw_anatomy(np.random.default_rng(3)), disc=True)
    x_mm, y_mm = raster(5.2, 0.1)
    thickness = layer_thickness_mm(anatomy, x_mm, y_mm)
    in_disc = disc_distance_mm(x_mm, y_mm) < 0
    assert set(thickness) == {*LAYERS, "rpe"}
    assert min(layer.min() for layer in thickness.values()) >= 0
    assert thickness["rpe"][in_disc].max() == 0
    assert thickness["rnfl"][in_disc].min() > 0.05


def test_choroid_thins_towards_the_disc():
    x_mm = np.array([[-2.0, 0.0, 3.0]])
    thickness = choroid_thickness_mm(mean_eye(), x_mm, np.zeros((1, 3)))[0]
    assert thickness == pytest.approx([0.29, 0.25, 0.19])


def test_vessels_leave_the_fovea_free():
    anatomy = draw_anatomy(np.random.default_rng(1))
    x_mm, y_mm = raster(3.0, 0.06)
    reach, radius_mm = vessel_reach(anatomy, x_mm, y_mm)
    on_vessel = reach < 1
    assert on_vessel.any()
    assert np.hypot(x_mm, y_mm)[on_vessel].min() > 0.38
    assert 0.012 <= radius_mm[on_vessel].min() <= radius_mm[on_vessel].max() <= 0.055
    assert DISC_CENTER_MM[0] > 0  # nasal
