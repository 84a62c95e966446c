"""Occlusion test of pictures: what a box takes away, where, and how many boxes it takes."""

import numpy as np
import pytest

from RetinaTriageLib.errors import CancelledError, InputError
from RetinaTriageLib.explain.coarse_to_fine import coarsest_step
from RetinaTriageLib.explain.hidden_box import hide
from RetinaTriageLib.explain.occlusion_map import (
    FloatArray,
    OcclusionBox,
    OcclusionMap,
    OcclusionMode,
)
from RetinaTriageLib.explain.picture_occlusion import (
    Judge,
    OcclusionPlan,
    occlusion_test,
    region_of_interest,
)
from RetinaTriageLib.progress import Progress

SHAPE = (96, 128)
EXHAUSTIVE = OcclusionPlan(OcclusionMode.EXHAUSTIVE, batch=512)


def picture() -> FloatArray:
    """Gray noise with a bright lesion of 16 x 24 pixels."""
    image = np.random.default_rng(4).uniform(0.1, 0.3, SHAPE).astype(np.float32)
    image[40:56, 70:94] = 0.9
    return image


def judge_of(weights: FloatArray) -> Judge:
    """Two classes; the second is as likely as the weighted picture is bright."""

    def judge(images: FloatArray) -> FloatArray:
        bright = 1 / (1 + np.exp(-6 * (np.tensordot(images, weights, 2) - 0.5)))
        return np.stack([1 - bright, bright], axis=1)

    return judge


def lesion_judge() -> Judge:
    weights = np.zeros(SHAPE, np.float32)
    weights[40:56, 70:94] = 1 / (16 * 24)
    return judge_of(weights)


def overlap(first: OcclusionMap, second: OcclusionMap) -> float:
    return float((first.region & second.region).sum() / (first.region | second.region).sum())


def test_drop_is_that_of_the_picture_with_the_box():
    image, judge = picture(), lesion_judge()
    found = occlusion_test(image, judge, 1, EXHAUSTIVE)
    boxed = image.copy()
    boxed[30:50, 60:80] = 0
    drop = judge(image[None])[0, 1] - judge(boxed[None])[0, 1]
    assert found.drop[40, 70] == pytest.approx(drop, abs=1e-5)
    assert found.judged == image.size


def test_box_hangs_over_at_the_border():
    assert OcclusionBox(20, 20).around(0, 5) == (slice(0, 10), slice(0, 15))


def test_largest_drop_lies_on_the_lesion():
    found = occlusion_test(picture(), lesion_judge(), 1)
    depth, width = found.place
    assert 40 <= depth < 56
    assert 70 <= width < 94
    assert found.extent is not None
    assert found.region[found.place]


def test_fast_mode_finds_the_region_of_the_exhaustive_one():
    image, judge = picture(), lesion_judge()
    slow, fast = occlusion_test(image, judge, 1, EXHAUSTIVE), occlusion_test(image, judge, 1)
    assert overlap(slow, fast) > 0.9
    assert fast.largest == pytest.approx(slow.largest, rel=0.02)
    assert fast.judged <= image.size / 64


def test_lesion_at_the_border_is_found():
    image = picture()
    weights = np.zeros(SHAPE, np.float32)
    weights[:8, 120:], image[:8, 120:] = 1 / 64, 0.9
    slow = occlusion_test(image, judge_of(weights), 1, EXHAUSTIVE)
    fast = occlusion_test(image, judge_of(weights), 1)
    assert overlap(slow, fast) > 0.8


def test_boxes_that_change_nothing_are_not_judged():
    image = np.zeros(SHAPE, np.float32)
    image[40:56, 70:94] = 0.9
    found = occlusion_test(image, lesion_judge(), 1)
    assert found.drop[5, 5] == 0
    assert found.judged < occlusion_test(picture(), lesion_judge(), 1).judged


def test_box_filled_from_its_sides_takes_a_dark_lesion_away_and_leaves_layers_whole():
    layers = np.linspace(0.4, 0.9, SHAPE[0], dtype=np.float32)
    image = np.tile(layers[:, np.newaxis], (1, SHAPE[1]))
    image[40:56, 70:86] = 0
    weights = np.zeros(SHAPE, np.float32)
    weights[40:56, 70:86] = 1.5 / 16**2
    judge = judge_of(weights)
    found = occlusion_test(image, judge, 0, OcclusionPlan(box=OcclusionBox(20, 20, None)))
    assert 40 <= found.place[0] < 56
    assert 70 <= found.place[1] < 86
    assert found.largest > 0.5
    assert np.all(found.drop[:, :40] == 0)
    assert occlusion_test(image, judge, 0).largest < 1e-4  # black on black


@pytest.mark.parametrize("width", [0, 3, 120, 127])
def test_box_filled_from_its_sides_needs_one_side_alone(width: int):
    image = np.tile(np.linspace(0, 1, SHAPE[0], dtype=np.float32)[:, np.newaxis], (1, SHAPE[1]))
    boxed = image.copy()
    hide(boxed, OcclusionBox(20, 20, None), 50, width)
    np.testing.assert_allclose(boxed, image, atol=1e-6)


def test_only_places_asked_for_are_judged():
    where = np.zeros(SHAPE, np.bool_)
    where[:30] = True
    found = occlusion_test(picture(), lesion_judge(), 1, where=where)
    assert np.all(found.drop[30:] == 0)


def test_coarse_plan_ends_early():
    coarse = occlusion_test(picture(), lesion_judge(), 1, OcclusionPlan(finest=8))
    assert coarse.judged < occlusion_test(picture(), lesion_judge(), 1).judged
    assert 30 < coarse.place[0] < 66


def test_class_that_nothing_speaks_for_has_no_region():
    found = occlusion_test(picture(), lesion_judge(), 0)
    assert found.largest < 1e-4
    assert found.extent is None


def test_region_is_connected_to_the_largest_drop():
    drop = np.zeros((9, 9), np.float32)
    drop[1:3, 1:3], drop[2, 2], drop[6:, 6:] = 0.6, 1.0, 0.9
    region = region_of_interest(drop, 0.5)
    assert region.sum() == 4
    assert region[2, 2]


@pytest.mark.parametrize("mode", list(OcclusionMode))
def test_progress_counts_to_its_end_and_can_stop(mode: OcclusionMode):
    told: list[Progress] = []
    occlusion_test(
        picture()[:40],
        judge_of(np.ones((40, 128), np.float32)),
        1,
        OcclusionPlan(mode, batch=512),
        on_progress=told.append,
    )
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert told[-1].done == told[-1].total

    def stop(_progress: Progress) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        occlusion_test(picture(), lesion_judge(), 1, OcclusionPlan(mode), on_progress=stop)


def test_step_leaves_no_gap_between_boxes():
    assert [coarsest_step(OcclusionBox(size, 20)) for size in (20, 16, 15, 1)] == [16, 16, 8, 1]


@pytest.mark.parametrize(
    ("image", "match"),
    [
        (np.zeros((3, 4, 5), np.float32), "expected one picture"),
        (np.zeros((4, 5), np.uint8), "expected one picture"),
        (np.full((4, 5), 200.0, np.float32), "gray values 200"),
        (np.full((4, 5), np.nan, np.float32), "gray values nan"),
    ],
)
def test_what_is_no_picture_is_refused(image: FloatArray, match: str):
    with pytest.raises(InputError, match=match):
        occlusion_test(image, lesion_judge(), 0)


def test_class_that_the_judge_lacks_is_refused():
    with pytest.raises(InputError, match="with a class 2"):
        occlusion_test(picture(), lesion_judge(), 2)
