"""All readers, and the choice of the right one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.dicom import dicom_paths, list_dicom, read_dicom
from RetinaTriageLib.readers.dicom_file import is_dicom
from RetinaTriageLib.readers.heidelberg_e2e import list_heidelberg_e2e, read_heidelberg_e2e
from RetinaTriageLib.readers.heidelberg_vol import MAGIC, read_heidelberg_vol
from RetinaTriageLib.readers.heidelberg_xml import (
    find_heidelberg_xml,
    list_heidelberg_xml,
    read_heidelberg_xml,
)
from RetinaTriageLib.readers.optovue import list_optovue, read_optovue
from RetinaTriageLib.readers.pictures import (
    picture_paths,
    read_picture_file,
    read_picture_folder,
)
from RetinaTriageLib.readers.regular_grid import read_regular_grid
from RetinaTriageLib.readers.series import SeriesEntry
from RetinaTriageLib.readers.topcon import read_topcon
from RetinaTriageLib.readers.zeiss_img import read_zeiss_img
from RetinaTriageLib.volume import OCTVolume


@dataclass(frozen=True)
class Reader:
    """One format: its title and the function that reads it.

    Attributes
    ----------
    read_along : reads with the B-scan axis that the user states; None where the format knows it
    read_series : reads the scan of a number, counted from 1, of a file that may hold several
    list_series : lists the scans of such a file
    """

    title: str
    read: Callable[[Path], OCTVolume]
    read_along: Callable[[Path, int], OCTVolume] | None = None
    read_series: Callable[[Path, int | None], OCTVolume] | None = None
    list_series: Callable[[Path], tuple[SeriesEntry, ...]] | None = None


_NRRD = Reader("NRRD", read_regular_grid, read_regular_grid)
_NIFTI = Reader("NIfTI", read_regular_grid, read_regular_grid)
_META_IMAGE = Reader("MetaImage", read_regular_grid, read_regular_grid)
_TIFF = Reader("TIFF picture or stack", read_picture_file)
_PICTURE = Reader("B-scan picture", read_picture_file)
_HEIDELBERG_VOL = Reader("Heidelberg .vol", read_heidelberg_vol)
_HEIDELBERG_E2E = Reader(
    "Heidelberg .E2E",
    read_heidelberg_e2e,
    read_series=read_heidelberg_e2e,
    list_series=list_heidelberg_e2e,
)
_HEIDELBERG_XML = Reader(
    "Heidelberg XML with TIFF",
    read_heidelberg_xml,
    read_series=read_heidelberg_xml,
    list_series=list_heidelberg_xml,
)
_DICOM = Reader(
    "DICOM Ophthalmic Tomography", read_dicom, read_series=read_dicom, list_series=list_dicom
)
_TOPCON = Reader("Topcon", read_topcon)
_ZEISS_IMG = Reader("Zeiss Cirrus .img", read_zeiss_img)
_OPTOVUE = Reader("Optovue .OCT", read_optovue, read_series=read_optovue, list_series=list_optovue)
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
    ".e2e": _HEIDELBERG_E2E,
    ".xml": _HEIDELBERG_XML,
    ".dcm": _DICOM,
    ".fda": _TOPCON,
    ".fds": _TOPCON,
    ".img": _ZEISS_IMG,
    ".oct": _OPTOVUE,
}
"""End of the file name, in lower case, to its reader; folders are told by what they hold."""


def read_volume(
    path: Path | str, *, bscan_axis: int | None = None, series: int | None = None
) -> OCTVolume:
    """Volume in a file or folder; the format is told by its name and content.

    Parameters
    ----------
    bscan_axis : array axis of the B-scans (0 is the slowest), for NRRD, NIfTI and MetaImage whose
        spacing does not tell it
    series : which scan of a file that holds several, counted from 1 as `list_series` does

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
    if reader.read_series is None and series not in (None, 1):
        msg = f"{path.name} ({reader.title}) holds one scan; leave out --series {series}."
        raise InputError(msg)
    if bscan_axis is None:
        return reader.read(path) if reader.read_series is None else reader.read_series(path, series)
    if reader.read_along is None:
        msg = f"{path.name} ({reader.title}) states its B-scans itself; leave out --bscan-axis."
        raise InputError(msg)
    return reader.read_along(path, bscan_axis)


def list_series(path: Path | str) -> tuple[SeriesEntry, ...]:
    """List the scans of a file or folder; empty for formats that hold one only.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    path = Path(path)
    reader = find_reader(path)
    return () if reader.list_series is None else reader.list_series(path)


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
            "folder that holds a Heidelberg XML export, DICOM files or pictures of B-scans. "
            "Unpack archives first."
        )
        raise InputError(msg)
    return reader


def _file_reader(path: Path) -> Reader | None:
    name = path.name.lower()
    for suffix in sorted(READERS, key=len, reverse=True):
        if name.endswith(suffix):
            return READERS[suffix]
    if is_dicom(path):
        return _DICOM
    with path.open("rb") as file:
        return _HEIDELBERG_VOL if file.read(len(MAGIC)) == MAGIC else None


def _folder_reader(folder: Path) -> Reader | None:
    if find_heidelberg_xml(folder) is not None:
        return _HEIDELBERG_XML
    if dicom_paths(folder):
        return _DICOM
    return _PICTURE_FOLDER if picture_paths(folder) else None
