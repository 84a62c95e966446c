"""Sensitivity and specificity that a bundle states for its decisions, by operating point.

A bundle has them among the results of its manifest, under names such as "Sensitivity, conditions:
drusen, balanced". What it does not state is None, and never computed from anything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from RetinaTriageLib.bundle_manifest import Measured
from RetinaTriageLib.operating_points import OperatingPoint


class Rate(Enum):
    """Share of the cases with an outcome, or without it, that are decided for correctly."""

    SENSITIVITY = "Sensitivity"
    SPECIFICITY = "Specificity"


@dataclass(frozen=True)
class StatedRates:
    """Rates of one outcome, 0 to 1, None where the bundle states none; and on which data."""

    sensitivity: float | None = None
    specificity: float | None = None
    data: str = ""


def rate_name(rate: Rate, head: str, outcome: str, point: OperatingPoint) -> str:
    """Name of a measured result that states a rate.

    Examples
    --------
    >>> rate_name(Rate.SENSITIVITY, "conditions", "drusen", OperatingPoint.BALANCED)
    'Sensitivity, conditions: drusen, balanced'
    """
    return f"{rate.value}, {head}: {outcome}, {point.value}"


def stated_rates(
    measured: Sequence[Measured], head: str, outcome: str, point: OperatingPoint
) -> StatedRates:
    """Rates that a bundle states for one outcome at one operating point.

    Parameters
    ----------
    measured : results of the manifest; values that are no number from 0 to 1 are left out
    """
    by_name = {one.name: one for one in measured}
    found = [by_name.get(rate_name(rate, head, outcome, point)) for rate in Rate]
    values = [None if one is None else _share(one.value) for one in found]
    data = [one.data for one, value in zip(found, values, strict=True) if one and value is not None]
    return StatedRates(values[0], values[1], "; ".join(dict.fromkeys(data)))


def _share(value: float | str) -> float | None:
    if isinstance(value, str) or not 0 <= value <= 1:
        return None
    return float(value)
