import numpy as np

from RetinaTriageLib.measures.surfaces import dominant_run, retinal_surfaces
from RetinaTriageLib.tissues import TISSUE_BY_NAME

RETINA = TISSUE_BY_NAME["neurosensory_retina"].label
RPE = TISSUE_BY_NAME["rpe"].label
CHOROID = TISSUE_BY_NAME["choroid_outer"].label
MEMBRANE = TISSUE_BY_NAME["epiretinal_membrane"].label
DRUSEN = TISSUE_BY_NAME["drusenoid_ped"].label
MIRROR = TISSUE_BY_NAME["mirror_artifact"].label
BLINK = TISSUE_BY_NAME["blink_artifact"].label
CLIPPING = TISSUE_BY_NAME["clipping_artifact"].label


def layers():
    """Retina from depth 10 to 30, its pigment epithelium from 27, choroid below."""
    tissue_map = np.zeros((2, 48, 16), dtype=np.uint8)
    tissue_map[:, 10:27] = RETINA
    tissue_map[:, 27:30] = RPE
    tissue_map[:, 30:] = CHOROID
    return tissue_map


def test_surfaces_lie_between_voxels():
    surfaces = retinal_surfaces(layers())
    assert (surfaces.ilm == 9.5).all()
    assert (surfaces.inner_rpe == 26.5).all()
    assert (surfaces.bruch == 29.5).all()


def test_small_hole_in_the_retina_changes_nothing():
    tissue_map = layers()
    tissue_map[:, 14:17, 5] = 0
    assert (retinal_surfaces(tissue_map).ilm == 9.5).all()


def test_island_in_the_vitreous_or_choroid_changes_nothing():
    tissue_map = layers()
    tissue_map[:, 2:4, 5] = RETINA
    tissue_map[:, 40:43, 5] = RPE
    surfaces = retinal_surfaces(tissue_map)
    assert (surfaces.ilm == 9.5).all()
    assert (surfaces.inner_rpe == 26.5).all()
    assert (surfaces.bruch == 29.5).all()


def test_epiretinal_membrane_lies_above_the_ilm():
    tissue_map = layers()
    tissue_map[:, 8:10] = MEMBRANE
    assert (retinal_surfaces(tissue_map).ilm == 9.5).all()


def test_detachment_lies_above_bruchs_membrane():
    tissue_map = layers()
    tissue_map[:, 30:34] = DRUSEN
    surfaces = retinal_surfaces(tissue_map)
    assert (surfaces.inner_rpe == 26.5).all()
    assert (surfaces.bruch == 33.5).all()


def test_artifacts_hide_the_surfaces():
    tissue_map = layers()
    tissue_map[0] = BLINK
    tissue_map[1, :12, 0] = CLIPPING
    tissue_map[1, :12, 1] = MIRROR
    surfaces = retinal_surfaces(tissue_map)
    assert np.isnan(surfaces.ilm[0]).all()
    assert np.isnan(surfaces.bruch[0]).all()
    assert np.isnan(surfaces.ilm[1]).tolist() == [True, True] + [False] * 14
    assert (surfaces.bruch[1] == 29.5).all()


def test_retina_that_leaves_the_picture_has_no_surface_there():
    above = retinal_surfaces(layers()[:, 12:])
    below = retinal_surfaces(layers()[:, :29])
    assert np.isnan(above.ilm).all()
    assert (above.bruch == 17.5).all()
    assert np.isnan(below.bruch).all()


def test_atrophy_leaves_bruchs_membrane_and_no_pigment_epithelium():
    tissue_map = layers()
    tissue_map[tissue_map == RPE] = RETINA
    surfaces = retinal_surfaces(tissue_map)
    assert np.isnan(surfaces.inner_rpe).all()
    assert (surfaces.bruch == 29.5).all()


def test_dominant_run_has_the_largest_sum_of_all_runs():
    tissue_map = np.random.default_rng(1).integers(0, 2, (3, 24, 16)).astype(np.uint8)
    first, end = dominant_run(tissue_map, (1,))
    sums = np.cumsum(tissue_map * 2.0 - 1, axis=1)
    sums = np.concatenate([np.zeros_like(sums[:, :1]), sums], axis=1)
    for bscan, column in np.ndindex(first.shape):
        line = sums[bscan, :, column]
        best = max(line[b] - line[a] for b in range(25) for a in range(b + 1))
        assert line[end[bscan, column]] - line[first[bscan, column]] == best
