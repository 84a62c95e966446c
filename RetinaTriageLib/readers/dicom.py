"""DICOM Ophthalmic Tomography: one multi-frame file, or a folder that may hold several scans.

Single-frame files of one series, an older layout, are taken together as one scan. The localizer is
read where its file lies in the same folder.

References
----------
DICOM PS3.3 A.52 (Ophthalmic Tomography Image). Checked on files that this project's own tests
write, not on files of a scanner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.dicom_file import (
    damaged_values,
    is_dicom,
    parse_dicom,
    stored_instance,
)
from RetinaTriageLib.readers.dicom_frames import (
    Frame,
    dicom_device,
    dicom_frames,
    dicom_laterality,
)
from RetinaTriageLib.readers.dicom_pixels import dicom_voxels, frame_count, picture_pixels
from RetinaTriageLib.readers.dicom_placement import (
    DicomPlacement,
    place_frames,
    placeholder_spacing,
)
from RetinaTriageLib.readers.series import SeriesEntry, choose_series
from RetinaTriageLib.readers.spacing import believed_spacing
from RetinaTriageLib.volume import (
    DeviceRecord,
    Localizer,
    OCTVolume,
    ScanPattern,
    VoxelSpacing,
)

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

OPT = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"
MOST_FILES = 4096
RAW_REFUSED = "raw data in the maker's private form; export Ophthalmic Tomography Images"
PLACEHOLDER = (
    "Spacing is unknown: the file holds the placeholders that OCT-Converter writes; read the "
    "scanner's own file, or state it with --spacing-um."
)


@dataclass(frozen=True)
class _Scan:
    entry: SeriesEntry
    paths: tuple[Path, ...]
    datasets: tuple[FileDataset, ...] = ()  # with their pixels, where they were read already


def read_dicom(path: Path, series: int | None = None) -> OCTVolume:
    """One scan of a file or folder.

    Raises
    ------
    InputError
        If pydicom is missing, no scan is there or none was chosen of several, or it is damaged,
        obfuscated or of a compression that cannot be decoded here.
    GeometryError
        If its B-scans are unevenly spaced or of both eyes.
    """
    scans = _scans(path, pixels=path.is_file())
    scan = scans[choose_series([scan.entry for scan in scans], series, path.name)]
    datasets = scan.datasets or [parse_dicom(file, pixels=True) for file in scan.paths]
    with damaged_values(path.name):
        return _volume(datasets, path)


def read_dicom_files(paths: Sequence[Path]) -> OCTVolume:
    """Scan of certain files, which make up one scan, as a DICOM database names them.

    Raises
    ------
    InputError, GeometryError
        As `read_dicom` does.
    """
    datasets = [parse_dicom(file, pixels=True) for file in paths]
    with damaged_values(paths[0].name):
        return _volume(datasets, paths[0])


def list_dicom(path: Path) -> tuple[SeriesEntry, ...]:
    """List the scans of a file or folder."""
    return tuple(scan.entry for scan in _scans(path))


def dicom_headers(path: Path, series: int | None = None) -> tuple[FileDataset, ...]:
    """Read the headers of one scan, its files in the order of their B-scans.

    Raises
    ------
    InputError
        As `read_dicom` does.
    """
    scans = _scans(path)
    scan = scans[choose_series([scan.entry for scan in scans], series, path.name)]
    return dicom_file_headers(scan.paths)


def dicom_file_headers(paths: Sequence[Path]) -> tuple[FileDataset, ...]:
    """Read the headers of certain files of one scan, in the order of their B-scans."""
    headers = [parse_dicom(file, pixels=False) for file in paths]
    with damaged_values(paths[0].name):
        return tuple(_in_order(headers))


def dicom_paths(folder: Path) -> list[Path]:
    """DICOM files of a folder, without its subfolders."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if len(files) > MOST_FILES:
        msg = f"{folder.name} holds {len(files)} files; expected at most {MOST_FILES}."
        raise InputError(msg)
    return [path for path in files if is_dicom(path)]


def _scans(path: Path, *, pixels: bool = False) -> list[_Scan]:
    """Find the scans of a file or folder; ``pixels`` saves reading a single file twice."""
    paths = dicom_paths(path) if path.is_dir() else [path]
    headers = [(parse_dicom(file, pixels=pixels), file) for file in paths]
    with damaged_values(path.name):
        found = [(_series_key(header, file), header, file) for header, file in headers]
        found = sorted((entry for entry in found if entry[0]), key=lambda entry: entry[0])
        scans = []
        for number, (_, group) in enumerate(groupby(found, key=lambda entry: entry[0]), 1):
            members = list(group)
            entry = _entry(number, [header for _, header, _ in members])
            kept = tuple(header for _, header, _ in members) if pixels else ()
            scans.append(_Scan(entry, tuple(file for _, _, file in members), kept))
    if not scans:
        msg = (
            f"{path.name} holds no Ophthalmic Tomography Image; expected SOP class {OPT}. Choose "
            "the OCT scan, not a photograph, report or segmentation."
        )
        raise InputError(msg)
    return scans


def _series_key(header: FileDataset, path: Path) -> tuple[str, ...]:
    """Return what files of one scan share; empty for files that are no OCT scan."""
    kind = str(header.get("SOPClassUID", ""))
    if kind not in (OPT, RAW_DATA):
        return ()
    series = str(header.get("SeriesInstanceUID", ""))
    alone = frame_count(header) > 1 or kind == RAW_DATA or not series
    size = f"{header.get('Rows')} x {header.get('Columns')}"
    return (series, kind, size, path.name if alone else "")


def _entry(number: int, headers: Sequence[FileDataset]) -> SeriesEntry:
    first = headers[0]
    if str(first.get("SOPClassUID", "")) == RAW_DATA:
        return SeriesEntry(number, "raw data", RAW_REFUSED)
    frames = sum(frame_count(header) for header in headers)
    eye = dicom_laterality(dicom_frames(first, "file", most=1), first)
    size = f"{frames} B-scans of {first.get('Rows')} x {first.get('Columns')}"
    return SeriesEntry(number, f"{eye.value if eye else 'eye unknown'}, {size}")


def _volume(datasets: Sequence[FileDataset], path: Path) -> OCTVolume:
    datasets = _in_order(datasets)
    parts = [dicom_voxels(dataset, path.name) for dataset in datasets]
    voxels = parts[0] if len(parts) == 1 else np.concatenate(parts)
    frames = [frame for dataset in datasets for frame in dicom_frames(dataset, path.name)]
    first = datasets[0]
    placement, spacing, assumed = _geometry(frames, first, voxels.shape[2])
    laterality, device = dicom_laterality(frames, first), dicom_device(first)
    facts = {"spacing": spacing, "laterality": laterality, "device": device}
    sources = {fact: "DICOM header" for fact, value in facts.items() if value is not None}
    if spacing is not None and placement.source:
        sources["spacing"] = (
            f"DICOM Pixel Spacing (B-scan: {placement.source.removeprefix('DICOM ')})"
        )
    if placement.source and not placement.assumed:
        sources["directions"] = placement.source
    return OCTVolume(
        voxels,
        spacing,
        laterality,
        device,
        placement.pattern,
        placement.directions,
        placement.origin_mm if spacing is not None else (0.0, 0.0, 0.0),
        name=path.resolve().name if path.is_dir() else path.stem,
        sources=MappingProxyType(sources),
        assumed=assumed,
        record=DeviceRecord(_localizer(frames, placement, path)),
    )


def _in_order(datasets: Sequence[FileDataset]) -> Sequence[FileDataset]:
    if len(datasets) < 2:
        return datasets
    return sorted(datasets, key=lambda dataset: int(dataset.get("InstanceNumber") or 0))


def _geometry(
    frames: Sequence[Frame], dataset: FileDataset, columns: int
) -> tuple[DicomPlacement, VoxelSpacing | None, tuple[str, ...]]:
    """Placement, spacing where it can be believed, and sentences on what is not in the file."""
    volumetric = str(dataset.get("OphthalmicVolumetricPropertiesFlag", "YES")) != "NO"
    sizes = {frame.pixel_mm for frame in frames}
    pixel_mm = sizes.pop() if len(sizes) == 1 else None
    placement = place_frames(frames, columns, pixel_mm or (1.0, 1.0), volumetric=volumetric)
    if pixel_mm is None:
        sentence = "Spacing is unknown: the file states no one Pixel Spacing; use --spacing-um."
        return placement, None, (sentence, *placement.assumed)
    if placeholder_spacing(frames):
        return placement, None, (PLACEHOLDER, *placement.assumed)
    if placement.pattern is ScanPattern.RASTER and placement.bscan_mm is None:
        sentence = (
            "Spacing is unknown: the file states no distance between B-scans (Slice Thickness is "
            f"not it); pixels are {pixel_mm[0] * 1000:.5g} x {pixel_mm[1] * 1000:.5g} µm. State it "
            "with --spacing-um."
        )
        return placement, None, (sentence, *placement.assumed)
    spacing, doubts = believed_spacing(placement.bscan_mm, *pixel_mm)
    return placement, spacing, (*doubts, *placement.assumed)


def _localizer(frames: Sequence[Frame], placement: DicomPlacement, path: Path) -> Localizer | None:
    """Localizer picture from the same folder, its pixels sized by the length of the B-scans."""
    first = frames[0]
    if placement.ends_mm is None or first.track is None or not first.localizer:
        return None
    folder = path if path.is_dir() else path.parent
    picture = _picture(folder, first.localizer)
    if picture is None:
        return None
    track = np.reshape(first.track, (-1, 2))
    span_px = np.linalg.norm(track[-1] - track[0])
    span_mm = np.linalg.norm(placement.ends_mm[0, 1] - placement.ends_mm[0, 0])
    pixel_mm = float(span_mm / span_px) if span_px > 0 else 0.0
    return Localizer(picture, (pixel_mm, pixel_mm), placement.ends_mm) if pixel_mm > 0 else None


def _picture(folder: Path, instance: str) -> npt.NDArray[Any] | None:
    for path in dicom_paths(folder):
        if stored_instance(path) == instance:
            return picture_pixels(parse_dicom(path, pixels=True), path.name)
    return None
