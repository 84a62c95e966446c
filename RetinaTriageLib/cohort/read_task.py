"""Reading of scans, as it is done in a process of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from RetinaTriageLib.cohort.units import Facts
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.dicom import dicom_paths
from RetinaTriageLib.readers.identifiers import read_identifiers
from RetinaTriageLib.readers.registry import find_reader, list_series, read_volume
from RetinaTriageLib.readers.series import SeriesEntry
from RetinaTriageLib.volume import (
    DeviceFamily,
    Laterality,
    OCTVolume,
    VoxelSpacing,
    with_geometry,
)

PATIENT, VISIT = "PatientID", "StudyDate"


@dataclass(frozen=True)
class ListScans:
    """Ask which scans a file holds; the answer is a `Scans`."""

    path: Path


@dataclass(frozen=True)
class Scans:
    """Scans of a file.

    Attributes
    ----------
    entries : empty for formats that hold one scan
    parts : files to be worked each by itself, where their folder cannot be read as a whole
    """

    entries: tuple[SeriesEntry, ...] = ()
    parts: tuple[Path, ...] = ()


@dataclass(frozen=True)
class ReadScan:
    """Ask for a scan; the answer is a `Scan`.

    Attributes
    ----------
    name : of the volume, in place of that of its file
    """

    path: Path
    series: int | None
    name: str
    facts: Facts
    keep_identifiers: bool


@dataclass(frozen=True)
class Scan:
    """A volume and what is known about it."""

    volume: OCTVolume
    facts: Facts


def read_task(request: ListScans | ReadScan) -> Scans | Scan:
    """Answer of a reading process.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    path = request.path
    try:
        if path.is_file() and path.stat().st_size == 0:
            msg = f"{path.name} is empty; copy or export it again."
            raise InputError(msg)
        return _list(path) if isinstance(request, ListScans) else _read(request)
    except OSError as error:
        msg = f"{path.name} cannot be read ({error.strerror}); check file and permissions."
        raise InputError(msg) from error


def holds_several(path: Path) -> bool:
    """Tell whether a file's format can hold several scans; False for files that nothing reads."""
    try:
        return find_reader(path).list_series is not None
    except (InputError, OSError):
        return False


def _list(path: Path) -> Scans:
    try:
        return Scans(list_series(path))
    except InputError:
        parts = tuple(dicom_paths(path)) if path.is_dir() else ()
        if len(parts) < 2:
            raise
        return Scans(parts=parts)


def _read(request: ReadScan) -> Scan:
    volume, facts = read_volume(request.path, series=request.series), request.facts
    volume = replace(volume, name=request.name)
    if request.keep_identifiers:
        kept = read_identifiers(request.path)
        written = "; ".join(f"{name}: {value}" for name, value in kept.items())
        sources = MappingProxyType({**volume.sources, "identifiers": written})
        volume = replace(volume, sources=sources)
        facts = replace(
            facts,
            patient_id=facts.patient_id or kept.get(PATIENT),
            visit_date=facts.visit_date or _day(kept.get(VISIT, "")),
        )
    stated = with_geometry(
        volume,
        spacing=VoxelSpacing.from_um(*facts.spacing_um) if facts.spacing_um else None,
        laterality=Laterality(facts.laterality) if facts.laterality else None,
        device=DeviceFamily.named(facts.scanner),
    )
    return Scan(stated, facts)


def _day(text: str) -> str | None:
    """Day of a DICOM date such as 20261121, in ISO 8601."""
    if not re.fullmatch(r"\d{8}", text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").date().isoformat()
    except ValueError:
        return None
