"""What in a scan file identifies a person; read only where the user asks to keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from RetinaTriageLib.readers.binary import open_content, part, text
from RetinaTriageLib.readers.dicom import dicom_paths
from RetinaTriageLib.readers.dicom_file import damaged_values, parse_dicom
from RetinaTriageLib.readers.e2e_directory import read_directory
from RetinaTriageLib.readers.heidelberg_xml import find_heidelberg_xml
from RetinaTriageLib.readers.registry import READERS, find_reader
from RetinaTriageLib.readers.safe_xml import parse_xml
from RetinaTriageLib.readers.topcon_chunks import read_chunks

FILE_NAME = "file name"

# DICOM keywords of PS3.15 E.1 that name or number a patient, visit or device.
DICOM_KEYWORDS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "AccessionNumber",
    "InstitutionName",
    "DeviceSerialNumber",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
)
E2E_PATIENT_TYPE = 9
E2E_PATIENT = {"FirstName": (0, 31), "LastName": (31, 66), "PatientID": (102, 25)}
TOPCON_PATIENT = "@PATIENT_INFO_02"
TOPCON_FIELDS = {"PatientID": (0, 32), "FirstName": (32, 32), "LastName": (64, 32)}
VOL_FIELDS = {"ID": (104, 16), "ReferenceID": (120, 16), "PatientID": (140, 21)}
XML_TAGS = ("LastName", "FirstNames", "PatientID", "Sex")


def read_identifiers(path: Path) -> Mapping[str, str]:
    """Find the identifiers that a file or folder holds, by name; its file name is always one.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    read = _READ.get(find_reader(path).title)
    found = {} if read is None else read(path)
    kept = {name: value for name, value in found.items() if value}
    return MappingProxyType({FILE_NAME: path.resolve().name, **kept})


def _dicom(path: Path) -> dict[str, str]:
    file = dicom_paths(path)[0] if path.is_dir() else path
    dataset = parse_dicom(file, pixels=False)
    with damaged_values(path.name):
        return {keyword: str(dataset.get(keyword, "")) for keyword in DICOM_KEYWORDS}


def _e2e(path: Path) -> dict[str, str]:
    file = read_directory(open_content(path), path.name)
    for item in file.items[file.items["type"] == E2E_PATIENT_TYPE]:
        return _fields(file.payload(item).tobytes(), E2E_PATIENT)
    return {}


def _topcon(path: Path) -> dict[str, str]:
    chunks = read_chunks(open_content(path), path.name)
    if TOPCON_PATIENT not in chunks:
        return {}
    return _fields(chunks[TOPCON_PATIENT][0].tobytes(), TOPCON_FIELDS)


def _vol(path: Path) -> dict[str, str]:
    header = part(open_content(path), 0, 2048, f"Header of {path.name}")
    return _fields(header.tobytes(), VOL_FIELDS)


def _xml(path: Path) -> dict[str, str]:
    file = find_heidelberg_xml(path) if path.is_dir() else path
    if file is None:
        return {}
    patient = parse_xml(file).find(".//Patient")
    if patient is None:
        return {}
    return {tag: patient.findtext(tag, "").strip() for tag in XML_TAGS}


def _fields(content: bytes, fields: Mapping[str, tuple[int, int]]) -> dict[str, str]:
    return {name: text(content[start : start + size]) for name, (start, size) in fields.items()}


_READ: Mapping[str, Callable[[Path], dict[str, str]]] = {
    READERS[".dcm"].title: _dicom,
    READERS[".e2e"].title: _e2e,
    READERS[".fda"].title: _topcon,
    READERS[".vol"].title: _vol,
    READERS[".xml"].title: _xml,
}
