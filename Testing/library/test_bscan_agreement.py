from dataclasses import replace

import numpy as np
from example_image_bundle import CLASSES, CNV, DRUSEN
from example_result import FAKE_SCORES, example_result

from RetinaTriageLib.bscan_agreement import (
    Comparison,
    compare_result,
    compare_verdicts,
    disagreement,
)
from RetinaTriageLib.bscan_verdict import BscanVerdict, ImageOrigin, ImageTask, volume_verdict
from RetinaTriageLib.image_classes import Head, Pooling
from RetinaTriageLib.result import TriageResult, Vocabulary

ORIGIN = ImageOrigin("example 1.0", "0" * 64, "Any.", "Nothing.", "0", "0", "CPU", 0.0)


def example() -> TriageResult:
    """Result whose tissue maps say urgent 0.58, drusen 0.88, no choroidal neovascularization."""
    result = example_result()
    scores = {name: np.array(values) for name, values in FAKE_SCORES.items()}
    decisions = {"referral": ("urgent",), "conditions": ("macular_retinal_edema", "drusen")}
    return replace(result, verdict=replace(result.verdict, scores=scores, decisions=decisions))


RESULT = example()


def bscan_verdict(*scores: float, head: Head = Head.SOFTMAX) -> BscanVerdict:
    task = ImageTask(CLASSES, head) if len(scores) == 3 else ImageTask((CNV, DRUSEN), head)
    rows = np.array([np.zeros(len(scores)), scores])
    return volume_verdict(task, rows, Pooling.MAXIMUM, ORIGIN)


def compared(verdict: BscanVerdict) -> dict[str, Comparison]:
    found = compare_result(replace(RESULT, bscan_verdict=verdict))
    return {each.question: each for each in found}


def test_other_referral_is_said_in_words() -> None:
    found = compared(bscan_verdict(0.1, 0.8, 0.1))["Referral urgency"]
    assert not found.agree
    assert found.sentence == (
        "Referral: the tissue maps say Urgent (0.58), the B-scan classifier says Routine (0.80)."
    )


def test_same_referral_agrees() -> None:
    assert compared(bscan_verdict(0.9, 0.1, 0.0))["Referral urgency"].agree


def test_softmax_class_is_compared_alone_as_it_excludes_the_others() -> None:
    found = compared(bscan_verdict(0.1, 0.8, 0.1))
    assert set(found) == {"Referral urgency", "Drusen"}
    assert found["Drusen"].agree


def test_finding_that_the_maps_lack_names_its_bscan() -> None:
    found = compared(bscan_verdict(0.9, 0.1, 0.0))["Choroidal neovascularization"]
    assert not found.agree
    assert found.sentence == (
        "Choroidal neovascularization: not found by the tissue maps (0.46), "
        "present by the B-scan classifier (0.90, most in B-scan 2)."
    )


def test_normal_bscans_disagree_with_every_condition_of_the_maps() -> None:
    task = ImageTask(CLASSES, Head.SOFTMAX)
    verdict = volume_verdict(task, [[0.0, 0.1, 0.9]] * 3, Pooling.MAXIMUM, ORIGIN)
    found = compared(verdict)
    assert not found["Drusen"].agree
    assert found["Choroidal neovascularization"].agree


def test_binary_heads_answer_every_condition() -> None:
    found = compared(bscan_verdict(0.2, 0.9, head=Head.BINARY))
    assert {"Drusen", "Choroidal neovascularization"} <= set(found)


def test_bundle_without_the_heads_has_no_question_in_common() -> None:
    vocabulary = Vocabulary(RESULT.vocabulary.tissues, RESULT.vocabulary.heads[2:])
    found = compare_verdicts(bscan_verdict(0.9, 0.1, 0.0), RESULT.verdict, vocabulary)
    assert found == ()
    assert disagreement(found) == "The two verdicts have no question in common."


def test_disagreement_lists_what_differs_alone() -> None:
    said = disagreement(tuple(compared(bscan_verdict(0.1, 0.8, 0.1)).values()))
    assert said.startswith("The two verdicts disagree. Referral:")
    assert "Drusen" not in said


def test_agreement_is_said_too() -> None:
    urgent_drusen = ImageTask((replace(DRUSEN, referral="urgent"),), Head.BINARY)
    verdict = volume_verdict(urgent_drusen, [[0.9]], Pooling.MEAN, ORIGIN)
    said = disagreement(tuple(compared(verdict).values()))
    assert said == "The two verdicts agree on referral urgency, drusen."
