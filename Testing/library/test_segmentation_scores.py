from __future__ import annotations

import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.segmentation_scores import (
    SCORED_GROUPS,
    Overlap,
    confusion_counts,
    mean_dice,
    overlap,
    pixel_accuracy,
    tissue_overlaps,
)
from RetinaTriageLib.labels.label_sets import NOT_FLUID, SOME_FLUID, UNKNOWN

RETINA, IRF, SRF, CHOROID = 3, 4, 5, 11


def column(*labels: int) -> np.ndarray:
    """One B-scan of one A-scan."""
    return np.array(labels, np.uint8)[None, :, None]


def named(truth: np.ndarray, predicted: np.ndarray) -> dict[str, Overlap]:
    return {o.name: o for o in tissue_overlaps(confusion_counts(truth, predicted))}


def test_dice_and_iou_of_a_worked_example() -> None:
    found = named(column(3, 3, 3, 3, 11), column(3, 3, 3, 11, 11))["neurosensory_retina"]
    assert (found.hits, found.misses, found.false_alarms) == (3, 1, 0)
    assert found.dice == pytest.approx(6 / 7)
    assert found.iou == pytest.approx(3 / 4)
    assert found.volume_error_percent == -25


def test_dice_of_two_empty_masks_is_nan() -> None:
    found = named(column(3, 3), column(3, 3))["subretinal_fluid"]
    assert np.isnan([found.dice, found.iou, found.volume_error_percent]).all()


def test_tissue_found_where_there_is_none_has_dice_zero() -> None:
    assert named(column(3, 3), column(3, 5))["subretinal_fluid"].dice == 0


def test_fluid_label_counts_either_fluid_as_right() -> None:
    truth, predicted = column(*[SOME_FLUID] * 3, *[NOT_FLUID] * 2), column(IRF, SRF, 3, IRF, 3)
    fluid = named(truth, predicted)["fluid"]
    assert (fluid.hits, fluid.misses, fluid.false_alarms, fluid.open) == (2, 1, 1, 0)


def test_fluid_label_leaves_its_kind_open() -> None:
    found = named(column(SOME_FLUID, NOT_FLUID), column(IRF, 3))["intraretinal_fluid"]
    assert found.open == 1
    assert not found.known
    assert np.isnan([found.dice, found.volume_error_percent]).all()


def test_label_not_fluid_says_nothing_of_other_tissues() -> None:
    found = named(column(NOT_FLUID, NOT_FLUID), column(RETINA, CHOROID))
    assert found["neurosensory_retina"].open == 2
    assert found["fluid"].open == 0


def test_unknown_voxels_count_nowhere() -> None:
    counts = confusion_counts(column(UNKNOWN, 3), column(11, 3))
    assert pixel_accuracy(counts) == 1
    assert overlap(counts, "choroid", (CHOROID,)).false_alarms == 0


def test_pooled_counts_weigh_cases_by_their_voxels() -> None:
    large = confusion_counts(column(3, 3, 3, 3), column(3, 3, 3, 3))
    small = confusion_counts(column(3, 11), column(11, 11))
    pooled = overlap(large + small, "retina", (RETINA,))
    assert pooled.dice == pytest.approx(8 / 9)
    assert pixel_accuracy(large + small) == pytest.approx(5 / 6)


def test_mean_dice_is_over_tissues_in_the_truth() -> None:
    overlaps = tissue_overlaps(confusion_counts(column(3, 3, 4, 4), column(3, 3, 3, 5)))
    assert mean_dice(overlaps) == pytest.approx((4 / 5 + 0) / 2)


def test_all_tissues_and_two_groups_are_scored() -> None:
    assert len(SCORED_GROUPS) == 17
    assert SCORED_GROUPS["fluid"] == (4, 5)


def test_maps_of_different_scans_are_refused() -> None:
    with pytest.raises(InputError, match="of one shape"):
        confusion_counts(column(3, 3), column(3))


def test_unknown_tissue_in_the_prediction_is_refused() -> None:
    with pytest.raises(InputError, match="Found label 15"):
        confusion_counts(column(3), column(15))
