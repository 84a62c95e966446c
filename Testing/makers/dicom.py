"""DICOM Ophthalmic Tomography Images, and the photograph on which their B-scans lie."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    generate_uid,
)

from makers.scan import NAMES, bscan_lines, jpeg_2000
from RetinaTriageLib.readers.dicom import OPT
from RetinaTriageLib.volume import Laterality, OCTVolume

PHOTOGRAPH = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
LOCALIZER_PIXEL_MM = 0.1
LPS = np.array([-1, -1, 1])
_numbers = count()


@dataclass(frozen=True)
class Layout:
    """How a data set says things.

    Attributes
    ----------
    grouped : functional groups, as the standard has it, or attributes at the top
    positioned : patient positions of the B-scans
    located : their place on the localizer
    between : a distance between B-scans
    """

    grouped: bool = True
    positioned: bool = True
    located: bool = False
    between: bool = False
    syntax: UID = ExplicitVRLittleEndian
    maker: str = "Heidelberg Engineering"
    model: str = "Spectralis"


ENHANCED = Layout()
OLDER = Layout(grouped=False, positioned=False, between=True)
JPEG_2000 = Layout(syntax=JPEG2000Lossless)
JPEG_LS = Layout(syntax=JPEGLSLossless)


def write_dicom(path: Path, volume: OCTVolume, layout: Layout = ENHANCED, change=None) -> Path:
    """One multi-frame file; ``change`` may alter the data set before it is written."""
    dataset = opt_dataset(volume, layout)
    if change is not None:
        change(dataset)
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_single_frames(folder: Path, volume: OCTVolume) -> Path:
    """A folder with one file a B-scan, an older layout; names run against the order of B-scans."""
    folder.mkdir()
    series = _uid()
    for number, bscan in enumerate(volume.voxels):
        dataset = opt_dataset(volume, Layout(grouped=False, positioned=False))
        dataset.SeriesInstanceUID, dataset.InstanceNumber = series, number + 1
        dataset.ImagePositionPatient = _position(volume, number)
        dataset.ImageOrientationPatient = _axes(volume)
        dataset.NumberOfFrames, dataset.PixelData = 1, bscan.tobytes()
        dataset.save_as(folder / f"{99 - number}.dcm", enforce_file_format=True)
    return folder


def write_photograph(path: Path, opt: Dataset) -> Path:
    """The 30 x 40 photograph that a data set's B-scans refer to."""
    frame = opt.PerFrameFunctionalGroupsSequence[0]
    reference = frame.OphthalmicFrameLocationSequence[0].ReferencedSOPInstanceUID
    dataset = _base(PHOTOGRAPH, ExplicitVRLittleEndian)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = reference
    _set_pixels(dataset, np.arange(1200, dtype=np.uint16).reshape(1, 30, 40).astype(np.uint8))
    dataset.save_as(path, enforce_file_format=True)
    return path


def opt_dataset(volume: OCTVolume, layout: Layout = ENHANCED) -> Dataset:
    """Data set of a scan."""
    dataset = _base(OPT, layout.syntax)
    dataset.Manufacturer, dataset.ManufacturerModelName = layout.maker, layout.model
    dataset.OphthalmicVolumetricPropertiesFlag = "YES"
    if volume.laterality is not None:
        dataset.ImageLaterality = "R" if volume.laterality is Laterality.OD else "L"
    spacing = volume.require_spacing()
    measures = Dataset()
    measures.PixelSpacing = [spacing.depth_mm, spacing.width_mm]
    measures.SliceThickness = 0.02
    if layout.between:
        measures.SpacingBetweenSlices = spacing.bscan_mm
    if layout.grouped:
        shared = Dataset()
        shared.PixelMeasuresSequence = [measures]
        dataset.SharedFunctionalGroupsSequence = [shared]
        reference = _uid()
        dataset.PerFrameFunctionalGroupsSequence = [
            _frame(volume, number, layout, reference) for number in range(volume.shape[0])
        ]
    else:
        dataset.update(measures)
    _set_pixels(dataset, volume.voxels)
    return dataset


def _frame(volume: OCTVolume, number: int, layout: Layout, reference: str) -> Dataset:
    frame = Dataset()
    if layout.positioned:
        position, plane = Dataset(), Dataset()
        position.ImagePositionPatient = _position(volume, number)
        plane.ImageOrientationPatient = _axes(volume)
        frame.PlanePositionSequence, frame.PlaneOrientationSequence = [position], [plane]
    if layout.located:
        location = Dataset()
        location.ReferencedSOPClassUID, location.ReferencedSOPInstanceUID = PHOTOGRAPH, reference
        location.ReferenceCoordinates = list(_track(volume, number))
        frame.OphthalmicFrameLocationSequence = [location]
    return frame


def _track(volume: OCTVolume, number: int) -> np.ndarray:
    """Row and column of the first and last A-scan on the photograph."""
    starts, ends = bscan_lines(volume)
    start, end = starts[number], ends[number]
    last = start + (end - start) * (volume.shape[2] - 1) / volume.shape[2]
    return np.array([start[1], start[0], last[1], last[0]]) / LOCALIZER_PIXEL_MM


def _position(volume: OCTVolume, number: int) -> list[float]:
    step = volume.directions[:, 2] * (volume.require_spacing().bscan_mm or 0.0) * number
    return [float(value) for value in (np.array(volume.origin_mm) + step) * LPS]


def _axes(volume: OCTVolume) -> list[float]:
    return [float(v) for axis in (0, 1) for v in volume.directions[:, axis] * LPS]


def _uid() -> str:
    """UID that is new in this process and the same in every one, so that runs can be repeated."""
    return generate_uid(entropy_srcs=["made", str(next(_numbers))])


def _base(kind: str, syntax: UID) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = kind
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = _uid()
    dataset.SeriesInstanceUID, dataset.StudyInstanceUID = _uid(), _uid()
    dataset.PatientName, dataset.PatientID = f"{NAMES[0]}^{NAMES[1]}", NAMES[2]
    dataset.PatientBirthDate = NAMES[3]
    return dataset


def _set_pixels(dataset: Dataset, voxels: np.ndarray) -> None:
    frames, dataset.Rows, dataset.Columns = voxels.shape
    dataset.NumberOfFrames = frames
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.PixelRepresentation = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * voxels.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        dataset.PixelData = voxels.tobytes().ljust(voxels.nbytes + voxels.nbytes % 2, b"\0")
        return
    dataset.PixelData = encapsulate([_stream(frame, syntax) for frame in voxels])
    dataset["PixelData"].VR = "OB"


def _stream(frame: np.ndarray, syntax: UID) -> bytes:
    if syntax == JPEG2000Lossless:
        return jpeg_2000(frame)
    import jpeg_ls

    return bytes(jpeg_ls.encode_array(frame))
