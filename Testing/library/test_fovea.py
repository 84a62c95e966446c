import numpy as np
import pytest

from RetinaTriageLib.measures.fovea import (
    INNER_SOURCE,
    NO_PIT_SOURCE,
    NO_PIT_UNCERTAINTY_MM,
    PIT_SOURCE,
    RIM_SOURCE,
    find_fovea,
    ilm_height,
)
from RetinaTriageLib.measures.measure import measure
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.volume import VoxelSpacing

SPACING = VoxelSpacing(0.12, 0.004, 0.0115)
SHAPE = (49, 512)


def places():
    """B-scan and width index of every A-scan, as arrays that broadcast to the scan."""
    return np.arange(SHAPE[0])[:, None], np.arange(SHAPE[1])


def hill(at, bscan, width, height_um, sigma_mm):
    along_mm = (at[0] - bscan) * SPACING.bscan_mm
    across_mm = (at[1] - width) * SPACING.width_mm
    return height_um * np.exp(-(along_mm**2 + across_mm**2) / (2 * sigma_mm**2))


def retina_um(at, bscan, width, pit_um=100.0):
    """Thickness with a pit, a thicker nasal side and thinning towards the periphery."""
    broad = hill(at, 24, 255.5, 70, 2.5) + hill(at, bscan, width + 120, 25, 0.8)
    return 260 + broad - hill(at, bscan, width, pit_um, 0.45)


def eye(bscan, width, pit_um=100.0, seed=0):
    """Thickness map with noise of 4 µm."""
    noise = np.random.default_rng(seed).normal(0, 4, SHAPE)
    return (retina_um(places(), bscan, width, pit_um) + noise).astype(np.float32)


def thinnest(bscan, width):
    """Where the retina without noise is thinnest, to 1 µm."""
    along = bscan + np.linspace(-0.1, 0.1, 201)[:, None] / SPACING.bscan_mm
    across = width + np.linspace(-0.1, 0.1, 201) / SPACING.width_mm
    row, column = np.unravel_index(np.argmin(retina_um((along, across), bscan, width)), (201, 201))
    return along[row, 0], across[column]


def error_mm(fovea, bscan, width):
    along = (fovea.bscan - bscan) * SPACING.bscan_mm
    return np.hypot(along, (fovea.width - width) * SPACING.width_mm)


@pytest.mark.parametrize("place", [(24.0, 255.5), (20.3, 300.7), (30.6, 180.2)])
def test_pit_is_found_within_30_um(place):
    fovea = find_fovea([eye(*place, seed=seed) for seed in range(3)], SPACING)
    assert fovea.source == PIT_SOURCE
    assert error_mm(fovea, *thinnest(*place)) < 0.030
    assert 0.030 < fovea.uncertainty_mm < 0.2


def test_large_druse_beside_the_pit_does_not_move_it():
    retina = eye(22, 250)
    lifted_ilm = retina + hill(places(), 26, 320, 250, 0.3)
    fovea = find_fovea([retina, retina, lifted_ilm], SPACING)
    assert error_mm(fovea, 22, 250) < 0.1


def test_large_cyst_beside_the_pit_does_not_attract_it():
    without_cyst = eye(22, 250) - hill(places(), 32, 340, 220, 0.3)
    swollen = eye(22, 250) + hill(places(), 32, 340, 60, 0.4)
    fovea = find_fovea([swollen, without_cyst, swollen], SPACING)
    assert error_mm(fovea, 22, 250) < 0.15


def test_retina_without_pit_and_rim_falls_back_to_the_scan_center():
    flat = np.random.default_rng(0).normal(300, 4, SHAPE).astype(np.float32)
    fovea = find_fovea([flat] * 3, SPACING)
    assert (fovea.bscan, fovea.width) == (24.0, 255.5)
    assert fovea.source == NO_PIT_SOURCE
    assert fovea.uncertainty_mm == NO_PIT_UNCERTAINTY_MM


def test_swelling_over_the_pit_leaves_the_rim_to_go_by():
    swollen = eye(22, 250) + hill(places(), 21, 260, 250, 0.8)
    fovea = find_fovea([swollen, swollen - hill(places(), 15, 330, 150, 0.3), swollen], SPACING)
    assert fovea.source == RIM_SOURCE
    assert error_mm(fovea, 22, 250) < fovea.uncertainty_mm
    assert 0.3 < fovea.uncertainty_mm < NO_PIT_UNCERTAINTY_MM


@pytest.mark.parametrize("seed", [9651009, 9651075])
def test_the_rim_tells_where_a_fovea_under_traction_lies(seed):
    phantom = make_phantom(seed, diseases=(Disease.TRACTION,), pictured=False)
    fovea = measure(phantom.volume, (phantom.tissue_map,), phantom.tissue_map).fovea
    (bscans, _, widths), spacing = phantom.volume.shape, phantom.volume.require_spacing()
    width_mm, along_mm = phantom.placement.fovea_mm
    off_mm = np.hypot(
        (fovea.bscan - (bscans - 1) / 2) * spacing.bscan_mm - along_mm,
        (fovea.width - (widths - 1) / 2) * spacing.width_mm - width_mm,
    )
    assert fovea.source == RIM_SOURCE
    assert off_mm < 0.15


def test_of_two_pits_far_apart_the_clearer_one_counts():
    clear = [eye(24.0, 255.5)] * 3
    noise = np.random.default_rng(5).normal(0, 40, SHAPE)
    doubtful = [(eye(34.0, 150.0) + noise).astype(np.float32)] * 3
    by_shape, by_inner = find_fovea(clear, SPACING, doubtful), find_fovea(doubtful, SPACING, clear)
    assert (by_shape.source, by_inner.source) == (PIT_SOURCE, INNER_SOURCE)
    assert max(error_mm(fovea, 24.0, 255.5) for fovea in (by_shape, by_inner)) < 0.05


def test_missing_bscans_do_not_move_the_pit():
    retina = eye(22.4, 250)
    retina[[5, 20, 40]] = np.nan
    assert error_mm(find_fovea([retina] * 3, SPACING), *thinnest(22.4, 250)) < 0.03


def test_scan_without_data_falls_back_to_its_center():
    empty = np.full(SHAPE, np.nan, dtype=np.float32)
    assert find_fovea([empty] * 3, SPACING).source == NO_PIT_SOURCE


def test_flipped_scan_has_the_flipped_fovea():
    there = find_fovea([eye(20.3, 300.7)] * 3, SPACING)
    back = find_fovea([eye(20.3, 300.7)[::-1, ::-1]] * 3, SPACING)
    assert back.bscan == pytest.approx(SHAPE[0] - 1 - there.bscan)
    assert back.width == pytest.approx(SHAPE[1] - 1 - there.width)


def test_maps_that_disagree_make_the_fovea_less_certain():
    alike = find_fovea([eye(22, 250)] * 3, SPACING)
    apart = find_fovea([eye(22, 250), eye(23.5, 265), eye(21, 240)], SPACING)
    assert apart.uncertainty_mm > 2 * alike.uncertainty_mm


def test_tilt_and_bend_of_the_ilm_are_taken_out():
    bscan, width = np.meshgrid(*(np.arange(n, dtype=float) for n in SHAPE), indexing="ij")
    bowl = (200 + 0.9 * bscan + 0.05 * width + 2e-4 * (width - 200) ** 2).astype(np.float32)
    bowl[3, 4] = np.nan
    height_um = ilm_height(bowl, SPACING)
    assert np.nanmax(np.abs(height_um)) < 0.05
    assert np.isnan(height_um[3, 4])


def test_scattered_drusen_do_not_draw_the_fovea_away():
    phantom = make_phantom(100, diseases=(Disease.DRUSEN,), pictured=False)
    fovea = measure(phantom.volume, [phantom.tissue_map], phantom.tissue_map).fovea
    spacing, (bscans, _, width) = phantom.volume.spacing, phantom.volume.shape
    across_mm, along_mm = phantom.placement.fovea_mm
    along_mm -= (fovea.bscan - (bscans - 1) / 2) * spacing.bscan_mm
    across_mm -= (fovea.width - (width - 1) / 2) * spacing.width_mm
    assert np.hypot(along_mm, across_mm) < 0.15
