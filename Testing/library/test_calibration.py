import json

import numpy as np
import pytest

from RetinaTriageLib.calibration import (
    IDENTITY,
    Calibration,
    calibration_from_json,
    calibration_to_json,
)
from RetinaTriageLib.calibration_fit import fit_calibration
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import Outcome, OutcomeHead

URGENCY = OutcomeHead(
    "urgency", "", (Outcome("now", "", ""), Outcome("later", "", "")), exclusive=True
)
SIGNS = OutcomeHead(
    "signs", "", (Outcome("cyst", "", ""), Outcome("hole", "", "")), exclusive=False
)
BALANCED = OperatingPoint.BALANCED


def example_calibration() -> Calibration:
    factors = {"balanced": {"urgency": {"now": 3.0, "later": 1.0}}}
    return Calibration(factors, "six cases", {"balanced": {"signs/hole": "no case has it"}})


def example_fit() -> Calibration:
    """Calibration of six cases: cysts as in test_operating_points, no hole, two uninformed classes.

    Missing "now" costs 3 and "later" 1, with equal cases: factors 3 to 1 (test_penalties).
    """
    cyst = [0.1, 0.3, 0.4, 0.6, 0.7, 0.9]
    has_cyst = [False, False, True, False, True, True]
    return fit_calibration(
        {"signs": np.column_stack((cyst, cyst)), "urgency": np.full((6, 2), 0.5)},
        {
            "signs": np.column_stack((has_cyst, [False] * 6)),
            "urgency": np.array([0, 1, 0, 1, 0, 1]),
        },
        (URGENCY, SIGNS),
        "six cases",
        penalties={"urgency": ((0, 3), (1, 0))},
    )


def test_json_round_trip_keeps_everything():
    assert (
        calibration_from_json(calibration_to_json(example_calibration())) == example_calibration()
    )


def test_heads_without_factors_stay_neutral():
    assert IDENTITY.factors_of(URGENCY, BALANCED).tolist() == [1, 1]
    assert IDENTITY.factors_of(SIGNS, BALANCED).tolist() == [0.5, 0.5]


def test_factors_follow_the_order_of_the_outcomes():
    swapped = OutcomeHead("urgency", "", URGENCY.outcomes[::-1], exclusive=True)
    assert example_calibration().factors_of(swapped, BALANCED).tolist() == [1, 3]


def test_description_names_cases_and_what_stays_raw():
    text = example_calibration().describe((URGENCY, SIGNS), BALANCED)
    assert text == "fitted on six cases; uncalibrated: signs, signs/hole"


def test_calibration_of_another_operating_point_counts_as_none():
    point = OperatingPoint.HIGH_SPECIFICITY
    assert example_calibration().describe((URGENCY, SIGNS), point) == "uncalibrated"


def test_fit_matches_the_paper_examples():
    fitted = example_fit()
    assert fitted.factors["balanced"]["signs"]["cyst"] == pytest.approx(0.65)
    assert fitted.factors["high-specificity"]["signs"]["cyst"] == pytest.approx(0.35)
    assert fitted.factors_of(URGENCY, BALANCED) == pytest.approx([3**0.5, 3**-0.5], rel=1e-3)


def test_operating_points_of_exclusive_heads_lean_to_their_side():
    fitted = example_fit()
    ratios = [np.divide(*fitted.factors_of(URGENCY, point)) for point in OperatingPoint]
    np.testing.assert_allclose(ratios, [12, 3, 1 / 3], rtol=1e-3)


def test_outcome_that_no_case_has_stays_raw_and_is_named():
    fitted = example_fit()
    assert fitted.factors["balanced"]["signs"]["hole"] == 0.5
    assert "0 of 6 cases" in fitted.gaps["balanced"]["signs/hole"]


def test_head_with_a_missing_class_stays_raw_and_is_named():
    fitted = fit_calibration(
        {"urgency": np.full((2, 2), 0.5)}, {"urgency": np.array([0, 0])}, (URGENCY,), "two cases"
    )
    assert fitted.factors["balanced"] == {}
    assert "no case of class [1]" in fitted.gaps["balanced"]["urgency"]


def test_fitted_calibration_survives_json():
    fitted = example_fit()
    assert calibration_from_json(calibration_to_json(fitted)) == fitted


@pytest.mark.parametrize("factor", [0, -1.0, float("nan"), float("inf"), "1", True, None])
def test_unusable_factors_are_refused(factor):
    with pytest.raises(InputError, match="finite number above 0"):
        Calibration({"balanced": {"urgency": {"now": factor, "later": 1.0}}}, "six cases")


def test_unknown_operating_point_is_refused():
    with pytest.raises(InputError, match="operating point 'best'"):
        Calibration({"best": {}}, "six cases")


def test_factors_of_unknown_origin_are_refused():
    with pytest.raises(InputError, match="measured_on"):
        Calibration({"balanced": {"urgency": {"now": 1.0, "later": 1.0}}})


def test_factors_of_other_outcomes_are_refused():
    calibration = Calibration({"balanced": {"urgency": {"now": 1.0}}}, "six cases")
    with pytest.raises(InputError, match=r"expected one for each of \['later', 'now'\]"):
        calibration.factors_of(URGENCY, BALANCED)


def test_weight_of_one_is_refused_for_separate_outcomes():
    calibration = Calibration({"balanced": {"signs": {"cyst": 1.0, "hole": 0.5}}}, "six cases")
    with pytest.raises(InputError, match="between 0 and 1"):
        calibration.factors_of(SIGNS, BALANCED)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema_version": "9.0"}, "version '9.0'"),
        ({"factors": [1]}, "names at factors"),
        ({"factors": {"balanced": {"urgency": 3}}}, "names at factors, balanced, urgency"),
        ({"measured_on": None}, "measured_on"),
        ({"extra": 1}, "with the fields"),
    ],
)
def test_altered_json_is_refused(change, why):
    fields = json.loads(calibration_to_json(example_calibration())) | change
    with pytest.raises(InputError, match=why):
        calibration_from_json(json.dumps(fields))


def test_text_that_is_no_json_is_refused():
    with pytest.raises(InputError, match="no JSON"):
        calibration_from_json("{")
