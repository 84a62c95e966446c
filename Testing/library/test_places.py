"""Pockets and disagreements: found, measured, told where they are."""

import numpy as np
import pytest

from RetinaTriageLib.measures.places import Frame, find_disagreements, find_pockets, region_at
from RetinaTriageLib.volume import VoxelSpacing

SPACING = VoxelSpacing.from_um(100, 10, 10)


def eye(bscans: int = 4, depths: int = 12, widths: int = 10) -> np.ndarray:
    tissue_map = np.full((bscans, depths, widths), 3, np.uint8)
    tissue_map[:, :2] = 0
    return tissue_map


def test_pockets_come_largest_first_with_volume_and_bscans():
    tissue_map = eye()
    tissue_map[0:3, 4:8, 2:5] = 4
    tissue_map[3, 9, 9] = 4
    large, small = find_pockets(tissue_map, (4,), Frame(SPACING))
    assert (large.voxels, large.first_bscan, large.last_bscan) == (36, 0, 2)
    assert large.volume_mm3 == pytest.approx(36 * 0.1 * 0.01 * 0.01)
    assert small.at == (3, 9, 9)


def test_place_is_inside_its_region():
    tissue_map = eye()
    tissue_map[1, 3:9, 1:9] = 4
    tissue_map[1, 4:8, 2:8] = 3  # a ring, whose middle lies outside of it
    (ring,) = find_pockets(tissue_map, (4,), Frame())
    assert tissue_map[ring.at] == 4
    assert ring.volume_mm3 is None


def test_small_pockets_are_left_out_and_none_is_no_error():
    tissue_map = eye()
    assert find_pockets(tissue_map, (4,), Frame()) == ()
    tissue_map[0, 5, 5] = 4
    assert find_pockets(tissue_map, (4,), Frame(), smallest_voxels=2) == ()


def test_sector_is_the_one_with_most_of_the_pocket():
    tissue_map = eye()
    tissue_map[0, 5, 2:8] = 4
    left, right = np.zeros((2, 4, 10))
    left[:, :4], right[:, 4:] = 1, 1
    (pocket,) = find_pockets(tissue_map, (4,), Frame(SPACING, {"T1": left, "N1": right}))
    assert pocket.sector == "N1"


def test_borders_that_differ_by_a_voxel_are_no_place():
    one, other = eye(), eye()
    other[:, 2] = 0
    assert find_disagreements([one, other], Frame(SPACING)) == ()
    other[2, 4:9, 3:8] = 4
    (place,) = find_disagreements([one, other], Frame(SPACING))
    assert place.at[0] == 2
    assert place.label is None
    assert place.entropy == pytest.approx(np.log(2))


def test_one_map_disagrees_nowhere():
    assert find_disagreements([eye()], Frame(SPACING)) == ()


def test_region_at_a_voxel_is_its_pocket_alone():
    tissue_map = eye()
    tissue_map[0, 4:6, 1:3] = 4
    tissue_map[0, 8:10, 6:9] = 4
    assert np.count_nonzero(region_at(tissue_map, (0, 5, 2))) == 4
