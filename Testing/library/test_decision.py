from dataclasses import replace

import numpy as np
import pytest

from RetinaTriageLib.calibration import Calibration
from RetinaTriageLib.decision import decide, decided_outcomes
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.hypotheses import Hypothesis, Opinion
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import CONDITIONS, Outcome, OutcomeHead
from RetinaTriageLib.result import Vocabulary
from RetinaTriageLib.tissues import TISSUES

URGENCY = OutcomeHead(
    "urgency", "", (Outcome("now", "", ""), Outcome("later", "", "")), exclusive=True
)
SIGNS = OutcomeHead(
    "signs", "", (Outcome("cyst", "", ""), Outcome("hole", "", "")), exclusive=False
)
VOCABULARY = Vocabulary(TISSUES, (URGENCY, SIGNS))
CALIBRATION = Calibration(
    {"balanced": {"urgency": {"now": 3.0, "later": 1.0}, "signs": {"cyst": 0.8, "hole": 0.5}}},
    "paper",
)


def opinion(now: float, cyst: float) -> Opinion:
    return Opinion("c", {"urgency": np.array([now, 1 - now]), "signs": np.array([cyst, 0.1])})


def example_hypotheses() -> list[Hypothesis]:
    """Two maps with two opinions each; means: now .3, cyst .3, hole .1."""
    pairs = ((opinion(0.1, 0.2), opinion(0.3, 0.4)), (opinion(0.4, 0.1), opinion(0.4, 0.5)))
    return [Hypothesis("s", np.zeros((1, 16, 16), np.uint8), opinions) for opinions in pairs]


def test_raw_scores_are_means_over_all_opinions():
    verdict = decide(example_hypotheses(), VOCABULARY)
    np.testing.assert_allclose(verdict.raw["urgency"], [0.3, 0.7])
    np.testing.assert_allclose(verdict.raw["signs"], [0.3, 0.1])


def test_scores_are_the_reweighted_means():
    verdict = decide(example_hypotheses(), VOCABULARY, CALIBRATION)
    # 3 * .3 / (3 * .3 + .7), and .8 * .3 / (.8 * .3 + .2 * .7)
    np.testing.assert_allclose(verdict.scores["urgency"], [0.9 / 1.6, 0.7 / 1.6])
    np.testing.assert_allclose(verdict.scores["signs"], [0.24 / 0.38, 0.1])


def test_reweighting_changes_the_decision():
    raw = decide(example_hypotheses(), VOCABULARY)
    weighted = decide(example_hypotheses(), VOCABULARY, CALIBRATION)
    assert raw.decisions == {"urgency": ("later",), "signs": ()}
    assert weighted.decisions == {"urgency": ("now",), "signs": ("cyst",)}


def test_spread_covers_the_reweighted_opinions():
    verdict = decide(example_hypotheses(), VOCABULARY, CALIBRATION)
    cyst = verdict.spreads["signs"][0]
    # Opinions .1 .2 .4 .5 with a = .8: q' = .8 q / (.2 + .6 q)
    assert cyst.low == pytest.approx(0.08 / 0.26)
    assert cyst.high == pytest.approx(0.4 / 0.5)
    assert cyst.mean == pytest.approx((0.08 / 0.26 + 0.16 / 0.32 + 0.32 / 0.44 + 0.8) / 4)


@pytest.mark.parametrize("seed", range(3))
def test_score_lies_within_its_spread(seed):
    rng = np.random.default_rng(seed)
    maps = [
        Hypothesis("s", np.zeros((1, 16, 16), np.uint8), (opinion(*rng.random(2)),))
        for _ in range(5)
    ]
    verdict = decide(maps, VOCABULARY, CALIBRATION)
    for head, scores in verdict.scores.items():
        low, high = np.array([(s.low, s.high) for s in verdict.spreads[head]]).T
        assert (low <= scores + 1e-12).all()
        assert (scores <= high + 1e-12).all()


def test_verdict_without_calibration_says_so():
    verdict = decide(example_hypotheses(), VOCABULARY)
    assert verdict.calibration == "uncalibrated"
    np.testing.assert_array_equal(verdict.scores["signs"], verdict.raw["signs"])


def test_verdict_names_operating_point_and_cases():
    point = OperatingPoint.HIGH_SENSITIVITY
    factors = {point.value: CALIBRATION.factors["balanced"]}
    verdict = decide(example_hypotheses(), VOCABULARY, Calibration(factors, "paper"), point)
    assert (verdict.operating_point, verdict.calibration) == ("high-sensitivity", "fitted on paper")


@pytest.mark.parametrize(
    ("normal", "drusen", "decided"),
    [(0.9, 0.1, ("normal",)), (0.9, 0.5, ("drusen",)), (0.4, 0.49, ())],
)
def test_normal_gives_way_to_any_condition(normal, drusen, decided):
    scores = np.zeros(len(CONDITIONS.outcomes))
    scores[CONDITIONS.names.index("normal")] = normal
    scores[CONDITIONS.names.index("drusen")] = drusen
    assert decided_outcomes(scores, CONDITIONS) == decided


def test_no_hypothesis_is_refused():
    with pytest.raises(InputError, match="on 0 hypotheses"):
        decide([], VOCABULARY)


def test_unequal_numbers_of_opinions_are_refused():
    first, second = example_hypotheses()
    with pytest.raises(InputError, match=r"\[2, 1\] opinions"):
        decide([first, replace(second, opinions=second.opinions[:1])], VOCABULARY)


def test_opinion_of_other_outcomes_is_refused():
    with pytest.raises(InputError, match="expected 10: normal"):
        decide(example_hypotheses(), Vocabulary(TISSUES, (CONDITIONS,)))


@pytest.mark.parametrize("score", [np.nan, 1.5])
def test_broken_score_is_refused(score):
    hypothesis = replace(example_hypotheses()[0], opinions=(opinion(0.5, score),))
    with pytest.raises(InputError, match="expected 0 to 1"):
        decide([hypothesis], VOCABULARY)
