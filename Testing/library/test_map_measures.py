"""Measurements of a map alone are those of the map with its scan, around the same fovea."""

import numpy as np
from example_result import SMALL, example_map, example_volume

from RetinaTriageLib.measures.map_measures import measure_map
from RetinaTriageLib.measures.map_place import MapPlace
from RetinaTriageLib.measures.measure import measure


def test_map_alone_measures_as_with_its_scan():
    tissue_map = example_map(SMALL, 0)
    volume = example_volume(SMALL, tissue_map)
    whole = measure(volume, (tissue_map,), tissue_map)
    place = MapPlace(volume.laterality, fovea=whole.fovea)
    alone = measure_map(tissue_map, volume.spacing, place)
    assert alone.tissues == whole.tissues
    assert alone.etdrs is not None
    assert whole.etdrs is not None
    assert alone.etdrs.thickness_um == whole.etdrs.thickness_um


def test_unknown_spacing_is_refused_in_a_sentence():
    tissue_map = np.zeros((3, 16, 16), np.uint8)
    alone = measure_map(tissue_map, None, MapPlace())
    assert alone.tissues == ()
    assert "Spacing of The map is unknown" in alone.refused[0]


def test_fovea_that_is_known_is_kept():
    tissue_map = example_map(SMALL, 0)
    volume = example_volume(SMALL, tissue_map)
    first = measure_map(tissue_map, volume.spacing, MapPlace(volume.laterality))
    moved = measure_map(
        np.roll(tissue_map, 8, axis=2),
        volume.spacing,
        MapPlace(volume.laterality, fovea=first.fovea),
    )
    assert moved.fovea == first.fovea
    assert first.fovea is not None
