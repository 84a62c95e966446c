from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_eye import BRUCH_MM, FLAT, mean_eye, raster

from RetinaTriageLib.phantoms.lesions import (
    Bump,
    Cyst,
    Deposit,
    Exudate,
    Hole,
    Hyaloid,
    Lesions,
    Membrane,
)
from RetinaTriageLib.phantoms.paint import EXUDATE, paint_regions, tissue_labels
from RetinaTriageLib.phantoms.surfaces import REGIONS, Surfaces, find_surfaces
from RetinaTriageLib.tissues import TISSUE_BY_NAME

STEP_MM, DEPTH_STEP_MM = 0.04, 0.004
X_MM, Y_MM = raster(1.2, STEP_MM)
DEPTH_MM = np.arange(DEPTH_STEP_MM / 2, 1.6, DEPTH_STEP_MM)
LABEL = {name: tissue.label for name, tissue in TISSUE_BY_NAME.items()}
MIDDLE = X_MM.shape[0] // 2


def paint(
    lesions: Lesions, tilt: tuple[float, float] = (0.0, 0.0)
) -> tuple[Surfaces, np.ndarray, np.ndarray]:
    """Surfaces, regions and labels, the latter two (B-scan, depth, A-scan)."""
    surfaces = find_surfaces(replace(mean_eye(), tilt=tilt), lesions, X_MM, Y_MM, BRUCH_MM)
    regions = np.stack([paint_regions(surfaces, lesions, i, DEPTH_MM) for i in range(len(X_MM))])
    labels = np.stack([tissue_labels(r, surfaces.ped_label[i]) for i, r in enumerate(regions)])
    return surfaces, regions, labels


def volume_mm3(labels: np.ndarray, name: str) -> float:
    return np.count_nonzero(labels == LABEL[name]) * STEP_MM**2 * DEPTH_STEP_MM


@pytest.mark.parametrize("kind", list(Deposit))
def test_labels_of_a_dome_hold_its_analytic_volume(kind):
    bump = Bump(kind, (0.0, 0.0), (0.8, 0.6), 0.2, 1.0, 0.0, FLAT)
    # Tilted, so that surfaces cross the voxels at all heights and rounding averages out.
    labels = paint(Lesions(bumps=(bump,)), tilt=(0.11, 0.07))[2]
    assert volume_mm3(labels, kind.value) == pytest.approx(np.pi * 0.8 * 0.6 * 0.2 / 2, rel=0.01)


def test_labels_of_a_cyst_hold_its_analytic_volume():
    cyst = Cyst((0.6, 0.0), 0.6, (0.2, 0.2, 0.04))
    labels = paint(Lesions(cysts=(cyst,)))[2]
    expected = 4 / 3 * np.pi * 0.2 * 0.2 * 0.04
    assert volume_mm3(labels, "intraretinal_fluid") == pytest.approx(expected, rel=0.05)


def test_cysts_stay_between_ganglion_cells_and_photoreceptors():
    cysts = tuple(Cyst((x, 0.0), level, (0.3, 0.3, 0.3)) for x in (-0.7, 0.7) for level in (0, 1))
    surfaces, _, labels = paint(Lesions(cysts=cysts))
    rows, columns = np.nonzero(labels[MIDDLE] == LABEL["intraretinal_fluid"])
    assert rows.size > 0
    assert (DEPTH_MM[rows] >= surfaces.top_mm("gcl")[MIDDLE, columns]).all()
    assert (DEPTH_MM[rows] < surfaces.top_mm("is")[MIDDLE, columns]).all()


def test_layers_follow_one_another_from_vitreous_to_choroid():
    column = paint(Lesions())[2][MIDDLE, :, 5]
    order = column[np.flatnonzero(np.diff(column, prepend=255))]
    names = ("vitreous_subhyaloid", "neurosensory_retina", "rpe", "choroid_outer")
    assert order.tolist() == [LABEL[name] for name in names]


def test_every_voxel_lies_on_the_right_side_of_bruchs_membrane():
    labels = paint(Lesions())[2]
    choroid = labels == LABEL["choroid_outer"]
    assert (choroid == (DEPTH_MM >= BRUCH_MM)[None, :, None]).all()


def test_exudate_is_retina_with_a_region_of_its_own():
    _, regions, labels = paint(Lesions(exudates=(Exudate((0.6, 0.0), 0.6, 0.05),)))
    assert (regions == EXUDATE).any()
    assert set(np.unique(labels[regions == EXUDATE])) == {LABEL["neurosensory_retina"]}


def test_full_hole_opens_the_fovea_down_to_the_epithelium():
    labels = paint(Lesions(hole=Hole(0.2, 0.3, 1.0, 0.1, FLAT)))[2]
    center = labels[MIDDLE, :, X_MM.shape[1] // 2]
    assert LABEL["neurosensory_retina"] not in center
    assert LABEL["rpe"] in center
    assert LABEL["neurosensory_retina"] in labels[MIDDLE, :, 0]


def test_partial_hole_leaves_outer_retina():
    labels = paint(Lesions(hole=Hole(0.2, 0.3, 0.5, 0.1, FLAT)))[2]
    center = labels[MIDDLE, :, X_MM.shape[1] // 2]
    whole = paint(Lesions())[2][MIDDLE, :, X_MM.shape[1] // 2]
    left = np.count_nonzero(center == LABEL["neurosensory_retina"])
    assert 0.3 < left / np.count_nonzero(whole == LABEL["neurosensory_retina"]) < 1.0


def test_hyaloid_and_membrane_get_their_labels_in_front_of_the_retina():
    lesions = Lesions(
        membrane=Membrane((0.0, 0.0), 1.0, 0.02, 0.01, FLAT, FLAT),
        hyaloid=Hyaloid(0.2, 0.012, FLAT, 0.0, 0.0, 0.4),
    )
    column = paint(lesions)[2][MIDDLE, :, X_MM.shape[1] // 2]
    order = column[np.flatnonzero(np.diff(column, prepend=255))][:5]
    names = ("vitreous_subhyaloid", "posterior_hyaloid", "vitreous_subhyaloid")
    names += ("epiretinal_membrane", "neurosensory_retina")
    assert order.tolist() == [LABEL[name] for name in names]


def test_every_region_but_the_ped_has_one_tissue():
    regions = np.arange(len(REGIONS) + 3, dtype=np.uint8)[:, None]
    labels = tissue_labels(regions, np.array([LABEL["serous_ped"]]))[:, 0]
    assert labels[REGIONS.index("ped")] == LABEL["serous_ped"]
    assert labels[-3:].tolist() == [LABEL["intraretinal_fluid"], LABEL["neurosensory_retina"], 1]
