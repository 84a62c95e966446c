from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from example_eye import SMALL

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.phantoms.description import describe_phantom
from RetinaTriageLib.phantoms.devices import SCANNERS, with_bscans, with_middle_bscan
from RetinaTriageLib.phantoms.eye import Disease, diseases_named, draw_diseases, draw_eye
from RetinaTriageLib.phantoms.phantom import Phantom, make_phantom
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import Laterality

LABEL = {name: tissue.label for name, tissue in TISSUE_BY_NAME.items()}

TISSUES_OF = {
    Disease.CNV: ("fibrovascular_ped", "serous_ped", "subretinal_hyperreflective_material"),
    Disease.EDEMA: ("intraretinal_fluid",),
    Disease.CENTRAL_SEROUS: ("subretinal_fluid",),
    Disease.TRACTION: ("posterior_hyaloid",),
    Disease.DRUSEN: ("drusenoid_ped",),
    Disease.MEMBRANE: ("epiretinal_membrane",),
}


def first_seed(wanted, diseases=(), seeds=range(200)) -> Phantom:
    """Labels of the first phantom with a property, the picture left out."""
    for seed in seeds:
        found = make_phantom(seed, SMALL, diseases=diseases, bscans=(3,), pictured=False)
        if wanted(found):
            return make_phantom(seed, SMALL, diseases=diseases)
    msg = "No such phantom."
    raise LookupError(msg)


def test_equal_seeds_give_equal_phantoms():
    first, second = make_phantom(5, SMALL), make_phantom(5, SMALL)
    assert np.array_equal(first.volume.voxels, second.volume.voxels)
    assert np.array_equal(first.tissue_map, second.tissue_map)
    assert first.truth == second.truth
    assert not np.array_equal(first.volume.voxels, make_phantom(6, SMALL).volume.voxels)


def test_part_of_a_raster_has_the_labels_of_the_whole():
    for seed in range(3):
        whole = make_phantom(seed, SMALL, pictured=False)
        part = make_phantom(seed, SMALL, bscans=(1, 4), pictured=False)
        assert np.array_equal(part.tissue_map, whole.tissue_map[[1, 4]])
        assert part.truth == whole.truth


def test_right_eye_is_the_mirrored_left_eye(monkeypatch):
    from RetinaTriageLib.phantoms import phantom

    drawn = phantom._draw_placement

    def placed(laterality, rng, device):
        centered = replace(drawn(rng, device), fovea_mm=(0.0, 0.0), wedge=None)
        return replace(centered, laterality=laterality)

    eyes = []
    for laterality in Laterality:
        monkeypatch.setattr(
            phantom, "_draw_placement", lambda rng, device, eye=laterality: placed(eye, rng, device)
        )
        eyes.append(make_phantom(4, SMALL, pictured=False))
    assert np.array_equal(eyes[0].tissue_map, eyes[1].tissue_map[:, :, ::-1])
    assert [eye.volume.nasal_sign for eye in eyes] == [1, -1]


@pytest.mark.parametrize("disease", TISSUES_OF, ids=lambda disease: disease.value)
def test_disease_leaves_its_tissue(disease):
    for seed in range(3):
        labels = make_phantom(seed, SMALL, diseases=(disease,), pictured=False).tissue_map
        present = np.isin([LABEL[name] for name in TISSUES_OF[disease]], labels)
        hidden = np.isin([LABEL["blink_artifact"], LABEL["mirror_artifact"]], labels)
        assert present.any() or hidden.any()


def test_healthy_eye_has_no_lesion():
    lesions = {LABEL[name] for names in TISSUES_OF.values() for name in names}
    for seed in range(3):
        found = make_phantom(seed, SMALL, diseases=(), pictured=False)
        assert not (lesions - {LABEL["posterior_hyaloid"]}) & set(np.unique(found.tissue_map))
        assert found.truth.conditions == ("normal",)


def test_atrophy_takes_the_epithelium_away():
    healthy, wasted = (
        sum(
            np.count_nonzero(
                make_phantom(seed, SMALL, diseases=diseases, pictured=False).tissue_map
                == LABEL["rpe"]
            )
            for seed in range(3)
        )
        for diseases in ((), (Disease.ATROPHY,))
    )
    assert wasted < 0.97 * healthy


def test_wedge_is_one_gray_and_labeled():
    def wedged(found):
        return np.count_nonzero(found.tissue_map == LABEL["clipping_artifact"]) > 100

    found = first_seed(wedged)
    border = found.tissue_map == LABEL["clipping_artifact"]
    assert set(np.unique(found.volume.voxels[border])) == {found.placement.wedge_gray}


def test_blink_is_dark_and_labeled():
    found = first_seed(lambda phantom: bool(phantom.placement.blinks & set(range(7))))
    for bscan in range(7):
        labels = set(np.unique(found.tissue_map[bscan]))
        if bscan in found.placement.blinks:
            assert labels <= {LABEL["blink_artifact"], LABEL["clipping_artifact"]}
            assert np.percentile(found.volume.voxels[bscan], 50) <= 15
        else:
            assert LABEL["blink_artifact"] not in labels


def test_mirror_image_is_labeled_at_the_top_and_brighter_than_vitreous():
    def folded(found):
        mirrored = np.count_nonzero(found.tissue_map == LABEL["mirror_artifact"]) > 300
        return mirrored and found.placement.wedge is None and not found.placement.blinks

    found = first_seed(folded)
    mirror = found.tissue_map == LABEL["mirror_artifact"]
    assert not mirror[:, 248 // 3 :].any()
    assert mirror[:, 0].any()
    vitreous = found.tissue_map == LABEL["vitreous_subhyaloid"]
    if vitreous.any():
        assert found.volume.voxels[mirror].mean() > found.volume.voxels[vitreous].mean()


def test_unpictured_phantom_is_a_gray_ramp_with_the_same_labels():
    plain, shown = make_phantom(2, SMALL, pictured=False), make_phantom(2, SMALL)
    assert np.array_equal(plain.tissue_map, shown.tissue_map)
    assert plain.volume.voxels[0].std(axis=1).max() == 0 or plain.placement.wedge is not None


def test_volume_has_the_facts_of_its_scanner():
    volume = make_phantom(1, SMALL, pictured=False).volume
    assert (volume.shape, volume.spacing, volume.device) == (
        SMALL.shape,
        SMALL.spacing,
        SMALL.family,
    )
    assert volume.sources["spacing"] == "phantom"


def test_every_disease_and_none_are_drawn():
    drawn = [draw_diseases(np.random.default_rng(seed)) for seed in range(300)]
    assert {disease for diseases in drawn for disease in diseases} == set(Disease)
    assert 0.1 < sum(not diseases for diseases in drawn) / 300 < 0.27
    assert all(len(set(diseases)) == len(diseases) for diseases in drawn)


def test_every_disease_has_lesions():
    for disease in Disease:
        lesions = draw_eye(np.random.default_rng(0), (disease,)).lesions
        parts = (lesions.bumps, lesions.cysts, lesions.membrane, lesions.hyaloid)
        assert any((*parts, lesions.hole, lesions.atrophies)), disease


def test_description_is_json_and_names_seed_and_truth():
    found = make_phantom(1, SMALL, diseases=(Disease.EDEMA,), pictured=False)
    facts = describe_phantom(found, 1, SMALL)
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert (facts["seed"], facts["conditions"]) == (1, ["macular_retinal_edema"])
    cysts = facts["parameters"]["lesions"]["cysts"]
    assert len(cysts) == len(found.eye.lesions.cysts)


def test_names_become_diseases():
    assert diseases_named(["drusen", "cnv", "drusen"]) == (Disease.DRUSEN, Disease.CNV)
    assert (diseases_named(None), diseases_named([])) == (None, ())


def test_other_number_of_bscans_covers_the_same_field():
    assert with_bscans(SCANNERS["spectralis"], 25).spacing.bscan_mm == pytest.approx(0.244)
    with pytest.raises(InputError, match="at least 2"):
        with_bscans(SMALL, 1)


def test_line_scan_is_the_middle_of_the_raster_and_knows_no_neighbors():
    raster = with_bscans(SMALL, 5)
    line = make_phantom(1, with_middle_bscan(raster), diseases=(Disease.DRUSEN,), pictured=False)
    whole = make_phantom(1, raster, diseases=(Disease.DRUSEN,), pictured=False)
    np.testing.assert_array_equal(line.tissue_map[0], whole.tissue_map[2])
    assert line.truth == whole.truth
    assert line.volume.require_spacing().bscan_mm is None
