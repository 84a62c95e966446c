"""What a script states about a scan and a patient, in plain words, as the library's types."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TypeVar

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.volume import DeviceFamily, Laterality, VoxelSpacing
from RetinaTriageLib.worker.messages import PatientFacts
from RetinaTriageSlicer.volume_node import StatedGeometry

Choice = TypeVar("Choice", bound=Enum)
SEXES = ("F", "M")


def statedGeometry(
    laterality: str | None,
    spacingUm: Sequence[float] | None,
    scanner: str | None,
    bscanAxis: int | None,
) -> StatedGeometry:
    """Geometry that a script states; None leaves it to the volume.

    Raises
    ------
    InputError
        If a word or number is not one that is known.
    """
    if bscanAxis not in (None, 0, 1, 2):
        msg = f"Found bscanAxis {bscanAxis!r}; expected 0 (K), 1 (J) or 2 (I)."
        raise InputError(msg)
    return StatedGeometry(
        None if spacingUm is None else _spacing(spacingUm),
        _chosen("laterality", laterality, Laterality),
        _chosen("scanner", scanner, DeviceFamily),
        bscanAxis,
    )


def statedPatient(
    ageYears: float | None, sex: str | None, visualAcuityLogmar: float | None
) -> PatientFacts:
    """Facts on the patient that a script states.

    Raises
    ------
    InputError
        If the sex is not "F" or "M".
    """
    if sex is not None and sex not in SEXES:
        msg = f"Found sex {sex!r}; expected F or M, or None where it is not known."
        raise InputError(msg)
    return PatientFacts(ageYears, sex, visualAcuityLogmar)


def _spacing(spacingUm: Sequence[float]) -> VoxelSpacing:
    if len(spacingUm) != 3:
        msg = (
            f"Found spacingUm {tuple(spacingUm)}; expected three distances in micrometers: between "
            "B-scans, in depth, and in width."
        )
        raise GeometryError(msg)
    return VoxelSpacing.from_um(*spacingUm)


def _chosen(what: str, word: str | None, kind: type[Choice]) -> Choice | None:
    if word is None:
        return None
    try:
        return kind(word)
    except ValueError as error:
        known = ", ".join(str(member.value) for member in kind)
        msg = f"Found {what} {word!r}; expected one of {known}, or None."
        raise InputError(msg) from error
