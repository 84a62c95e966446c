"""What a DICOM data set says of each frame: pixel size, place, eye.

Newer objects say it in functional groups, for each frame or shared by all; older ones at the top.

References
----------
DICOM PS3.3 C.7.6.16 (functional groups) and C.8.17.10 (Ophthalmic Frame Location: pairs of row and
column, from the upper left corner of the upper left pixel).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.readers.dicom_groups import Values, frame_groups, group_values
from RetinaTriageLib.readers.dicom_pixels import frame_count
from RetinaTriageLib.volume import DeviceFamily, Laterality

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset

EYES = {"R": Laterality.OD, "L": Laterality.OS}


@dataclass(frozen=True)
class Frame:
    """One B-scan as the data set describes it; None is what it does not say.

    Attributes
    ----------
    pixel_mm : distance between rows and between columns
    position_mm : first pixel in LPS
    axes : unit steps along the width and the depth in LPS, three numbers each
    localizer : instance whose pixels ``track`` counts
    track : row and column of each point of the B-scan on the localizer, one after the other
    """

    pixel_mm: tuple[float, ...] | None
    position_mm: tuple[float, ...] | None
    axes: tuple[float, ...] | None
    between_mm: float | None
    thickness_mm: float | None
    laterality: str
    localizer: str
    track: tuple[float, ...] | None


def dicom_frames(dataset: FileDataset, name: str, most: int | None = None) -> list[Frame]:
    """Every frame of a data set, or the first ones.

    Raises
    ------
    InputError
        If it describes another number of frames than it holds.
    """
    count = frame_count(dataset)
    groups = frame_groups(dataset, most)
    if groups is not None and groups[0] != count:
        msg = f"{name} states {count} frames and describes {groups[0]}; export the scan again."
        raise InputError(msg)
    shared = dataset.get("SharedFunctionalGroupsSequence") or ()
    common = [*(group_values(group) for group in shared[:1]), group_values(dataset)]
    facts: dict[str, Any] = {}
    for sequence, convert in MACROS.items():
        facts |= convert(_macro(common, sequence))
    frame = Frame(**facts)
    if groups is not None:
        return [_with_own(frame, own) for own in groups[1]]
    return [frame] * (count if most is None else min(count, most))


def dicom_laterality(frames: Sequence[Frame], dataset: Dataset) -> Laterality | None:
    """Eye of a scan; None where the file does not say one.

    Raises
    ------
    GeometryError
        If the file names both eyes.
    """
    stated = {frame.laterality for frame in frames}
    stated |= {str(dataset.get(keyword, "")) for keyword in ("ImageLaterality", "Laterality")}
    eyes = {EYES[letter] for letter in stated & EYES.keys()}
    if len(eyes) > 1:
        msg = "Found both eyes named in one scan; expected R or L. Export each eye on its own."
        raise GeometryError(msg)
    return eyes.pop() if eyes else None


def dicom_device(dataset: Dataset) -> DeviceFamily | None:
    """Scanner family by maker and model; None where no adaptation branch fits."""
    maker = str(dataset.get("Manufacturer", "")).lower()
    model = str(dataset.get("ManufacturerModelName", "")).lower()
    if "heidelberg" in maker or "spectralis" in model:
        return DeviceFamily.SPECTRALIS
    if "zeiss" in maker:  # PLEX Elite is another kind of scanner
        return DeviceFamily.CIRRUS if "cirrus" in model or not model else None
    if "topcon" in maker:
        return DeviceFamily.TOPCON
    return DeviceFamily.OPTOVUE if "optovue" in maker else None


def _with_own(frame: Frame, group: Values) -> Frame:
    """Frame with what its own functional group says instead."""
    facts: dict[str, Any] = {}
    for sequence in group.keys() & MACROS.keys():
        facts |= MACROS[sequence](group[sequence])
    return replace(frame, **facts)


def _macro(levels: Sequence[Values], sequence: str) -> Values:
    """Item that holds some facts: the shared one, else the top of the data set."""
    for level in levels:
        item: Values | None = level.get(sequence)
        if item is not None:
            return item
    return levels[-1]


def _numbers(item: Values, keyword: str, count: int | None) -> tuple[float, ...] | None:
    """Finite numbers of an attribute; None where it has none or another count."""
    value = item.get(keyword)
    if value is None or value == "":
        return None
    if isinstance(value, (float, int, str)):
        value = (value,)
    numbers = tuple(map(float, value))
    fits = bool(numbers) and (count is None or len(numbers) == count)
    return numbers if fits and all(map(math.isfinite, numbers)) else None


def _length(item: Values, keyword: str) -> float | None:
    value = _numbers(item, keyword, 1)
    return value[0] if value is not None and value[0] > 0 else None


def _measures(item: Values) -> dict[str, Any]:
    return {
        "pixel_mm": _numbers(item, "PixelSpacing", 2),
        "between_mm": _length(item, "SpacingBetweenSlices"),
        "thickness_mm": _length(item, "SliceThickness"),
    }


def _location(item: Values) -> dict[str, Any]:
    track = _numbers(item, "ReferenceCoordinates", None)
    fits = track is not None and len(track) >= 4 and len(track) % 2 == 0
    return {
        "localizer": str(item.get("ReferencedSOPInstanceUID", "")),
        "track": track if fits else None,
    }


MACROS: Mapping[str, Callable[[Values], dict[str, Any]]] = {
    "PixelMeasuresSequence": _measures,
    "PlanePositionSequence": lambda item: {
        "position_mm": _numbers(item, "ImagePositionPatient", 3)
    },
    "PlaneOrientationSequence": lambda item: {"axes": _numbers(item, "ImageOrientationPatient", 6)},
    "FrameAnatomySequence": lambda item: {"laterality": str(item.get("FrameLaterality", ""))},
    "OphthalmicFrameLocationSequence": _location,
}
"""Sequence of a functional group to the fields of `Frame` that it states."""
