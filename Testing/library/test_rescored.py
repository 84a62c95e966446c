import numpy as np
import pytest

from RetinaTriageLib.calibration import Calibration
from RetinaTriageLib.decision import rescored
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.penalties import default_penalty, expected_penalties

RAW = (0.2, 0.3, 0.4, 0.1)
UNSURE = (0.1, 0.4, 0.4, 0.1)
FACTORS = {"high-sensitivity": {"referral": dict(zip(REFERRAL.names, (4, 1, 1, 1), strict=True))}}


def test_operating_point_changes_the_decision():
    calibration = Calibration(FACTORS, "4 eyes")
    assert rescored(RAW, REFERRAL, calibration, OperatingPoint.BALANCED)[1] == ("routine",)
    scores, decided = rescored(RAW, REFERRAL, calibration, OperatingPoint.HIGH_SENSITIVITY)
    assert decided == ("urgent",)
    assert scores == pytest.approx(np.array([0.8, 0.3, 0.4, 0.1]) / 1.6)


def test_missing_scores_are_refused():
    with pytest.raises(InputError, match="expected 4"):
        rescored(RAW[:3], REFERRAL, Calibration(), OperatingPoint.BALANCED)


def test_costly_misses_make_the_urgent_answer_the_cheapest():
    assert int(expected_penalties(UNSURE, default_penalty(REFERRAL)).argmin()) == 1
    costly = default_penalty(REFERRAL)
    costly[0, 1:] = 50
    assert int(expected_penalties(UNSURE, costly).argmin()) == 0


def test_matrix_of_other_classes_is_refused():
    with pytest.raises(InputError, match="one a row"):
        expected_penalties(RAW[:3], default_penalty(REFERRAL))
