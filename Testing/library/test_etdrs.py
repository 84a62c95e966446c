from dataclasses import replace

import numpy as np
import pytest

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.measures.etdrs import etdrs_table, sector_coverage, sector_means
from RetinaTriageLib.measures.etdrs_grid import SECTORS, etdrs_grid, sector_area_mm2
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.volume import Laterality, OCTVolume, ScanPattern, VoxelSpacing

SPACING = VoxelSpacing(0.12, 0.004, 0.0118)
SHAPE = (61, 560)
CENTER = Fovea(29.4, 281.3, 0.0, "user")


def scan(laterality=Laterality.OD):
    voxels = np.zeros((SHAPE[0], 16, SHAPE[1]), dtype=np.uint8)
    voxels[0, 0, 0] = 1
    return OCTVolume(voxels, SPACING, laterality)


def ramp(across=0.0, along=0.0):
    """Thickness of 300 µm at the center, growing by µm a mm along width and B-scans."""
    along_mm = (np.arange(SHAPE[0])[:, None] - CENTER.bscan) * SPACING.bscan_mm
    across_mm = (np.arange(SHAPE[1]) - CENTER.width) * SPACING.width_mm
    return (300 + across * across_mm + along * along_mm).astype(np.float32)


def ring_centroid_mm(low_mm, high_mm):
    """Distance of a quarter ring's centroid from the center."""
    mean_radius = 2 / 3 * (high_mm**3 - low_mm**3) / (high_mm**2 - low_mm**2)
    return mean_radius * np.sin(np.pi / 4) / (np.pi / 4)


def flipped(volume, axis):
    """Scan with one index axis (0 B-scan, 2 width) running the other way."""
    directions = volume.directions.copy()
    directions[:, 2 - axis] *= -1
    return replace(volume, directions=directions)


def test_sectors_have_their_area():
    grid = etdrs_grid(scan(), CENTER)
    for sector in ("C0", "N1", "S1", "T1", "I1"):
        assert grid.sectors[sector].sum() == pytest.approx(sector_area_mm2(sector), rel=3e-3)


def test_sectors_do_not_overlap():
    share = sum(etdrs_grid(scan(), CENTER).sectors.values()) / SPACING.column_mm2
    assert share.max() <= 1 + 1e-9


def test_even_thickness_is_the_mean_of_every_sector():
    table = etdrs_table(etdrs_grid(scan(), CENTER), ramp(), [ramp(), ramp() + 10])
    assert list(table.thickness_um) == list(SECTORS)
    np.testing.assert_allclose(list(table.thickness_um.values()), 300, rtol=1e-6)
    assert table.total_mm3 == pytest.approx(0.3 * 9 * np.pi)
    assert table.central_point_um == pytest.approx(300)
    assert table.central_point_sd_um == pytest.approx(0)
    assert table.spreads["C0"].mean == pytest.approx(305)
    assert table.spreads["N2"].std == pytest.approx(5)


def test_ramp_along_the_width_has_analytic_sector_means():
    means = sector_means(etdrs_grid(scan(), CENTER), ramp(across=20))
    inner, outer = ring_centroid_mm(0.5, 1.5), ring_centroid_mm(1.5, 3)
    expected = {"C0": 0, "S1": 0, "I1": 0, "S2": 0, "I2": 0}
    expected |= {"N1": 20 * inner, "T1": -20 * inner, "N2": 20 * outer, "T2": -20 * outer}
    for sector, change in expected.items():
        assert means[sector] - 300 == pytest.approx(change, abs=0.1)


def test_ramp_along_the_bscans_has_analytic_sector_means():
    means = sector_means(etdrs_grid(scan(), CENTER), ramp(along=20))
    inner, outer = ring_centroid_mm(0.5, 1.5), ring_centroid_mm(1.5, 3)
    expected = {"C0": 0, "N1": 0, "T1": 0, "N2": 0, "T2": 0}
    expected |= {"S1": 20 * inner, "I1": -20 * inner, "S2": 20 * outer, "I2": -20 * outer}
    for sector, change in expected.items():
        assert means[sector] - 300 == pytest.approx(change, abs=0.1)


def test_central_point_is_interpolated():
    table = etdrs_table(etdrs_grid(scan(), CENTER), ramp(across=20, along=-30), [])
    assert table.central_point_um == pytest.approx(300, abs=0.01)
    assert 0 < table.central_point_sd_um < 3


def test_left_eye_is_the_mirrored_right_eye():
    thickness_um = ramp(across=20, along=7)
    mirrored = replace(CENTER, width=SHAPE[1] - 1 - CENTER.width)
    right = sector_means(etdrs_grid(scan(), CENTER), thickness_um)
    left = sector_means(etdrs_grid(scan(Laterality.OS), mirrored), thickness_um[:, ::-1])
    assert left == pytest.approx(right, rel=1e-6)


def test_other_eye_side_swaps_nasal_and_temporal():
    right = sector_means(etdrs_grid(scan(), CENTER), ramp(across=20))
    left = sector_means(etdrs_grid(scan(Laterality.OS), CENTER), ramp(across=20))
    assert (left["N2"], left["T1"], left["S1"]) == (right["T2"], right["N1"], right["S1"])


def test_order_of_the_bscans_does_not_matter():
    thickness_um = ramp(across=20, along=7)
    center = replace(CENTER, bscan=SHAPE[0] - 1 - CENTER.bscan)
    there = sector_means(etdrs_grid(scan(), CENTER), thickness_um)
    back = sector_means(etdrs_grid(flipped(scan(), 0), center), thickness_um[::-1])
    assert back == pytest.approx(there, rel=1e-6)


def test_order_of_the_ascans_does_not_matter():
    thickness_um = ramp(across=20, along=7)
    center = replace(CENTER, width=SHAPE[1] - 1 - CENTER.width)
    there = sector_means(etdrs_grid(scan(), CENTER), thickness_um)
    back = sector_means(etdrs_grid(flipped(scan(), 2), center), thickness_um[:, ::-1])
    assert back == pytest.approx(there, rel=1e-6)


def test_shifted_map_around_the_shifted_center_has_the_same_means():
    center = replace(CENTER, bscan=CENTER.bscan + 2, width=CENTER.width + 9)
    moved = np.roll(ramp(across=20, along=7), (2, 9), axis=(0, 1))
    there = sector_means(etdrs_grid(scan(), CENTER), ramp(across=20, along=7))
    here = sector_means(etdrs_grid(scan(), center), moved)
    assert {s: here[s] for s in SECTORS[:5]} == pytest.approx({s: there[s] for s in SECTORS[:5]})


def test_grid_partly_outside_the_scan_says_what_it_covers():
    center = replace(CENTER, bscan=2.0)
    grid = etdrs_grid(scan(), center)
    table = etdrs_table(grid, ramp(), [])
    assert table.coverage["I2"] == 0
    assert np.isnan(table.thickness_um["I2"])
    assert table.coverage["S2"] == pytest.approx(1, rel=3e-3)
    assert table.thickness_um["S2"] == pytest.approx(300)
    assert np.isnan(table.total_mm3)
    assert "too much for a total volume" in table.boundaries


def test_small_gap_counts_in_the_total_as_the_mean_of_its_sector():
    thickness_um = ramp()
    thickness_um[10:13] = np.nan
    table = etdrs_table(etdrs_grid(scan(), CENTER), thickness_um, [])
    assert table.total_mm3 == pytest.approx(0.3 * 9 * np.pi)
    assert 0.5 < table.coverage["I2"] < 1
    assert "counts in the total as the mean of its sector" in table.boundaries


def test_sector_under_half_measured_is_unknown():
    thickness_um = ramp()
    thickness_um[:, : int(CENTER.width)] = np.nan
    grid = etdrs_grid(scan(), CENTER)
    means = sector_means(grid, thickness_um)
    assert sector_coverage(grid, thickness_um)["T1"] == 0
    assert np.isnan(means["T1"])
    assert means["N1"] == pytest.approx(300)


def test_unknown_eye_side_is_refused_with_the_remedy():
    with pytest.raises(GeometryError, match="--laterality OD or OS"):
        etdrs_grid(scan(None), CENTER)


def test_vertical_bscans_are_refused():
    turned = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
    with pytest.raises(GeometryError, match="horizontal B-scans"):
        etdrs_grid(replace(scan(), directions=turned), CENTER)


def test_circle_scan_is_refused():
    with pytest.raises(GeometryError, match="circle scan"):
        etdrs_grid(replace(scan(), pattern=ScanPattern.CIRCLE), CENTER)
