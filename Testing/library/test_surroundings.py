"""Regions set to what surrounds them."""

import numpy as np
from test_places import eye

from RetinaTriageLib.labels.surroundings import fill_from_around, holes_since


def test_pocket_takes_the_tissue_around_it():
    tissue_map = eye()
    tissue_map[1, 4:8, 3:6] = 4
    filled = fill_from_around(tissue_map, tissue_map == 4)
    assert np.array_equal(filled, eye())
    assert (tissue_map == 4).any()


def test_bscan_without_anything_around_stays():
    tissue_map = np.full((1, 3, 3), 4, np.uint8)
    assert np.array_equal(fill_from_around(tissue_map, tissue_map == 4), tissue_map)


def test_erased_pocket_is_a_hole():
    original = eye()
    original[1, 4:8, 3:6] = 4
    edited = np.where(original == 4, 0, original).astype(np.uint8)
    assert np.array_equal(holes_since(edited, original), original == 4)


def test_moved_border_is_no_hole():
    original, edited = eye(), eye()
    edited[:, 2:4] = 0
    assert not holes_since(edited, original).any()


def test_pocket_at_the_border_takes_the_tissue_and_not_the_vitreous():
    tissue_map = eye()
    tissue_map[1, 2:6, 3:6] = 4  # touches the vitreous above
    erased = np.where(tissue_map == 4, 0, tissue_map).astype(np.uint8)
    assert np.array_equal(holes_since(erased, tissue_map), tissue_map == 4)
    assert np.array_equal(fill_from_around(erased, tissue_map == 4), eye())
