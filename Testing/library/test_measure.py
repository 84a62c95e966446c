from dataclasses import replace

import numpy as np
import pytest

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.measures.fovea import PIT_SOURCE
from RetinaTriageLib.measures.measure import measure
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import Laterality, OCTVolume, ScanPattern, VoxelSpacing

SPACING = VoxelSpacing(0.24, 0.008, 0.048)
SHAPE = (27, 96, 135)
PIT = (12.6, 70.2)
LABELS = {name: tissue.label for name, tissue in TISSUE_BY_NAME.items()}


def scan(**changes):
    voxels = np.random.default_rng(0).integers(0, 255, SHAPE).astype(np.uint8)
    return replace(OCTVolume(voxels, SPACING, Laterality.OD), **changes)


def layers(thicker_px=0):
    """Retina with a pit and a drop of subretinal fluid, choroid from depth 70."""
    along_mm = (np.arange(SHAPE[0])[:, None] - PIT[0]) * SPACING.bscan_mm
    across_mm = (np.arange(SHAPE[2]) - PIT[1]) * SPACING.width_mm
    pit_px = 13 * np.exp(-(along_mm**2 + across_mm**2) / (2 * 0.45**2))
    top = (30 - thicker_px + pit_px)[:, None]  # (B-scan, 1, width)
    depth = np.arange(SHAPE[1])[:, None]
    tissue_map = np.full(SHAPE, LABELS["neurosensory_retina"], dtype=np.uint8)
    tissue_map[np.broadcast_to(depth + 0.5 < top, SHAPE)] = LABELS["vitreous_subhyaloid"]
    tissue_map[3:6, 60:66, 20:30] = LABELS["subretinal_fluid"]
    tissue_map[:, 66:70] = LABELS["rpe"]
    tissue_map[:, 70:] = LABELS["choroid_outer"]
    return tissue_map


def test_whole_case_is_measured():
    measured = measure(scan(), [layers(), layers(thicker_px=2)], layers())
    fluid = next(m for m in measured.tissues if m.tissue.name == "subretinal_fluid")
    assert measured.refused == ()
    assert measured.fovea.source == PIT_SOURCE
    assert measured.fovea.bscan == pytest.approx(PIT[0], abs=0.2)
    assert measured.fovea.width == pytest.approx(PIT[1], abs=1)
    assert fluid.volume_mm3["all"] == pytest.approx(180 * SPACING.voxel_mm3)
    assert measured.etdrs.thickness_um["S2"] == pytest.approx(320, abs=1)
    assert measured.etdrs.spreads["S2"].high == pytest.approx(336, abs=1)
    assert measured.disagreement.max() == pytest.approx(2 / 96 * np.log(2), rel=1e-5)
    assert {"retina", "fluid", "ped", "rpe", "drusenoid_ped"} <= set(measured.thickness_um)


def test_order_of_the_hypotheses_does_not_matter():
    maps = [layers(), layers(thicker_px=2), layers(thicker_px=5)]
    there, back = (measure(scan(), order, layers()) for order in (maps, maps[::-1]))
    for sector, spread in there.etdrs.spreads.items():
        assert back.etdrs.spreads[sector].std == pytest.approx(spread.std)
    assert [m.volume_spread.low for m in there.tissues] == [
        m.volume_spread.low for m in back.tissues
    ]


def test_flipped_scan_of_flipped_directions_has_the_same_table():
    directions = scan().directions * [-1, 1, -1]
    flipped = scan(voxels=scan().voxels[::-1, :, ::-1], directions=directions)
    tissue_map = layers()[::-1, :, ::-1]
    there = measure(scan(), [layers()], layers())
    back = measure(flipped, [tissue_map], tissue_map)
    assert back.etdrs.thickness_um == pytest.approx(there.etdrs.thickness_um)


def test_fovea_set_by_hand_is_kept():
    by_hand = Fovea(9.0, 50.0, 0.05, "user")
    measured = measure(scan(), [layers()], layers(), fovea=by_hand)
    assert measured.fovea == by_hand
    assert measured.etdrs.center == by_hand


def test_fovea_set_outside_the_scan_is_refused():
    with pytest.raises(GeometryError, match="Place it inside the scan"):
        measure(scan(), [layers()], layers(), fovea=Fovea(-3.0, 50.0, 0.05, "user"))


def test_unknown_spacing_leaves_projection_and_disagreement():
    measured = measure(scan(spacing=None, laterality=None), [layers()], layers())
    assert measured.enface.shape == measured.disagreement.shape == (27, 135)
    assert (measured.fovea, measured.etdrs, measured.tissues) == (None, None, ())
    assert measured.thickness_um == {}
    assert "--spacing-um" in measured.refused[0]
    assert "--laterality" in measured.refused[1]


def test_unknown_eye_side_refuses_only_the_etdrs_table():
    measured = measure(scan(laterality=None), [layers()], layers())
    assert measured.etdrs is None
    assert len(measured.tissues) == 15
    assert len(measured.refused) == 1
    assert "--laterality OD or OS" in measured.refused[0]


def test_single_bscan_has_a_profile_and_no_volumes():
    spacing = VoxelSpacing(None, SPACING.depth_mm, SPACING.width_mm)
    line = scan(voxels=scan().voxels[:1], spacing=spacing, pattern=ScanPattern.LINE)
    measured = measure(line, [layers()[:1]], layers()[:1])
    assert measured.tissues == ()
    np.testing.assert_allclose(measured.thickness_um["retina"], 320)
    assert len(measured.refused) == 1
    assert "single B-scan" in measured.refused[0]


def test_bscans_at_unknown_distance_have_profiles_and_no_volumes():
    spacing = VoxelSpacing(None, SPACING.depth_mm, SPACING.width_mm)
    measured = measure(scan(spacing=spacing), [layers()], layers())
    assert "27 B-scans of volume at unknown distance" in measured.refused[0]
    assert "retina" in measured.thickness_um


def test_circle_scan_has_profiles_and_no_volumes():
    measured = measure(scan(pattern=ScanPattern.CIRCLE), [layers()], layers())
    assert measured.tissues == ()
    assert "circle scan" in measured.refused[0]
    assert "retina" in measured.thickness_um


def test_scan_without_retina_has_no_etdrs_table():
    blink = np.full(SHAPE, LABELS["blink_artifact"], dtype=np.uint8)
    measured = measure(scan(), [blink], blink)
    assert measured.etdrs is None
    assert "both ILM and Bruch's membrane" in measured.refused[0]
    assert np.isnan(measured.thickness_um["fluid"]).all()


def test_map_of_another_volume_is_refused():
    with pytest.raises(InputError, match="Pass the maps of this volume"):
        measure(scan(), [layers()[:5]], layers())
