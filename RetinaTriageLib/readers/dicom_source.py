"""What results in DICOM repeat of the scan that they come from: its numbers, not its patient.

Without these numbers (UIDs) nothing could say which images a segmentation or report belongs to.
They name no person, yet whoever holds the original images can follow them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.dicom import dicom_file_headers, dicom_headers
from RetinaTriageLib.readers.dicom_file import damaged_values
from RetinaTriageLib.readers.identifiers import read_identifiers
from RetinaTriageLib.readers.registry import READERS, find_reader

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

REQUIRED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
REPEATED = (
    *REQUIRED,
    "FrameOfReferenceUID",
    "InstanceNumber",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "Modality",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
SEXES = ("M", "F", "O")
# Present in every object, empty where identifiers are left out (PS3.3 C.7.1.1 and C.7.2.1, type 2).
IDENTIFYING = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


def read_dicom_source(
    path: Path, series: int | None = None, *, keep_identifiers: bool = False
) -> tuple[Dataset, ...]:
    """Headers of the files of a scan, reduced to what results repeat; none for other formats.

    Parameters
    ----------
    series : which scan of a file or folder that holds several, counted from 1
    keep_identifiers : whether to repeat patient and visit too

    Raises
    ------
    InputError
        If the file cannot be read, or lacks the numbers that references need.
    """
    if find_reader(path) is not READERS[".dcm"]:
        return ()
    return _all_reduced(dicom_headers(path, series), path, keep_identifiers=keep_identifiers)


def dicom_source_of_files(
    paths: Sequence[Path], *, keep_identifiers: bool = False
) -> tuple[Dataset, ...]:
    """`read_dicom_source` of certain files of one scan, as a DICOM database names them."""
    return _all_reduced(dicom_file_headers(paths), paths[0], keep_identifiers=keep_identifiers)


def patient_of(path: Path) -> Mapping[str, str]:
    """Patient in a file of any format, as DICOM attributes; to be read only where asked to."""
    found = read_identifiers(path)
    names = (found.get("LastName", ""), found.get("FirstName") or found.get("FirstNames", ""))
    patient = {
        "PatientName": found.get("PatientName") or "^".join(names).strip("^"),
        "PatientID": found.get("PatientID", ""),
        "PatientSex": found.get("Sex", "") if found.get("Sex") in SEXES else "",
    }
    return {keyword: value for keyword, value in patient.items() if value}


def _all_reduced(
    headers: Sequence[Dataset], path: Path, *, keep_identifiers: bool
) -> tuple[Dataset, ...]:
    with damaged_values(path.name):
        return tuple(_reduced(one, path.name, keep_identifiers=keep_identifiers) for one in headers)


def _reduced(header: Dataset, name: str, *, keep_identifiers: bool) -> Dataset:
    from pydicom.dataset import Dataset

    missing = [keyword for keyword in REQUIRED if not header.get(keyword)]
    if missing:
        msg = (
            f"{name} has no {', '.join(missing)}, which segmentations and reports refer to; export "
            "the scan again, or leave out --dicom-seg and --dicom-sr."
        )
        raise InputError(msg)
    reduced = Dataset()
    for keyword in REPEATED:
        if keyword in header:
            reduced[keyword] = header[keyword]
    for keyword in IDENTIFYING:
        setattr(reduced, keyword, header.get(keyword, "") if keep_identifiers else "")
    if keep_identifiers and "SpecificCharacterSet" in header:
        reduced.SpecificCharacterSet = header.SpecificCharacterSet
    return reduced
