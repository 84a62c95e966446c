"""Plain words of a request as the library's types; torch is loaded no sooner than these need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.worker.messages import PatientFacts, RunOptions

if TYPE_CHECKING:
    from RetinaTriageLib.networks.patient import Patient
    from RetinaTriageLib.operating_points import OperatingPoint
    from RetinaTriageLib.pipeline import TriageOptions


def triage_options(options: RunOptions) -> TriageOptions:
    """Options of a run.

    Raises
    ------
    InputError
        If a word is none that is known.
    """
    from RetinaTriageLib.networks.classifier_input import ClassifierInput
    from RetinaTriageLib.pipeline import TriageOptions

    chosen = options.classifier_input
    names = [source.value for source in ClassifierInput]
    if chosen is not None and chosen not in names:
        raise InputError(_unknown("classifier input", chosen, names))
    return TriageOptions(
        operating_point=operating_point(options.operating_point),
        patient=patient_of(options.patient),
        compute=options.compute,
        slab_bscans=options.slab_bscans,
        classifier_input=None if chosen is None else ClassifierInput(chosen),
        seed=options.seed,
        fovea=options.fovea,
        scanner=options.scanner,
    )


def operating_point(name: str) -> OperatingPoint:
    """Operating point by its name; an `InputError` where there is none."""
    from RetinaTriageLib.operating_points import OperatingPoint

    names = [point.value for point in OperatingPoint]
    if name not in names:
        raise InputError(_unknown("operating point", name, names))
    return OperatingPoint(name)


def patient_of(facts: PatientFacts) -> Patient:
    """Facts on a patient as networks take them; an `InputError` for an unknown sex."""
    from RetinaTriageLib.networks.patient import Patient, Sex

    codes = [sex.value for sex in Sex]
    if facts.sex is not None and facts.sex not in codes:
        raise InputError(_unknown("sex", facts.sex, codes))
    sex = None if facts.sex is None else Sex(facts.sex)
    return Patient(facts.age_years, sex, facts.visual_acuity_logmar)


def _unknown(what: str, found: str, expected: list[str]) -> str:
    return f"Found {what} {found!r}; expected one of {', '.join(expected)}."
