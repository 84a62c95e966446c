"""Pictures with a class each, or several: from class folders, or from a CSV.

Every picture belongs to a patient. Class folders say nothing about patients, so a rule has to tell
them by the file names (`image_patients`); a CSV may hold them in a column.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.pictures import PICTURE_SUFFIXES
from RetinaTriageLib.training.image_patients import PatientRule, patients_of

SEPARATOR = ";"  # between the classes of one picture
SHOWN_NAMES = 5


@dataclass(frozen=True)
class LabeledImage:
    """One picture and what is known about it.

    Attributes
    ----------
    name : path relative to the set, with forward slashes
    present : whether each class is present, in the order of the set's classes
    scan : the volume that it is a B-scan of; empty where that is not known
    """

    path: Path
    name: str
    present: tuple[bool, ...]
    patient: str
    scan: str = ""


@dataclass(frozen=True)
class ImageSet:
    """Labeled pictures with the classes that they are told apart by."""

    classes: tuple[str, ...]
    images: tuple[LabeledImage, ...]

    @property
    def truth(self) -> npt.NDArray[np.bool_]:
        """Whether each class is present, (image, class)."""
        return presence(self.images)


@dataclass(frozen=True)
class Columns:
    """Names of the columns of a CSV; a missing column ``patient`` needs a rule instead.

    Attributes
    ----------
    scan : volume that a picture is a B-scan of; may be missing
    """

    file: str = "file"
    label: str = "class"
    patient: str = "patient"
    scan: str = "scan"


def presence(images: Sequence[LabeledImage]) -> npt.NDArray[np.bool_]:
    """Whether each class is present, (image, class)."""
    return np.array([image.present for image in images], np.bool_)


def class_folders(folder: Path, rule: PatientRule) -> ImageSet:
    """Pictures of a folder that has one folder a class; a class is named as its folder.

    Pictures may lie in folders below the class folder, one a patient for example.

    Parameters
    ----------
    rule : tells patients by names such as ``DRUSEN/DRUSEN-53018-1.jpeg``

    Raises
    ------
    InputError
        If there are fewer than two classes with pictures, or a patient cannot be told.
    """
    labels: dict[str, str] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        name = path.relative_to(folder)
        shown = not any(part.startswith(".") for part in name.parts)
        if path.suffix.lower() in PICTURE_SUFFIXES and len(name.parts) > 1 and shown:
            labels[name.as_posix()] = name.parts[0]
    if len(set(labels.values())) < 2:
        msg = (
            f"Found pictures of {len(set(labels.values()))} classes in {folder}; expected a folder "
            "for each of two or more classes, with PNG, JPEG or TIFF files."
        )
        raise InputError(msg)
    patients = patients_of(labels, rule)
    return _image_set(folder, {name: (label,) for name, label in labels.items()}, patients)


def csv_images(
    table: Path, rule: PatientRule, columns: Columns | None = None, folder: Path | None = None
) -> ImageSet:
    """Pictures that a CSV names, with their classes and patients.

    Parameters
    ----------
    table : one row a picture; several classes of a picture are parted by ";", none is an empty cell
    rule : tells patients by file names, where it has a pattern; else the column does
    columns : names of the columns
    folder : where the files lie; the folder of the CSV unless given

    Raises
    ------
    InputError
        If a column or a file is missing, a file comes twice, or a patient cannot be told.
    """
    columns, folder = columns or Columns(), folder or table.parent
    rows = _rows(table, columns)
    names = [row[columns.file].strip().replace("\\", "/") for row in rows]
    _refuse(table, "files that come twice", (n for n, times in Counter(names).items() if times > 1))
    _refuse(table, "files that are missing", (n for n in names if not (folder / n).is_file()))
    labels = {
        name: tuple(part.strip() for part in row[columns.label].split(SEPARATOR) if part.strip())
        for name, row in zip(names, rows, strict=True)
    }
    if rule.pattern is not None:
        patients = patients_of(names, rule)
    elif columns.patient in rows[0]:
        stated = {n: row[columns.patient].strip() for n, row in zip(names, rows, strict=True)}
        _refuse(table, "files without a patient", (n for n in names if not stated[n]))
        patients = patients_of(names, rule, stated)
    else:
        msg = (
            f"Found no column {columns.patient!r} in {table.name}; expected the patient of each "
            "picture, or a pattern that tells patients by file names. Add the column."
        )
        raise InputError(msg)
    found = _image_set(folder, labels, patients)
    scans = [row.get(columns.scan, "").strip() for row in rows]
    return replace(
        found,
        images=tuple(
            # Scans of two patients may have the same name.
            replace(image, scan=f"{image.patient} {scan}" if scan else "")
            for image, scan in zip(found.images, scans, strict=True)
        ),
    )


def _rows(table: Path, columns: Columns) -> list[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{table} cannot be read as a CSV in UTF-8 ({error}); export it again."
        raise InputError(msg) from error
    found = list(rows[0]) if rows else []
    if columns.file not in found or columns.label not in found:
        msg = (
            f"Found {len(rows)} rows with columns {', '.join(found) or 'none'} in {table.name}; "
            f"expected {columns.file} and {columns.label}. Name the columns, or correct the table."
        )
        raise InputError(msg)
    return rows


def _image_set(
    folder: Path, labels: Mapping[str, Sequence[str]], patients: Mapping[str, str]
) -> ImageSet:
    classes = tuple(sorted({label for of_image in labels.values() for label in of_image}))
    if not classes:
        msg = "Found no class in the table; expected at least one picture with a class."
        raise InputError(msg)
    images = (
        LabeledImage(folder / name, name, tuple(c in present for c in classes), patients[name])
        for name, present in labels.items()
    )
    return ImageSet(classes, tuple(images))


def _refuse(table: Path, what: str, names: Iterable[str]) -> None:
    found = sorted(names)
    if found:
        shown = ", ".join(found[:SHOWN_NAMES]) + (", ..." if len(found) > SHOWN_NAMES else "")
        msg = f"Found {len(found)} {what} in {table.name} ({shown}); correct the table."
        raise InputError(msg)
