"""Finding the scans of a folder: what the readers know, told by name and a few bytes.

Nothing is parsed here. A damaged file is found all the same; its reader says what is wrong with it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from RetinaTriageLib.cohort.units import Unit
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.dicom_file import is_dicom
from RetinaTriageLib.readers.embedded_picture import DECODER_ERRORS
from RetinaTriageLib.readers.heidelberg_xml import ROOT_TAG
from RetinaTriageLib.readers.pictures import PICTURE_SUFFIXES
from RetinaTriageLib.readers.registry import find_reader

LABELS = ".seg.nrrd"  # segmentations that Slicer or this program wrote
TIFF_SUFFIXES = (".tif", ".tiff")


@dataclass(frozen=True)
class Found:
    """Scans of a cohort.

    Attributes
    ----------
    left_out : ending to the number of files that no reader takes for a scan
    """

    units: tuple[Unit, ...]
    left_out: Mapping[str, int]


def find_scans(folder: Path, skip: Path) -> Found:
    """Find the scans below a folder, in the order of their paths.

    A folder with several DICOM files, and one with pictures of single B-scans, count as one, as
    they do for `retina-triage run`. Hidden files and links to folders are not followed.

    Parameters
    ----------
    skip : folder that is left out, where results go

    Raises
    ------
    InputError
        If there is no such folder, or no scan in it.
    """
    if not folder.is_dir():
        msg = f"{folder} is no folder; expected one with scans, or a .csv file that lists them."
        raise InputError(msg)
    units: list[Unit] = []
    left_out: Counter[str] = Counter()
    for place, names in _folders(folder, skip.resolve()):
        files = [path for name in names if (path := place / name).is_file()]
        units += [
            Unit(path.relative_to(folder).as_posix(), path)
            for path in _scans(place, files, left_out)
        ]
    if not units:
        msg = f"Found no scan in {folder}; expected files that `retina-triage run` reads."
        raise InputError(msg)
    return Found(tuple(sorted(units, key=lambda unit: unit.name)), dict(left_out))


def _folders(folder: Path, skip: Path) -> Iterator[tuple[Path, list[str]]]:
    for name, folders, files in os.walk(folder):
        place = Path(name)
        folders[:] = sorted(
            below
            for below in folders
            if not below.startswith(".") and (place / below).resolve() != skip
        )
        yield place, sorted(file for file in files if not file.startswith("."))


def _scans(place: Path, files: Sequence[Path], left_out: Counter[str]) -> list[Path]:
    """Choose the scans of one folder: files, or the folder itself."""
    dicom: list[Path] = []
    pictures: list[Path] = []
    others: list[Path] = []
    exports: list[Path] = []
    for path in files:
        name = path.name.lower()
        if name.endswith(PICTURE_SUFFIXES):
            pictures.append(path)
        elif name.endswith(".xml") and _starts_an_export(path):
            exports.append(path)
        elif name.endswith((LABELS, ".xml")) or not _is_known(path):
            left_out[path.suffix.lower()] += 1
        elif find_reader(path).title.startswith("DICOM"):
            dicom.append(path)
        else:
            others.append(path)
    whole = [path for path in dicom if _is_whole(path)]
    if exports:  # the pictures beside an export are its B-scans
        return exports + others + dicom
    if len(whole) > 1:
        left_out.update(path.suffix.lower() for path in pictures)
        return [place, *others, *(path for path in dicom if path not in whole)]
    return others + dicom + _picture_scans(place, pictures)


def _picture_scans(place: Path, pictures: list[Path]) -> list[Path]:
    """Take the folder where its pictures are B-scans of one scan, else each file."""
    if len(pictures) == 1 or any(_has_pages(path) for path in pictures):
        return pictures
    return [place] if pictures else []


def _has_pages(path: Path) -> bool:
    if not path.name.lower().endswith(TIFF_SUFFIXES):
        return False
    try:
        with Image.open(path, formats=("TIFF",)) as picture:
            return getattr(picture, "n_frames", 1) > 1
    except DECODER_ERRORS:
        return False


def _is_known(path: Path) -> bool:
    try:
        find_reader(path)
    except (InputError, OSError):
        return False
    return True


def _starts_an_export(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return ROOT_TAG.encode() in file.read(4096).replace(b"\0", b"")
    except OSError:
        return False


def _is_whole(path: Path) -> bool:
    try:
        return is_dicom(path)
    except OSError:
        return False
