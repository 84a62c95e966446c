"""A calibration: the factors that turn raw scores into decisions, and where they were measured.

Factors are fitted on validation cases (`RetinaTriageLib.calibration_fit`), frozen, and then applied
to new cases (`RetinaTriageLib.decision`). A head without factors stays as it is, and says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.class_factors import reweight_classes
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import NEUTRAL_WEIGHT, OperatingPoint, reweight_binary
from RetinaTriageLib.outcomes import OutcomeHead

SCHEMA_VERSION = "1.0"
UNCALIBRATED = "uncalibrated"

Factors = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Operating point ("balanced", ...) to head to outcome to factor."""


@dataclass(frozen=True)
class Calibration:
    """Factors of every operating point.

    Attributes
    ----------
    factors : operating point to head to outcome to factor: the weight a of `reweight_binary` for
        heads that score every outcome on its own, the factor s of `reweight_classes` for others
    measured_on : the cases that the factors were fitted on, such as "64 phantoms, validation"
    gaps : operating point to outcome to the reason why it keeps its raw score
    """

    factors: Factors = field(default_factory=dict)
    measured_on: str = ""
    gaps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse unknown operating points and factors that are no finite number above 0."""
        known = [point.value for point in OperatingPoint]
        for point, heads in self.factors.items():
            if point not in known:
                msg = f"Found operating point {point!r}; expected one of {', '.join(known)}."
                raise InputError(msg)
            for head, outcomes in heads.items():
                for outcome, factor in outcomes.items():
                    _require_factor(f"{point}, {head}, {outcome}", factor)
        if self.factors and not self.measured_on:
            msg = "Found factors without measured_on; state the cases they were fitted on."
            raise InputError(msg)

    def factors_of(self, head: OutcomeHead, point: OperatingPoint) -> npt.NDArray[np.float64]:
        """Factors of one head in the order of its outcomes; neutral ones where there are none.

        Raises
        ------
        InputError
            If the factors belong to other outcomes, or a weight a is not below 1.
        """
        named = self.factors.get(point.value, {}).get(head.name)
        if named is None:
            return np.full(len(head.outcomes), neutral_factor(head))
        if set(named) != set(head.names):
            msg = (
                f"Found factors of {head.name} for {sorted(named)}; expected one for each of "
                f"{sorted(head.names)}. Calibrate with the outcomes of this bundle."
            )
            raise InputError(msg)
        if not head.exclusive and max(named.values()) >= 1:
            msg = f"Found a weight >= 1 for {head.name}; expected weights a between 0 and 1."
            raise InputError(msg)
        return np.array([named[name] for name in head.names])

    def describe(self, heads: tuple[OutcomeHead, ...], point: OperatingPoint) -> str:
        """Sentence on what the re-weighting of these heads rests on, for people."""
        fitted = self.factors.get(point.value, {})
        missing = [head.name for head in heads if head.name not in fitted]
        if len(missing) == len(heads):
            return UNCALIBRATED
        raw = list(dict.fromkeys([*missing, *self.gaps.get(point.value, ())]))
        kept = f"; {UNCALIBRATED}: {', '.join(raw)}" if raw else ""
        return f"fitted on {self.measured_on}{kept}"


IDENTITY = Calibration()
"""The calibration of a bundle that has none: every score stays as it is."""


def reweight(
    scores: npt.ArrayLike, head: OutcomeHead, factors: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Re-weighted scores of one head, array (..., outcome) like ``scores``."""
    return reweight_classes(scores, factors) if head.exclusive else reweight_binary(scores, factors)


def calibration_to_json(calibration: Calibration) -> str:
    """JSON text of a calibration; `calibration_from_json` reads it."""
    fields = {"schema_version": SCHEMA_VERSION, **asdict(calibration)}
    return json.dumps(fields, indent=2, allow_nan=False) + "\n"


def calibration_from_json(text: str) -> Calibration:
    """Calibration from JSON text.

    Raises
    ------
    InputError
        If the text is no JSON, of another version, lacks a field, or holds unusable factors.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        msg = f"Found a calibration that is no JSON ({error}); get the file again."
        raise InputError(msg) from error
    fields = {"schema_version", "factors", "measured_on", "gaps"}
    if not isinstance(found, dict) or set(found) != fields:
        msg = f"Expected a calibration with the fields {', '.join(sorted(fields))}; write it again."
        raise InputError(msg)
    if found["schema_version"] != SCHEMA_VERSION:
        msg = (
            f"Found a calibration of schema version {found['schema_version']!r}; expected "
            f"{SCHEMA_VERSION!r}. Update RetinaTriage or calibrate again."
        )
        raise InputError(msg)
    if not isinstance(found["measured_on"], str):
        msg = "Expected measured_on to be a sentence; write the calibration again."
        raise InputError(msg)
    _require_levels("factors", found["factors"], 2)
    _require_levels("gaps", found["gaps"], 1)
    return Calibration(found["factors"], found["measured_on"], found["gaps"])


def _require_levels(where: str, found: object, levels: int) -> None:
    if not isinstance(found, dict):
        msg = f"Expected an object of names at {where}, got {found!r:.80}."
        raise InputError(msg)
    if levels > 0:
        for name, inner in found.items():
            _require_levels(f"{where}, {name}", inner, levels - 1)


def neutral_factor(head: OutcomeHead) -> float:
    """Factor that leaves the scores of a head as they are."""
    return 1.0 if head.exclusive else NEUTRAL_WEIGHT


def _require_factor(where: str, factor: object) -> None:
    if isinstance(factor, int | float) and not isinstance(factor, bool) and 0 < factor < math.inf:
        return
    msg = f"Found the factor {factor!r} at {where}; expected a finite number above 0."
    raise InputError(msg)
