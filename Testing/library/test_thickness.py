import numpy as np

from RetinaTriageLib.measures.columns import column_counts
from RetinaTriageLib.measures.thickness import (
    retinal_thickness,
    thickness_maps,
    tissue_thickness,
)
from RetinaTriageLib.tissues import TISSUE_BY_NAME

DEPTH_MM = 0.004
INTRARETINAL = TISSUE_BY_NAME["intraretinal_fluid"].label
SUBRETINAL = TISSUE_BY_NAME["subretinal_fluid"].label
BLINK = TISSUE_BY_NAME["blink_artifact"].label
CLIPPING = TISSUE_BY_NAME["clipping_artifact"].label


def two_fluids():
    tissue_map = np.zeros((3, 20, 16), dtype=np.uint8)
    tissue_map[1, 5:8] = INTRARETINAL
    tissue_map[1, 10:12] = SUBRETINAL
    tissue_map[2] = BLINK
    return tissue_map


def test_retina_of_a_slab_is_its_height():
    ilm = np.full((2, 16), 9.5, dtype=np.float32)
    np.testing.assert_allclose(retinal_thickness(ilm, ilm + 70, DEPTH_MM), 280.0, rtol=1e-6)


def test_unknown_surface_makes_thickness_unknown():
    ilm = np.array([[9.5, np.nan]], dtype=np.float32)
    bruch = np.array([[np.nan, 30.5]], dtype=np.float32)
    assert np.isnan(retinal_thickness(ilm, bruch, DEPTH_MM)).all()


def test_fluid_adds_up_both_kinds():
    maps = thickness_maps(column_counts(two_fluids(), 15), DEPTH_MM)
    np.testing.assert_allclose(maps["fluid"][1], 20.0)
    np.testing.assert_allclose(maps["intraretinal_fluid"][1], 12.0)


def test_absent_tissue_has_no_thickness_and_a_blink_unknown_thickness():
    maps = thickness_maps(column_counts(two_fluids(), 15), DEPTH_MM)
    assert (maps["ped"][:2] == 0).all()
    assert np.isnan(maps["ped"][2]).all()


def test_small_clipped_border_keeps_the_column():
    tissue_map = two_fluids()
    tissue_map[1, :4, 0] = CLIPPING
    counts = column_counts(tissue_map, 15)
    assert tissue_thickness(counts, [SUBRETINAL], DEPTH_MM)[1, 0] == np.float32(8.0)
