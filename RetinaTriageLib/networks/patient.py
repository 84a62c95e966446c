"""What may be known about the patient, and how a classification network is told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError

AGE_LIMITS_YEARS = (0.0, 120.0)

# From better than 20/10 to no light perception, which is entered as 3.0 by convention.
ACUITY_LIMITS_LOGMAR = (-0.4, 3.0)

AGE_CENTER_YEARS, AGE_SPREAD_YEARS = 65.0, 20.0


class Sex(Enum):
    """Sex as DICOM Patient's Sex (0010,0040) codes it; other is left unknown."""

    FEMALE = "F"
    MALE = "M"


@dataclass(frozen=True)
class Patient:
    """Facts on the patient; None where unknown. Visual acuity is that of the scanned eye."""

    age_years: float | None = None
    sex: Sex | None = None
    visual_acuity_logmar: float | None = None

    def __post_init__(self) -> None:
        """Refuse values that no patient has."""
        _require("age", "years", self.age_years, AGE_LIMITS_YEARS, "Give whole years.")
        _require(
            "visual acuity",
            "logMAR",
            self.visual_acuity_logmar,
            ACUITY_LIMITS_LOGMAR,
            "Convert decimal or Snellen acuity: logMAR = -log10(decimal), 20/40 is 0.3.",
        )


def patient_vector(patient: Patient) -> npt.NDArray[np.float32]:
    """Network input, float32 (6,): each value about -1 to 1 followed by 1 where it is known.

    Examples
    --------
    >>> patient_vector(Patient(age_years=85, sex=Sex.FEMALE)).tolist()
    [1.0, 1.0, -1.0, 1.0, 0.0, 0.0]
    """
    age, sex, acuity = patient.age_years, patient.sex, patient.visual_acuity_logmar
    values = (
        None if age is None else (age - AGE_CENTER_YEARS) / AGE_SPREAD_YEARS,
        None if sex is None else (1.0 if sex is Sex.MALE else -1.0),
        acuity,
    )
    pairs = [(0.0, 0.0) if value is None else (value, 1.0) for value in values]
    return np.array(pairs, dtype=np.float32).ravel()


def _require(
    fact: str, unit: str, value: float | None, limits: tuple[float, float], remedy: str
) -> None:
    if value is None:
        return
    if not math.isfinite(value) or not limits[0] <= value <= limits[1]:
        msg = (
            f"Found {fact} {value:g} {unit}; expected {limits[0]:g} to {limits[1]:g} {unit}, or "
            f"nothing where it is unknown. {remedy}"
        )
        raise InputError(msg)


UNKNOWN_PATIENT = Patient()
