from __future__ import annotations

import math

from RetinaTriageLib.evaluation.ensemble_gain import Gain, gain_json, gain_text


def test_fewer_errors_are_better() -> None:
    gain = Gain("referral error", 0.1, {"a": 0.3, "b": 0.2}, more_is_better=False)
    assert (gain.best, gain.verdict) == ("b", "better")


def test_first_of_equal_members_is_the_best() -> None:
    gain = Gain("AUC", 0.9, {"a": 0.9, "b": 0.9}, more_is_better=True)
    assert (gain.best, gain.verdict) == ("a", "equal")


def test_worse_ensemble_is_called_worse() -> None:
    gain = Gain("AUC", 0.8, {"a": math.nan, "b": 0.9}, more_is_better=True)
    assert gain.verdict == "worse"
    assert gain_json(gain)["members"] == {"a": None, "b": 0.9}


def test_unknown_members_give_no_verdict() -> None:
    gain = Gain("AUC", 0.8, {"a": math.nan}, more_is_better=True)
    assert gain_text(gain) == "AUC: not known"
    assert gain_json(gain)["verdict"] == "not known"
