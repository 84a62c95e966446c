"""Regions of a map, the map without one, and what its scores rest on."""

import numpy as np
import pytest
from example_bundle import example_bundle

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.errors import CancelledError, InputError
from RetinaTriageLib.explain.explanation import Explanation, RegionEffect, ranked_effects
from RetinaTriageLib.explain.occlusion import explain_map
from RetinaTriageLib.explain.regions import find_regions, whole_tissues, without_region
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.ensemble import judge_labels
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.volume import LabelArray, VoxelSpacing

SPACING = VoxelSpacing.from_um(120, 4, 12)
VITREOUS, RETINA, CYST, SUBRETINAL, RPE, DRUSEN, CHOROID = 0, 3, 4, 5, 7, 8, 11


def layered(bscans: int = 5) -> LabelArray:
    """Vitreous, retina, a thin epithelium and choroid."""
    tissue_map = np.full((bscans, 40, 32), CHOROID, np.uint8)
    tissue_map[:, :28] = RPE
    tissue_map[:, :26] = RETINA
    tissue_map[:, :8] = VITREOUS
    return tissue_map


def with_two_cysts() -> LabelArray:
    tissue_map = layered()
    tissue_map[1:4, 12:20, 4:12] = CYST  # 192 voxels
    tissue_map[2, 12:16, 20:25] = CYST  # 20 voxels
    return tissue_map


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return example_bundle(tmp_path_factory.mktemp("explain") / "bundle", classifiers=2)


def explained(bundle: Bundle, tissue_map: LabelArray, **options: int) -> Explanation:
    return explain_map(tissue_map, SPACING, bundle, compute=choose_compute("cpu"), **options)


def test_regions_come_largest_first():
    sizes = [one.region.voxels for one in find_regions(with_two_cysts())]
    assert sizes == [192, 20]


def test_region_knows_where_it_lies():
    region = find_regions(with_two_cysts())[0].region
    assert (region.first_bscan, region.last_bscan) == (1, 3)
    assert 12 <= region.depth < 20
    assert 4 <= region.width < 12


def test_middle_of_a_ring_lies_in_the_ring():
    tissue_map = layered()
    tissue_map[2, 10:22, 4:16] = CYST
    tissue_map[2, 13:19, 7:13] = RETINA
    region = find_regions(tissue_map)[0].region
    assert tissue_map[region.bscan, region.depth, region.width] == CYST


def test_layers_are_no_regions():
    assert find_regions(layered()) == ()


def test_single_voxels_are_no_regions():
    tissue_map = layered()
    tissue_map[2, 15, 15] = CYST
    assert find_regions(tissue_map) == ()


@pytest.mark.parametrize(
    ("label", "depths", "filler"),
    [
        (CYST, slice(12, 20), RETINA),
        (SUBRETINAL, slice(22, 26), RETINA),  # between retina and epithelium
        (DRUSEN, slice(28, 31), CHOROID),  # between epithelium and choroid
    ],
)
def test_removed_region_becomes_what_surrounds_it(label: int, depths: slice, filler: int):
    tissue_map = layered()
    tissue_map[1:4, depths, 8:20] = label
    changed = without_region(tissue_map, find_regions(tissue_map)[0])
    assert np.all(changed[1:4, depths, 8:20] == filler)


def test_all_regions_of_a_tissue_are_removed_together():
    tissue_map = with_two_cysts()
    (together,) = whole_tissues(find_regions(tissue_map))
    assert (together.region.voxels, together.region.parts) == (212, 2)
    assert np.array_equal(without_region(tissue_map, together), layered())


def test_single_region_is_not_listed_twice():
    tissue_map = layered()
    tissue_map[1:4, 12:20, 4:12] = CYST
    assert whole_tissues(find_regions(tissue_map)) == ()


def test_map_itself_is_left_alone():
    tissue_map = with_two_cysts()
    without_region(tissue_map, find_regions(tissue_map)[0])
    assert np.array_equal(tissue_map, with_two_cysts())


def test_scores_are_those_of_the_map_without_the_region(bundle: Bundle):
    tissue_map = with_two_cysts()
    explanation = explained(bundle, tissue_map)
    regions = find_regions(tissue_map)
    removed = (*regions, *whole_tissues(regions))
    for found, effect in zip(removed, explanation.effects, strict=True):
        changed = without_region(tissue_map, found)
        opinions = judge_labels(changed, SPACING, bundle, compute=choose_compute("cpu"))
        expected = np.mean([o.scores["conditions"] for o in opinions], axis=0)
        assert effect.scores["conditions"] == pytest.approx(expected, abs=1e-5)


def test_only_the_largest_regions_are_removed(bundle: Bundle):
    explanation = explained(bundle, with_two_cysts(), max_regions=1)
    assert [effect.region.voxels for effect in explanation.effects] == [192, 212]
    assert explanation.left_out == 1


def test_map_without_lesions_has_scores_alone(bundle: Bundle):
    explanation = explained(bundle, layered())
    assert explanation.effects == ()
    assert explanation.scores["referral"].sum() == pytest.approx(1)


def test_progress_counts_maps_and_can_stop(bundle: Bundle):
    told: list[Progress] = []

    def stop(progress: Progress) -> None:
        told.append(progress)
        raise CancelledError

    with pytest.raises(CancelledError):
        explain_map(
            with_two_cysts(), SPACING, bundle, compute=choose_compute("cpu"), on_progress=stop
        )
    assert told == [Progress("explain", 0, 4)]


def test_no_regions_asked_for_is_refused(bundle: Bundle):
    with pytest.raises(InputError, match="limit of 0"):
        explained(bundle, with_two_cysts(), max_regions=0)


def test_effects_are_ranked_by_the_change_of_one_score():
    first, second = (one.region for one in find_regions(with_two_cysts()))
    before, little, much = ({"referral": np.array([u, 1 - u, 0, 0])} for u in (0.9, 0.85, 0.4))
    explanation = Explanation(before, (RegionEffect(first, little), RegionEffect(second, much)))
    ranked = ranked_effects(explanation, REFERRAL, "urgent")
    assert [effect.region.voxels for effect, _ in ranked] == [20, 192]
    assert [change for _, change in ranked] == pytest.approx([-0.5, -0.05])
