from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_eye import BRUCH_MM, FLAT, mean_eye, raster, region_thickness, surfaces_of

from RetinaTriageLib.phantoms.eye import Disease, draw_eye
from RetinaTriageLib.phantoms.lesions import (
    Atrophy,
    Bump,
    Deposit,
    Hyaloid,
    Lesions,
    Membrane,
    Swelling,
)
from RetinaTriageLib.phantoms.surfaces import bump_height, find_surfaces
from RetinaTriageLib.tissues import TISSUE_BY_NAME

X_MM, Y_MM = raster()


def dome(kind: Deposit, height: float = 0.2, steepness: float = 1.0) -> Bump:
    return Bump(kind, (0.1, -0.2), (0.8, 0.6), height, steepness, 0.0, FLAT)


@pytest.mark.parametrize("disease", [None, *Disease], ids=lambda d: d.value if d else "healthy")
def test_surfaces_never_cross(disease):
    for seed in range(3):
        eye = draw_eye(np.random.default_rng(seed), (disease,) if disease else ())
        x_mm, y_mm = raster(3.0, 0.15)
        found = find_surfaces(eye.anatomy, eye.lesions, x_mm, y_mm, 1.0)
        assert np.diff(found.boundary_mm, axis=0).min() > -1e-9


@pytest.mark.parametrize("steepness", [0.8, 1.0, 1.3])
def test_volume_of_a_dome_is_analytic(steepness):
    x_mm, y_mm = raster(1.5, 0.01)
    volume_mm3 = bump_height(dome(Deposit.SEROUS, 0.2, steepness), x_mm, y_mm).sum() * 0.01**2
    assert volume_mm3 == pytest.approx(np.pi * 0.8 * 0.6 * 0.2 / (steepness + 1), rel=2e-3)


@pytest.mark.parametrize(
    ("kind", "region"),
    [
        (Deposit.SUBRETINAL_FLUID, "srf"),
        (Deposit.SUBRETINAL_MATERIAL, "shrm"),
        (Deposit.DRUSENOID, "ped"),
        (Deposit.SEROUS, "ped"),
        (Deposit.FIBROVASCULAR, "ped"),
    ],
)
def test_deposit_fills_its_region(kind, region):
    bump = dome(kind)
    found = surfaces_of(Lesions(bumps=(bump,)), X_MM, Y_MM)
    assert region_thickness(found, region) == pytest.approx(bump_height(bump, X_MM, Y_MM))
    if region == "ped":
        top = region_thickness(found, "ped") > 0
        assert set(np.unique(found.ped_label[top])) == {TISSUE_BY_NAME[kind.value].label}


def test_ped_lifts_the_epithelium_and_bruchs_membrane_stays():
    found = surfaces_of(Lesions(bumps=(dome(Deposit.SEROUS),)), X_MM, Y_MM)
    assert found.top_mm("choroid") == pytest.approx(BRUCH_MM)
    assert (BRUCH_MM - found.top_mm("ped")).max() == pytest.approx(0.2, rel=0.01)


def test_fluid_lies_between_photoreceptors_and_epithelium():
    plain = surfaces_of(Lesions(), X_MM, Y_MM)
    found = surfaces_of(Lesions(bumps=(dome(Deposit.SUBRETINAL_FLUID),)), X_MM, Y_MM)
    assert found.top_mm("rpe") == pytest.approx(plain.top_mm("rpe"))
    lift_mm = plain.top_mm("iz") - found.top_mm("iz")
    assert lift_mm == pytest.approx(region_thickness(found, "srf"))


def test_swelling_thickens_its_layer_alone():
    swelling = Swelling("onl", (0.0, 0.0), 0.4, 0.1)
    plain = surfaces_of(Lesions(), X_MM, Y_MM)
    found = surfaces_of(Lesions(swellings=(swelling,)), X_MM, Y_MM)
    assert (region_thickness(found, "onl") - region_thickness(plain, "onl")).max() == pytest.approx(
        0.1
    )
    assert region_thickness(found, "inl") == pytest.approx(region_thickness(plain, "inl"))


def test_atrophy_has_no_epithelium_inside_and_all_of_it_outside():
    atrophy = Atrophy((0.0, 0.0), 0.6, FLAT)
    found = surfaces_of(Lesions(atrophies=(atrophy,)), X_MM, Y_MM)
    distance = np.hypot(X_MM, Y_MM)
    rpe = region_thickness(found, "rpe")
    assert rpe[distance < 0.5].max() == pytest.approx(0)
    assert rpe[distance > 0.65].min() > 0.01
    assert found.atrophy[distance < 0.5].min() == 1


def test_membrane_covers_its_patch():
    membrane = Membrane((0.0, 0.0), 1.0, 0.02, 0.01, FLAT, FLAT)
    found = surfaces_of(Lesions(membrane=membrane), X_MM, Y_MM)
    erm, distance = region_thickness(found, "erm"), np.hypot(X_MM, Y_MM)
    assert erm[distance < 0.8] == pytest.approx(0.02)
    assert erm[distance > 1.05].max() == pytest.approx(0)


def test_detached_hyaloid_floats_over_the_retina():
    hyaloid = Hyaloid(0.2, 0.012, FLAT, 0.0, 0.0, 0.4)
    found = surfaces_of(Lesions(hyaloid=hyaloid), X_MM, Y_MM)
    front, rear = found.hyaloid_mm
    assert rear - front == pytest.approx(0.012)
    assert (rear <= found.top_mm("erm") - 0.02 + 1e-9).all()


def test_traction_holds_the_hyaloid_at_the_fovea_and_pulls_it_up():
    hyaloid = Hyaloid(0.2, 0.012, FLAT, 0.3, 0.15, 0.4)
    found = surfaces_of(Lesions(hyaloid=hyaloid), X_MM, Y_MM)
    distance = np.hypot(X_MM, Y_MM)
    assert np.isnan(found.hyaloid_mm[1][distance < 0.29]).all()
    assert np.isfinite(found.hyaloid_mm[1][distance > 1.2]).all()
    raised = surfaces_of(Lesions(), X_MM, Y_MM).top_mm("erm") - found.top_mm("erm")
    assert raised.max() == pytest.approx(0.15, rel=0.01)


def test_tilt_slopes_bruchs_membrane_and_not_the_thickness():
    tilted = find_surfaces(replace(mean_eye(), tilt=(0.05, 0.0)), Lesions(), X_MM, Y_MM, BRUCH_MM)
    plain = surfaces_of(Lesions(), X_MM, Y_MM)
    assert tilted.top_mm("choroid") == pytest.approx(BRUCH_MM - 0.05 * X_MM)
    assert np.diff(tilted.boundary_mm, axis=0) == pytest.approx(np.diff(plain.boundary_mm, axis=0))
