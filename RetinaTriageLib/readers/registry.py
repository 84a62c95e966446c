"""All readers, and the choice of the right one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.heidelberg_vol import MAGIC, read_heidelberg_vol
from RetinaTriageLib.readers.heidelberg_xml import find_heidelberg_xml, read_heidelberg_xml
from RetinaTriageLib.readers.pictures import (
    picture_paths,
    read_picture_file,
    read_picture_folder,
)
from RetinaTriageLib.readers.regular_grid import read_regular_grid
from RetinaTriageLib.volume import OCTVolume


@dataclass(frozen=True)
class Reader:
    """One format: its title and the function that reads it.

    Attributes
    ----------
    read_along : reads with the B-scan axis that the user states; None where the format knows it
    """

    title: str
    read: Callable[[Path], OCTVolume]
    read_along: Callable[[Path, int], OCTVolume] | None = None


_NRRD = Reader("NRRD", read_regular_grid, read_regular_grid)
_NIFTI = Reader("NIfTI", read_regular_grid, read_regular_grid)
_META_IMAGE = Reader("MetaImage", read_regular_grid, read_regular_grid)
_TIFF = Reader("TIFF picture or stack", read_picture_file)
_PICTURE = Reader("B-scan picture", read_picture_file)
_HEIDELBERG_VOL = Reader("Heidelberg .vol", read_heidelberg_vol)
_HEIDELBERG_XML = Reader("Heidelberg XML with TIFF", read_heidelberg_xml)
_PICTURE_FOLDER = Reader("folder of B-scan pictures", read_picture_folder)

READERS: Mapping[str, Reader] = {
    ".nrrd": _NRRD,
    ".nhdr": _NRRD,
    ".nii": _NIFTI,
    ".nii.gz": _NIFTI,
    ".mha": _META_IMAGE,
    ".mhd": _META_IMAGE,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".png": _PICTURE,
    ".jpg": _PICTURE,
    ".jpeg": _PICTURE,
    ".vol": _HEIDELBERG_VOL,
    ".xml": _HEIDELBERG_XML,
}
"""End of the file name, in lower case, to its reader; folders are told by what they hold."""


def read_volume(path: Path | str, *, bscan_axis: int | None = None) -> OCTVolume:
    """Volume in a file or folder; the format is told by its name and content.

    Parameters
    ----------
    bscan_axis : array axis of the B-scans (0 is the slowest), for NRRD, NIfTI and MetaImage whose
        spacing does not tell it

    Raises
    ------
    InputError
        If there is no such file, no reader for it, or its content cannot be used.

    Examples
    --------
    >>> read_volume("scan.docx")
    Traceback (most recent call last):
    ...
    RetinaTriageLib.errors.InputError: scan.docx does not exist; check the path.
    """
    path = Path(path)
    reader = find_reader(path)
    if bscan_axis is None:
        return reader.read(path)
    if reader.read_along is None:
        msg = f"{path.name} ({reader.title}) states its B-scans itself; leave out --bscan-axis."
        raise InputError(msg)
    return reader.read_along(path, bscan_axis)


def find_reader(path: Path) -> Reader:
    """Reader for a file or folder.

    Raises
    ------
    InputError
        If the path does not exist or nothing here reads it; the message lists what can be read.
    """
    if not path.exists():
        msg = f"{path.name} does not exist; check the path."
        raise InputError(msg)
    reader = _folder_reader(path) if path.is_dir() else _file_reader(path)
    if reader is None:
        msg = (
            f"{path.name} cannot be read; expected a file ending in {', '.join(READERS)}, or a "
            "folder that holds a Heidelberg XML export or pictures of B-scans."
        )
        raise InputError(msg)
    return reader


def _file_reader(path: Path) -> Reader | None:
    name = path.name.lower()
    for suffix in sorted(READERS, key=len, reverse=True):
        if name.endswith(suffix):
            return READERS[suffix]
    with path.open("rb") as file:
        return _HEIDELBERG_VOL if file.read(len(MAGIC)) == MAGIC else None


def _folder_reader(folder: Path) -> Reader | None:
    if find_heidelberg_xml(folder) is not None:
        return _HEIDELBERG_XML
    return _PICTURE_FOLDER if picture_paths(folder) else None
