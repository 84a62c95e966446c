from dataclasses import replace

import numpy as np
import pytest
from example_image_bundle import CLASSES, CNV, DRUSEN, NORMAL

from RetinaTriageLib.bscan_verdict import (
    ImageOrigin,
    ImageTask,
    answer,
    pooled_again,
    volume_verdict,
)
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Head, Pooling, with_referrals

ORIGIN = ImageOrigin("example 1.0", "0" * 64, "Any.", "Nothing.", "0", "0", "CPU", 0.0)
SOFTMAX = ImageTask(CLASSES, Head.SOFTMAX)
BINARY = ImageTask((CNV, DRUSEN), Head.BINARY, otherwise="observation")

# CNV, drusen, normal of three B-scans: one shows CNV, the others are normal.
SCORES = [[0.1, 0.1, 0.8], [0.9, 0.05, 0.05], [0.0, 0.1, 0.9]]


def test_maximum_takes_the_bscan_that_shows_a_finding_most() -> None:
    verdict = volume_verdict(SOFTMAX, SCORES, Pooling.MAXIMUM, ORIGIN)
    assert verdict.scores.tolist() == [0.9, 0.1, 0.05]
    assert verdict.answer.classes == ("CNV",)
    assert verdict.strongest_bscan("CNV") == 1


def test_normal_eye_is_normal_only_if_every_bscan_is() -> None:
    normal = [[0.1, 0.1, 0.8], [0.2, 0.1, 0.7]]
    verdict = volume_verdict(SOFTMAX, normal, Pooling.MAXIMUM, ORIGIN)
    assert verdict.scores[2] == 0.7
    assert verdict.answer.referral == "observation"


def test_mean_of_bscans_adds_up_to_one_and_differs_from_the_maximum() -> None:
    verdict = volume_verdict(SOFTMAX, SCORES, Pooling.MEAN, ORIGIN)
    assert verdict.scores.sum() == pytest.approx(1)
    assert verdict.answer.classes == ("NORMAL",)


def test_trained_attention_weights_bscans() -> None:
    verdict = volume_verdict(SOFTMAX, SCORES, Pooling.ATTENTION, ORIGIN, [0.0, 1.0, 0.0])
    assert verdict.scores.tolist() == SCORES[1]
    assert verdict.pooled_by.startswith("Trained attention")


def test_weights_without_trained_attention_say_what_they_are() -> None:
    verdict = volume_verdict(SOFTMAX, SCORES, Pooling.ATTENTION, ORIGIN)
    assert verdict.weights is not None
    assert verdict.weights.sum() == pytest.approx(1)
    assert verdict.weights.argmax() == 1
    assert "no trained attention" in verdict.pooled_by


def test_verdict_is_pooled_again_without_judging_again() -> None:
    first = volume_verdict(SOFTMAX, SCORES, Pooling.MAXIMUM, ORIGIN, [0.0, 1.0, 0.0])
    again = pooled_again(first, SOFTMAX, Pooling.ATTENTION)
    assert again.scores.tolist() == SCORES[1]
    assert pooled_again(again, SOFTMAX, Pooling.MAXIMUM).scores.tolist() == first.scores.tolist()


@pytest.mark.parametrize("pooling", list(Pooling))
def test_one_bscan_is_its_own_volume(pooling: Pooling) -> None:
    verdict = volume_verdict(SOFTMAX, SCORES[:1], pooling, ORIGIN)
    assert verdict.scores.tolist() == SCORES[0]


def test_classes_of_one_referral_add_up_under_softmax() -> None:
    task = replace(SOFTMAX, classes=with_referrals(CLASSES, {"DRUSEN": "urgent"}))
    verdict = volume_verdict(task, [[0.3, 0.3, 0.4]], Pooling.MEAN, ORIGIN)
    assert verdict.referrals["urgent"] == pytest.approx(0.6)
    assert verdict.answer.classes == ("NORMAL",)
    assert verdict.answer.referral == "urgent"


def test_referrals_are_listed_most_urgent_first() -> None:
    verdict = volume_verdict(SOFTMAX, SCORES, Pooling.MAXIMUM, ORIGIN)
    assert list(verdict.referrals) == ["urgent", "routine", "observation"]


def test_binary_heads_take_the_most_urgent_present_class() -> None:
    assert answer(BINARY, [0.6, 0.9]).referral == "urgent"
    assert answer(BINARY, [0.6, 0.9]).classes == ("CNV", "DRUSEN")
    assert answer(BINARY, [0.4, 0.9]).referral == "routine"


def test_binary_heads_without_a_present_class_say_what_the_bundle_says() -> None:
    assert answer(BINARY, [0.1, 0.2]).referral == "observation"
    assert answer(replace(BINARY, otherwise=None), [0.1, 0.2]).referral is None


def test_absence_gives_way_to_a_finding_of_binary_heads() -> None:
    assert answer(ImageTask((CNV, NORMAL), Head.BINARY), [0.7, 0.9]).classes == ("CNV",)


def test_class_without_referral_leads_to_none() -> None:
    task = ImageTask((replace(CNV, referral=None), NORMAL), Head.SOFTMAX)
    assert answer(task, [0.8, 0.2]).referral is None
    assert answer(task, [0.2, 0.8]).referral == "observation"


@pytest.mark.parametrize("scores", [np.zeros((0, 3)), np.zeros((2, 2)), np.zeros(3)])
def test_scores_of_another_shape_are_refused(scores: np.ndarray) -> None:
    with pytest.raises(InputError, match="CNV, DRUSEN, NORMAL"):
        volume_verdict(SOFTMAX, scores, Pooling.MEAN, ORIGIN)


def test_unknown_words_of_a_referral_map_are_refused() -> None:
    with pytest.raises(InputError, match="expected one of CNV"):
        with_referrals(CLASSES, {"AMD": "urgent"})
    with pytest.raises(InputError, match="semi_urgent"):
        with_referrals(CLASSES, {"CNV": "soon"})
