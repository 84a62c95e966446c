"""The images that results in DICOM refer to: those of the scan, or a copy of it made for them.

A segmentation has to name the images that it lies on. A scan that came as DICOM has them. For
other formats a copy is written as multi-frame Secondary Capture, which is DICOM's class for images
converted from elsewhere. An Ophthalmic Tomography Image is not made: it has to state detector,
wavelength and acquisition time, which the formats of the vendors do not hold.

References
----------
DICOM PS3.3 A.8.3 and A.8.4 (multi-frame grayscale byte and word Secondary Capture), C.7.6.16
(functional groups).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.version import VERSION
from RetinaTriageLib.volume import Laterality, OCTVolume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])
CAPTURE_OF_BYTES = "1.2.840.10008.5.1.4.1.1.7.2"
CAPTURE_OF_WORDS = "1.2.840.10008.5.1.4.1.1.7.3"
SIDES = {Laterality.OD: "R", Laterality.OS: "L"}
MAKER = "RetinaTriage"
NOBODY: Mapping[str, str] = MappingProxyType({})


def placed_image(volume: OCTVolume, headers: Sequence[Dataset]) -> Dataset:
    """One header for all frames of a scan, placed where the volume lies.

    Old and partial headers state places in several ways or not at all; the reader has found them.

    Parameters
    ----------
    headers : of the files of the scan, in the order of its B-scans

    Raises
    ------
    GeometryError
        If the spacing of the volume is unknown.
    InputError
        If the files hold another number or size of frames than the volume.
    """
    from pydicom.uid import generate_uid

    frames = sum(int(header.get("NumberOfFrames") or 1) for header in headers)
    found = (frames, int(headers[0].Rows), int(headers[0].Columns))
    if found != volume.shape:
        msg = (
            f"The DICOM files hold {found} (frame, row, column) and the volume {volume.shape}; "
            "expected the volume as it was read from them."
        )
        raise InputError(msg)
    image = deepcopy(headers[0])
    image.NumberOfFrames = frames
    if not image.get("FrameOfReferenceUID"):
        image.FrameOfReferenceUID = generate_uid()
    image.PositionReferenceIndicator = ""
    _place(image, volume)
    return image


def captured_image(volume: OCTVolume, patient: Mapping[str, str] = NOBODY) -> Dataset:
    """Copy of a volume as multi-frame Secondary Capture; holds nothing but voxels and geometry.

    Voxels keep their values, except that 32 bit ones are spread over 16 bits.

    Parameters
    ----------
    patient : attributes to repeat, such as ``PatientID``; none as a rule

    Raises
    ------
    GeometryError
        If the spacing is unknown.
    """
    from highdicom.base import SOPClass
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    voxels = _whole_numbers(volume.voxels)
    image: Any = SOPClass(
        study_instance_uid=generate_uid(),
        series_instance_uid=generate_uid(),
        series_number=1,
        sop_instance_uid=generate_uid(),
        sop_class_uid=CAPTURE_OF_BYTES if voxels.itemsize == 1 else CAPTURE_OF_WORDS,
        instance_number=1,
        modality="OPT",
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=VERSION,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        patient_id=patient.get("PatientID", ""),
        patient_name=patient.get("PatientName", ""),
        patient_birth_date="",
        patient_sex=patient.get("PatientSex") or None,
        study_id="",
        accession_number="",
        study_date="",
        study_time="",
    )
    image.SeriesDescription = "OCT volume converted for RetinaTriage results"
    image.ConversionType = "WSD"
    image.ImageType = ["DERIVED", "SECONDARY"]
    image.BurnedInAnnotation = "NO"
    image.PatientOrientation = ""
    now = datetime.now(tz=UTC)
    image.ContentDate, image.ContentTime = now.date(), now.time()
    if volume.laterality is not None:
        image.Laterality = SIDES[volume.laterality]
    image.FrameOfReferenceUID, image.PositionReferenceIndicator = generate_uid(), ""
    _set_pixels(image, voxels)
    _place(image, volume)
    return image  # type: ignore[no-any-return]


def _place(image: Dataset, volume: OCTVolume) -> None:
    """Write spacing and positions of all frames as functional groups, in LPS."""
    from highdicom import PixelMeasuresSequence, PlaneOrientationSequence, PlanePositionSequence
    from pydicom import Dataset

    if volume.spacing is None:
        msg = (
            f"Spacing of {volume.name} is unknown, and DICOM results have to state it; pass "
            "--spacing-um BSCAN DEPTH WIDTH."
        )
        raise GeometryError(msg)
    spacing = volume.spacing
    affine = volume.ijk_to_ras()
    between_mm = spacing.bscan_mm or spacing.width_mm
    width, depth = (volume.directions[:, axis] * RAS_TO_LPS for axis in (0, 1))
    shared: Any = Dataset()
    shared.PixelMeasuresSequence = PixelMeasuresSequence(
        pixel_spacing=(spacing.depth_mm, spacing.width_mm),
        slice_thickness=between_mm,
        spacing_between_slices=spacing.bscan_mm,
    )
    shared.PlaneOrientationSequence = PlaneOrientationSequence("PATIENT", [*width, *depth])
    frames = []
    for number in range(volume.shape[0]):
        position = (affine[:3, 3] + affine[:3, 2] * number) * RAS_TO_LPS
        frame: Any = Dataset()
        frame.PlanePositionSequence = PlanePositionSequence("PATIENT", position)
        frames.append(frame)
    image.SharedFunctionalGroupsSequence = [shared]
    image.PerFrameFunctionalGroupsSequence = frames


def _set_pixels(image: Any, voxels: npt.NDArray[Any]) -> None:
    image.NumberOfFrames, image.Rows, image.Columns = voxels.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.PixelRepresentation = 0
    image.BitsAllocated = image.BitsStored = 8 * voxels.itemsize
    image.HighBit = image.BitsStored - 1
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = 0, 1, "US"
    image.PresentationLUTShape = "IDENTITY"
    image.LossyImageCompression = "00"
    if voxels.shape[0] > 1:  # the standard forbids it for a single frame
        image.FrameIncrementPointer = 0x00182001
        image.PageNumberVector = list(range(1, voxels.shape[0] + 1))
    content = voxels.tobytes()
    image.PixelData = content + b"\0" * (len(content) % 2)
    image["PixelData"].VR = "OB" if voxels.itemsize == 1 else "OW"


def _whole_numbers(voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if voxels.dtype != np.float32:
        return voxels
    low, high = float(voxels.min()), float(voxels.max())
    spread = (voxels.astype(np.float64) - low) * (65535 / (high - low))
    return np.rint(spread).astype(np.uint16)
