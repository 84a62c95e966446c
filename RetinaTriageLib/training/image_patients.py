"""Whose picture it is: told by a pattern in file names, or by blocks of neighboring numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from RetinaTriageLib.errors import InputError


@dataclass(frozen=True)
class PatientRule:
    r"""How patients are told where no table names them. Nothing is guessed.

    Attributes
    ----------
    pattern : regular expression searched for in a picture's name; its first group, or all of it,
        names the patient, such as ``person(\d+)``; ``.+`` makes every file a patient of its own
    block : patients with neighboring numbers count as one until so many pictures are reached, for
        sets where neighboring numbers may be the eyes of one patient; 0 takes patients as they are
    """

    pattern: str | None = None
    block: int = 0


def patients_of(
    names: Iterable[str], rule: PatientRule, stated: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Patient of every picture, by its name.

    Parameters
    ----------
    stated : patients by name, where a table names them

    Raises
    ------
    InputError
        If there is no rule, or it does not tell the patient of a picture.
    """
    patients = stated or {name: _patient(name, rule) for name in names}
    return _blocks(patients, rule.block) if rule.block else dict(patients)


def _patient(name: str, rule: PatientRule) -> str:
    if rule.pattern is None:
        msg = (
            "Found pictures without patients; expected a pattern that tells patients by file "
            r"names, such as 'person(\d+)'. Pictures of one patient must not be parted; '.+' "
            "states that every file is of another patient."
        )
        raise InputError(msg)
    try:
        found = re.search(rule.pattern, name)
    except re.error as error:
        msg = f"Found patient pattern {rule.pattern!r}, which is no regular expression ({error})."
        raise InputError(msg) from error
    if found is None:
        msg = (
            f"Found {name}, in which {rule.pattern!r} does not occur; expected a pattern that "
            "tells the patient of every picture, such as 'person\\d+|IM-\\d+'."
        )
        raise InputError(msg)
    return str(found[1] if found.re.groups else found[0])


def _blocks(patients: Mapping[str, str], least: int) -> dict[str, str]:
    """Blocks of neighboring numbers, named by the first; a block ends only where a number lacks."""
    numbers = {name: _number(patient) for name, patient in patients.items()}
    first, last, count = None, 0, 0
    blocks: dict[int, str] = {}
    for number in sorted(numbers.values()):
        if first is None or (count >= least and number > last + 1):
            first, count = number, 0
        blocks[number] = f"from {first}"
        last, count = number, count + 1
    return {name: blocks[number] for name, number in numbers.items()}


def _number(patient: str) -> int:
    if not patient.isdecimal():
        msg = f"Found patient {patient!r}; blocks of neighbors need patients named by numbers."
        raise InputError(msg)
    return int(patient)
