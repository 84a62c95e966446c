"""Section of the patient: optional facts that classification networks may take into account."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.patient import Patient
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.run_settings import patientFacts

SNELLEN_FEET = 20


class PatientSection:
    """Shows visual acuity in the other notations, since clinics differ."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui

    def show(self, parameters: RetinaTriageParameterNode) -> None:
        """Show what the entered acuity means."""
        self._ui.acuityLabel.text = acuityText(patientFacts(parameters).visual_acuity_logmar)

    def problems(self, parameters: RetinaTriageParameterNode) -> list[str]:
        """Every reason why these facts are those of no patient."""
        facts = patientFacts(parameters)
        try:
            Patient(facts.age_years, None, facts.visual_acuity_logmar)
        except InputError as error:
            return [str(error)]
        return []


def acuityText(logmar: float | None) -> str:
    """Visual acuity as Snellen fraction and decimal."""
    if logmar is None:
        return _("unknown")
    return _("{near}/{far:.0f}, decimal {decimal:.2f}").format(
        near=SNELLEN_FEET, far=SNELLEN_FEET * 10**logmar, decimal=10**-logmar
    )
