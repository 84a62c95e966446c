from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from example_bands import ILM, OUTER, SPACING, banded_bscans, banded_codes

from RetinaTriageLib.measures.surfaces import retina_borders
from RetinaTriageLib.networks.lesion_features import (
    Features,
    lesion_feature_names,
    lesion_features,
)
from RetinaTriageLib.networks.lesion_view import UNKNOWN, VoxelSize, gray_scan
from RetinaTriageLib.networks.lesions import LESION_LABELS, find_lesions
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import LabelArray

SIZE = VoxelSize(0.12, SPACING.depth_mm, SPACING.width_mm)
UM = SPACING.depth_mm * 1000
DRUSEN, CYST, SHRM, BLINK = (
    TISSUE_BY_NAME[name].label
    for name in (
        "drusenoid_ped",
        "intraretinal_fluid",
        "subretinal_hyperreflective_material",
        "blink_artifact",
    )
)


def eye_with_druse(bscans: int = 3) -> LabelArray:
    """Bands with a druse of 10 x 20 voxels on all B-scans but the first, below a lifted RPE."""
    tissue_map = banded_codes(bscans)
    tissue_map[1:, OUTER - 14 : OUTER - 10, 30:50] = 7
    tissue_map[1:, OUTER - 10 : OUTER, 30:50] = DRUSEN
    return tissue_map


def measured(
    tissue_map: LabelArray, gray: LabelArray | None = None, size: VoxelSize = SIZE
) -> dict[str, np.ndarray]:
    values = features(tissue_map, gray, size)
    return dict(zip(lesion_feature_names(), values.T, strict=True))


def features(
    tissue_map: LabelArray, gray: LabelArray | None = None, size: VoxelSize = SIZE
) -> Features:
    raw = banded_bscans(len(tissue_map)) if gray is None else gray
    borders, lesions = retina_borders(tissue_map), find_lesions(tissue_map)
    return lesion_features(tissue_map, borders, gray_scan(raw, size), size, lesions)


def test_lesions_of_different_tissues_are_different_where_they_touch() -> None:
    tissue_map = eye_with_druse()
    tissue_map[2, OUTER - 10 : OUTER, 40:50] = SHRM
    found = find_lesions(tissue_map)
    assert found.label.tolist() == [SHRM, DRUSEN]
    assert found.sizes.tolist() == [100, 300]
    assert (tissue_map.ravel()[found.voxel] == found.label[found.of]).all()


def test_lesion_goes_on_across_bscans() -> None:
    assert find_lesions(eye_with_druse()).sizes.tolist() == [400]


def test_map_without_lesions_has_none() -> None:
    healthy = banded_codes()
    healthy[:, :, 20:40] = BLINK  # nothing was seen there
    assert len(find_lesions(healthy)) == 0
    assert features(healthy).shape == (0, len(lesion_feature_names()))


def test_renaming_leaves_the_map_that_was_given() -> None:
    tissue_map = eye_with_druse()
    before = tissue_map.copy()
    renamed = find_lesions(tissue_map).renamed(tissue_map, np.array([CYST], np.uint8))
    np.testing.assert_array_equal(tissue_map, before)
    assert (renamed[before == DRUSEN] == CYST).all()
    assert (renamed[before != DRUSEN] == before[before != DRUSEN]).all()


def test_druse_has_the_size_and_place_that_it_was_drawn_with() -> None:
    druse = measured(eye_with_druse())
    assert druse["is drusenoid_ped"] == 1
    assert druse["is serous_ped"] == 0
    assert druse["reach across B-scans"] == pytest.approx(0.12)
    assert druse["width"] == pytest.approx(20 * SIZE.width_mm)
    assert druse["height"] == pytest.approx(10 * UM)
    assert druse["thickness"] == druse["thickest"] == druse["height"]
    assert druse["cross-section"] == pytest.approx(np.log(10 * UM * 20 * SIZE.width_mm))
    assert druse["bottom over Bruch"] == pytest.approx(0.5 * UM)
    assert druse["top under ILM"] == pytest.approx((OUTER - 10 - ILM + 0.5) * UM)
    assert druse["retina here"] == pytest.approx((OUTER - ILM) * UM)
    assert druse["from the side"] == pytest.approx(30 * SIZE.width_mm)


def test_druse_lies_below_the_pigment_epithelium() -> None:
    druse = measured(eye_with_druse())
    assert druse["share below RPE"] == druse["RPE there"] == 1
    assert druse["RPE thickness, more"] == 0
    assert druse["below RPE"] == pytest.approx((5.5 + 1.5) * UM)


def test_neighbors_are_what_the_map_has_around() -> None:
    druse = measured(eye_with_druse())
    assert druse["above 7"] == 1  # the lifted epithelium
    assert druse["below 11"] == 1  # the choroid
    assert druse["beside 3"] == pytest.approx(0.6)  # retina, above the 4 rows of epithelium
    assert druse["beside 7"] == pytest.approx(0.4)
    assert druse["across 8"] == pytest.approx(2 / 3)  # all neighbors but the first B-scan


def test_gray_is_that_of_the_picture() -> None:
    tissue_map = eye_with_druse()
    gray = np.where(tissue_map == DRUSEN, 90, 10).astype(np.uint8)
    gray[tissue_map == 11] = 40
    druse = measured(tissue_map, gray)
    assert druse["gray"] == 90
    assert druse["gray deviation"] == 0
    assert druse["gray above"] == druse["gray beside"] == 10
    assert druse["gray below"] == druse["gray behind Bruch"] == 40
    assert druse["gray less choroid_outer"] == 50


def test_mirrored_eye_measures_the_same() -> None:
    tissue_map, gray = eye_with_druse(), banded_bscans(3)
    tissue_map[0, ILM + 20 : ILM + 30, 60:70] = SHRM
    there = features(tissue_map, gray)
    mirrored = features(tissue_map[:, :, ::-1].copy(), gray[:, :, ::-1].copy())
    np.testing.assert_allclose(mirrored, there, rtol=1e-5, atol=1e-4)


def test_lesion_at_every_border_of_a_line_scan_is_measured() -> None:
    filled = np.full((1, 12, 9), DRUSEN, np.uint8)
    line = measured(filled, filled, replace(SIZE, bscan_mm=0.0))
    assert all(np.isfinite(values).all() for values in line.values())
    assert line["reach across B-scans"] == 0
    assert line["retina here"] == line["RPE gray, more"] == line["gray beside"] == UNKNOWN


def test_every_lesion_tissue_is_one_that_can_be_asked_for() -> None:
    names = lesion_feature_names()
    assert len(set(names)) == len(names)
    assert [name.removeprefix("is ") for name in names[: len(LESION_LABELS)]] == [
        next(t.name for t in TISSUE_BY_NAME.values() if t.label == label) for label in LESION_LABELS
    ]
