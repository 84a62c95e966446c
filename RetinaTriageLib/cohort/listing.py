"""A study's list of scans: a CSV file with a row a scan, and what is known about its eye."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from RetinaTriageLib.cohort.units import Facts, Failure, Unit, failure_of
from RetinaTriageLib.errors import InputError, RetinaTriageError
from RetinaTriageLib.networks.patient import Patient
from RetinaTriageLib.volume import Laterality, VoxelSpacing

Value = TypeVar("Value")

FILE = "file"
OTHER_NAMES: Mapping[str, str] = {
    "patient": "patient_id",
    "eye": "laterality",
    "date": "visit_date",
}
KNOWN = (
    FILE,
    "series",
    "patient_id",
    "visit_date",
    "age",
    "sex",
    "visual_acuity",
    "laterality",
    "scanner",
    "spacing_um",
)
SEXES: Mapping[str, str] = {"f": "female", "female": "female", "m": "male", "male": "male"}
EYES: Mapping[str, str] = {
    "od": "OD",
    "r": "OD",
    "right": "OD",
    "os": "OS",
    "l": "OS",
    "left": "OS",
}


@dataclass(frozen=True)
class Listed:
    """Scans of a list.

    Attributes
    ----------
    failures : rows that cannot be used
    unused : columns that say nothing to this program
    """

    units: tuple[Unit, ...]
    failures: tuple[Failure, ...]
    unused: tuple[str, ...]


def read_list(path: Path) -> Listed:
    """Read the scans that a CSV file lists; relative paths start where the list lies.

    Of the columns only ``file`` must be there. ``series`` chooses one scan of a file that holds
    several; ``spacing_um`` is three numbers with spaces between them.

    Raises
    ------
    InputError
        If the list cannot be read, or has no column ``file`` or no row.
    """
    header, rows = _rows(path)
    names = [OTHER_NAMES.get(name, name) for name in header]
    if FILE not in names or len(set(names)) < len(names):
        msg = (
            f"{path.name} has the columns {', '.join(header) or 'none'}; expected {FILE}, and if "
            f"known {', '.join(KNOWN[1:])}, each once. Correct its first line."
        )
        raise InputError(msg)
    units: list[Unit] = []
    failures: list[Failure] = []
    seen: set[tuple[str, int | None]] = set()
    for cells in rows:
        row = dict(zip(names, (cell.strip() for cell in cells), strict=False))
        if not row.get(FILE):
            continue
        unit = Unit(row[FILE], path.parent / row[FILE])
        try:
            series = _cell(row, "series", _series)
            unit = Unit(unit.name, unit.path, series, _facts(row))
            _require_new(unit, seen)
        except RetinaTriageError as error:
            failures.append(failure_of(unit, str(error), _number(row.get("series", ""))))
        else:
            units.append(unit)
    if not units and not failures:
        msg = f"{path.name} lists no file; expected a row a scan, with its path in column {FILE}."
        raise InputError(msg)
    unused = tuple(name for name in names if name not in KNOWN and name)
    return Listed(tuple(units), tuple(failures), unused)


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} cannot be read ({error}); expected a CSV table in UTF-8. Save it as one."
        raise InputError(msg) from error
    header = [name.strip().lower() for name in table[0]] if table else []
    return header, table[1:]


def _require_new(unit: Unit, seen: set[tuple[str, int | None]]) -> None:
    keys = [(unit.name, unit.series), (unit.name, None)]
    whole_twice = unit.series is None and any(name == unit.name for name, _ in seen)
    if whole_twice or any(key in seen for key in keys):
        msg = f"{unit.name} is listed more than once; expected each scan once. Leave one row out."
        raise InputError(msg)
    seen.add((unit.name, unit.series))


def _facts(row: Mapping[str, str]) -> Facts:
    facts = Facts(
        patient_id=row.get("patient_id") or None,
        visit_date=_cell(row, "visit_date", _day),
        age=_cell(row, "age", _finite),
        sex=_cell(row, "sex", lambda text: SEXES[text.lower()]),
        visual_acuity=_cell(row, "visual_acuity", _finite),
        laterality=_cell(row, "laterality", lambda text: Laterality(EYES[text.lower()]).value),
        scanner=row.get("scanner") or None,
        spacing_um=_cell(row, "spacing_um", _three),
    )
    Patient(facts.age, None, facts.visual_acuity)  # refuses what no patient has
    if facts.spacing_um:
        VoxelSpacing.from_um(*facts.spacing_um)
    return facts


def _cell(row: Mapping[str, str], name: str, read: Callable[[str], Value]) -> Value | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        return read(text)
    except (ValueError, KeyError) as error:
        expected = EXPECTED[name]
        msg = f"Found {name} {text[:60]!r}; expected {expected}, or nothing. Correct the list."
        raise InputError(msg) from error


EXPECTED: Mapping[str, str] = {
    "series": "a whole number from 1",
    "visit_date": "a date such as 2026-11-21",
    "age": "years",
    "sex": "female or male",
    "visual_acuity": "logMAR",
    "laterality": "OD or OS",
    "spacing_um": "three numbers in µm: between B-scans, depth, width",
}


def _series(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 7 else None


def _day(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _three(text: str) -> tuple[float, float, float]:
    bscan_um, depth_um, width_um = (_finite(word) for word in text.split())
    return bscan_um, depth_um, width_um
