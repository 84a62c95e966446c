"""The inner retina by gray values, and the fovea that it tells."""

import numpy as np
import pytest

from RetinaTriageLib.measures.fovea import INNER_SOURCE, NO_PIT_SOURCE, find_fovea
from RetinaTriageLib.measures.inner_retina import DARK_SHARES, LAYERS, inner_retina_um
from RetinaTriageLib.measures.measure import measure
from RetinaTriageLib.phantoms.eye import Disease
from RetinaTriageLib.phantoms.phantom import make_phantom
from RetinaTriageLib.volume import VoxelSpacing

SPACING = VoxelSpacing(0.12, 0.004, 0.0115)
SHAPE = (41, 512)
TOP, BOTTOM = 60, 140
LAYER_UM = (BOTTOM - TOP) * 4 / LAYERS


def borders(shape=SHAPE):
    return np.full(shape, TOP, np.float32), np.full(shape, BOTTOM, np.float32)


def inner_px(bscan, width):
    """Thickness of the inner layers in px: 6 at the fovea, 40 a millimeter away."""
    along_mm = (np.arange(SHAPE[0])[:, None] - bscan) * SPACING.bscan_mm
    across_mm = (np.arange(SHAPE[1]) - width) * SPACING.width_mm
    return 40 - 34 * np.exp(-(along_mm**2 + across_mm**2) / (2 * 0.4**2))


def scan(bscan, width):
    """Vitreous of 30, inner layers of 140, outer ones of 60 and a bright RPE, with speckle."""
    depth = np.arange(180)[:, None]
    gray = np.full((SHAPE[0], 180, SHAPE[1]), 30.0)
    gray[:, TOP:BOTTOM] = 60
    inner = inner_px(bscan, width)[:, None]
    gray[(depth >= TOP) & (depth < TOP + inner)] = 140
    gray[:, BOTTOM - 8 : BOTTOM] = 180
    speckle = np.random.default_rng(3).gamma(9, 1 / 9, gray.shape)
    return np.clip(gray * speckle, 0, 255).astype(np.uint8)


def test_inner_layers_end_where_the_retina_turns_dark():
    for found in inner_retina_um(scan(20.0, 255.0), *borders(), SPACING):
        off_um = np.abs(found - inner_px(20.0, 255.0) * 4)
        assert np.median(off_um) < LAYER_UM
        assert found[20, 255] < 60 < 140 < np.median(found[0])


def test_gray_scale_and_its_sense_do_not_matter():
    voxels = scan(20.0, 255.0)
    expected = inner_retina_um(voxels, *borders(), SPACING)
    for other in (255 - voxels, voxels.astype(np.float32) * 0.3 + 7):
        for one, again in zip(expected, inner_retina_um(other, *borders(), SPACING), strict=True):
            np.testing.assert_allclose(one, again, atol=1e-3)


def test_unknown_borders_stay_unknown():
    ilm, bruch = borders()
    ilm[:5] = np.nan
    bruch[:, 100:120] = np.nan
    for found in inner_retina_um(scan(20.0, 255.0), ilm, bruch, SPACING):
        np.testing.assert_array_equal(np.isnan(found), np.isnan(ilm + bruch))
    nowhere = np.full(SHAPE, np.nan, np.float32)
    maps = inner_retina_um(scan(20.0, 255.0), nowhere, nowhere, SPACING)
    assert len(maps) == len(DARK_SHARES)
    assert np.isnan(maps).all()


@pytest.mark.parametrize("place", [(20.0, 255.0), (17.4, 290.0)])
def test_fovea_of_a_flat_retina_is_told_by_its_inner_layers(place):
    flat = np.full(SHAPE, 320, np.float32)
    inner_um = inner_retina_um(scan(*place), *borders(), SPACING)
    assert find_fovea([flat] * 3, SPACING).source == NO_PIT_SOURCE
    fovea = find_fovea([flat] * 3, SPACING, inner_um)
    assert fovea.source == INNER_SOURCE
    assert abs(fovea.bscan - place[0]) * SPACING.bscan_mm < 0.03
    assert abs(fovea.width - place[1]) * SPACING.width_mm < 0.03


def test_inner_layers_without_a_pit_leave_it_to_the_others():
    flat = np.full(SHAPE, 320, np.float32)
    alike = inner_retina_um(scan(-100.0, 255.0), *borders(), SPACING)
    assert find_fovea([flat] * 3, SPACING, alike).source == NO_PIT_SOURCE


def test_fovea_of_an_eye_with_edema_is_found():
    phantom = make_phantom(1, diseases=(Disease.EDEMA,))
    fovea = measure(phantom.volume, [phantom.tissue_map], phantom.tissue_map).fovea
    spacing, (bscans, _, width) = phantom.volume.spacing, phantom.volume.shape
    across_mm, along_mm = phantom.placement.fovea_mm
    along_mm -= (fovea.bscan - (bscans - 1) / 2) * spacing.bscan_mm
    across_mm -= (fovea.width - (width - 1) / 2) * spacing.width_mm
    assert fovea.source == INNER_SOURCE
    assert np.hypot(along_mm, across_mm) < 0.1  # 0.26 by the shape of the retina alone
