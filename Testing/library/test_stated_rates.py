from RetinaTriageLib.bundle_manifest import Measured
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.stated_rates import Rate, StatedRates, rate_name, stated_rates

POINT = OperatingPoint.BALANCED


def rates(*values: tuple[Rate, float | str]) -> StatedRates:
    measured = [
        Measured(rate_name(rate, "conditions", "drusen", POINT), value, "40 eyes")
        for rate, value in values
    ]
    return stated_rates(measured, "conditions", "drusen", POINT)


def test_stated_rates_are_found():
    found = rates((Rate.SENSITIVITY, 0.9), (Rate.SPECIFICITY, 0.8))
    assert found == StatedRates(0.9, 0.8, "40 eyes")


def test_rate_that_is_not_stated_is_none():
    assert rates((Rate.SENSITIVITY, 0.9)) == StatedRates(0.9, None, "40 eyes")


def test_rates_of_another_operating_point_do_not_count():
    name = rate_name(Rate.SENSITIVITY, "conditions", "drusen", OperatingPoint.HIGH_SENSITIVITY)
    assert stated_rates([Measured(name, 1.0, "")], "conditions", "drusen", POINT) == StatedRates()


def test_values_that_are_no_share_are_left_out():
    assert rates((Rate.SENSITIVITY, "high"), (Rate.SPECIFICITY, 95.0)) == StatedRates()
