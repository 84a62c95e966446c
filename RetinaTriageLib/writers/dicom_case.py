"""DICOM files of a case: segmentation, report, and a copy of the scan where it was no DICOM.

Written with highdicom, which is optional. Patient and visit are left out unless the user keeps
them; objects without a patient have to be assigned to one before an archive takes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.errors import MissingPackageError
from RetinaTriageLib.readers.dicom_source import IDENTIFYING, patient_of, read_dicom_source
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.case_folder import FileWriter
from RetinaTriageLib.writers.dicom_image import NOBODY, captured_image, placed_image
from RetinaTriageLib.writers.dicom_seg import dicom_segmentation
from RetinaTriageLib.writers.dicom_sr import dicom_report

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SEGMENTATION_FILE = "segmentation.dcm"
REPORT_FILE = "report.dcm"
SCAN_FILE = "scan.dcm"
INSTALL = "install it with: pip install 'retina-triage[dicom]'"


@dataclass(frozen=True)
class DicomSource:
    """What DICOM results repeat of the scan.

    Attributes
    ----------
    files : headers of its DICOM files; none for other formats
    patient : attributes to repeat in the copy of a scan of another format
    """

    files: tuple[Dataset, ...] = ()
    patient: Mapping[str, str] = field(default_factory=lambda: NOBODY)

    @property
    def privacy(self) -> str:
        """Sentence on what DICOM results repeat that can lead to a person."""
        kept = list(self.patient)
        if self.files:
            kept = [keyword for keyword in IDENTIFYING if self.files[0].get(keyword)]
        numbers = "the UIDs of the images" if self.files else "no number of the scan"
        if kept:
            return f"DICOM results repeat {numbers} and {', '.join(kept)}."
        return (
            f"DICOM results repeat {numbers} and nothing of patient or visit; an archive needs "
            "them, --keep-identifiers keeps them."
        )


def find_dicom_source(
    path: Path, series: int | None = None, *, keep_identifiers: bool = False
) -> DicomSource:
    """Find what results repeat of a scan file.

    Parameters
    ----------
    keep_identifiers : whether to repeat the patient and, of DICOM files, the visit

    Raises
    ------
    InputError
        If highdicom is missing or the file cannot be used.
    """
    require_highdicom()
    files = read_dicom_source(path, series, keep_identifiers=keep_identifiers)
    patient = patient_of(path) if keep_identifiers and not files else NOBODY
    return DicomSource(files, patient)


def require_highdicom() -> None:
    """Refuse to go on without highdicom.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    if find_spec("highdicom") is None:
        msg = f"DICOM results need highdicom, which is not installed; {INSTALL}"
        raise MissingPackageError(msg, "highdicom>=0.27")


def dicom_objects(
    result: TriageResult, source: DicomSource, *, segmentation: bool, report: bool
) -> dict[str, Dataset]:
    """File name to data set: the results asked for, and the copy of a scan that was no DICOM.

    Raises
    ------
    GeometryError
        If the spacing is unknown.
    InputError
        If the source does not fit the volume.
    """
    objects: dict[str, Dataset] = {}
    files: Sequence[Dataset] = source.files
    if files:
        image = placed_image(result.volume, files)
    else:
        image = objects[SCAN_FILE] = captured_image(result.volume, source.patient)
        files = (image,)
    if segmentation:
        objects[SEGMENTATION_FILE] = dicom_segmentation(
            result.consensus, result.vocabulary.tissues, image, files, result.provenance
        )
    if report:
        objects[REPORT_FILE] = dicom_report(result, files, objects.get(SEGMENTATION_FILE))
    return objects


def dicom_writers(
    result: TriageResult, source: DicomSource, *, segmentation: bool, report: bool
) -> Mapping[str, FileWriter]:
    """File names and writers of `dicom_objects`, for the case folder."""
    objects = dicom_objects(result, source, segmentation=segmentation, report=report)
    return {name: partial(_save, dataset) for name, dataset in objects.items()}


def _save(dataset: Dataset, path: Path) -> None:
    dataset.save_as(path, enforce_file_format=True)
