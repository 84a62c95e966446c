"""What a cohort is made of: files or folders that are read as one, and what is known about each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LONGEST_STEM = 40
HASH_DIGITS = 10
USUAL_REMEDY = "Copy or export the file again."


@dataclass(frozen=True)
class Facts:
    """What a study's list says about a scan; None where it says nothing.

    Attributes
    ----------
    visit_date : ISO 8601, such as 2026-11-21
    sex : "female" or "male"
    spacing_um : between B-scans, along the depth, along the width
    """

    patient_id: str | None = None
    visit_date: str | None = None
    age: float | None = None
    sex: str | None = None
    visual_acuity: float | None = None
    laterality: str | None = None
    scanner: str | None = None
    spacing_um: tuple[float, float, float] | None = None


NO_FACTS = Facts()


@dataclass(frozen=True)
class Unit:
    """One file, or folder of files that belong together, which holds one scan or several.

    Attributes
    ----------
    name : how the table names it: its path below the cohort's folder, or as the list has it
    path : where it lies
    series : the only scan that is wanted, counted from 1; None takes all
    facts : of a list, for each of its scans
    apart : whether it is one file of a folder that could not be read as a whole
    """

    name: str
    path: Path
    series: int | None = None
    facts: Facts = NO_FACTS
    apart: bool = False


@dataclass(frozen=True)
class Failure:
    """Why a scan has no row.

    Attributes
    ----------
    series : the scan of a file that holds several; None for the whole file
    what_to_do : remedy, a sentence
    lasting : whether trying the same file again would fail again
    """

    file: str
    series: int | None
    reason: str
    what_to_do: str
    lasting: bool = True


def failure_of(
    unit: Unit, message: str, series: int | None = None, *, lasting: bool = True
) -> Failure:
    """Failure from the message of an error, whose last clause says what to do.

    Examples
    --------
    >>> failure_of(Unit("a.nrrd", Path("a.nrrd")), "a.nrrd is empty; copy it again.")
    Failure(file='a.nrrd', series=None, reason='a.nrrd is empty.', what_to_do='Copy it again.', \
lasting=True)
    """
    text = " ".join(message.replace(str(unit.path), Path(unit.name).name).split())
    found = re.fullmatch(r"(.*)[.;] (.+)", text)
    reason, remedy = (found[1], found[2]) if found else (text, USUAL_REMEDY)
    if remedy.startswith(("expected", "Expected")) or remedy.endswith("?"):
        reason, remedy = text, USUAL_REMEDY
    reason = reason if reason.endswith((".", "?")) else f"{reason}."
    return Failure(unit.name, series, reason, remedy[0].upper() + remedy[1:], lasting)


def case_id(unit: Unit, series: int | None) -> str:
    """Name of a case: readable, plain, and the same however many other files there are.

    Examples
    --------
    >>> case_id(Unit("clinic/eye 17.nrrd", Path("eye 17.nrrd")), None)
    'eye_17-fe8a9583c7'
    """
    digest = hashlib.sha256(f"{unit.name}\n{series or ''}".encode()).hexdigest()[:HASH_DIGITS]
    stem = re.sub(r"[^A-Za-z0-9]+", "_", Path(unit.name).name.partition(".")[0]).strip("_")
    return f"{stem[:LONGEST_STEM] or 'case'}-{digest}"


def file_state(path: Path) -> dict[str, int]:
    """Size and time of change of a file, or of all files of a folder, to see whether it changed.

    Raises
    ------
    OSError
        If it cannot be looked at.
    """
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    stats = [file.stat() for file in files]
    return {
        "files": len(stats),
        "bytes": sum(stat.st_size for stat in stats),
        "changed_ns": max((stat.st_mtime_ns for stat in stats), default=0),
    }


def facts_fields(facts: Facts) -> Mapping[str, Any]:
    """Facts as they are stored beside a case; lists in place of tuples, as JSON has them."""
    fields = asdict(facts)
    fields["spacing_um"] = list(facts.spacing_um) if facts.spacing_um else None
    return fields
