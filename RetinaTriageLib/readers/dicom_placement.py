"""How the frames of a DICOM scan lie: from patient positions, the localizer, or a stated distance.

Slice Thickness is the thickness of the light beam or a placeholder, never the distance between
B-scans, and is not used for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.readers.dicom_frames import Frame
from RetinaTriageLib.readers.heidelberg import SAME_CENTER, place
from RetinaTriageLib.readers.raster import STEP_TOLERANCE
from RetinaTriageLib.volume import STANDARD_DIRECTIONS, FloatArray, ScanPattern

LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
SAME_AXES = 0.01
MOST_SHEAR = 0.05  # of the distance between B-scans
POINTS = float(np.cos(np.radians(45)))
# Width of a column and slice thickness that OCT-Converter writes where it knows neither, in mm.
PLACEHOLDERS = frozenset({(0.002, 0.004), (0.01, 0.05), (0.015, 0.02)})


@dataclass(frozen=True)
class DicomPlacement:
    """How frames lie in the eye.

    Attributes
    ----------
    bscan_mm : distance between B-scans; None where there is none or it is unknown
    ends_mm : float array (frame, end, 2) on the localizer, where the file has it
    source : where distance and directions were read; empty where they were not
    """

    pattern: ScanPattern
    bscan_mm: float | None
    directions: FloatArray
    origin_mm: tuple[float, float, float]
    ends_mm: FloatArray | None
    source: str
    assumed: tuple[str, ...] = ()


def place_frames(
    frames: Sequence[Frame], columns: int, pixel_mm: Sequence[float], *, volumetric: bool
) -> DicomPlacement:
    """Placement of the frames of one scan.

    Parameters
    ----------
    volumetric : whether the file lets its patient positions be taken for real distances

    Raises
    ------
    GeometryError
        If B-scans are unevenly spaced, sheared or not parallel.
    """
    # A track runs from the middle of the first to that of the last column.
    on_localizer = _on_localizer(frames, (columns - 1) * pixel_mm[1])
    if volumetric and len(frames) > 1:
        in_patient = _in_patient(frames, columns, pixel_mm, on_localizer)
        if in_patient is not None:
            return in_patient
    if on_localizer is not None:
        return on_localizer
    return _by_distance(frames)


def placeholder_spacing(frames: Sequence[Frame]) -> bool:
    """Whether the pixel sizes are those that OCT-Converter writes for want of better ones."""
    return any(
        frame.pixel_mm is not None
        and frame.thickness_mm is not None
        and (frame.pixel_mm[1], frame.thickness_mm) in PLACEHOLDERS
        for frame in frames
    )


def _in_patient(
    frames: Sequence[Frame],
    columns: int,
    pixel_mm: Sequence[float],
    on_localizer: DicomPlacement | None,
) -> DicomPlacement | None:
    stated = [(f.position_mm, f.axes) for f in frames if f.position_mm is not None]
    axes = [axes for _, axes in stated if axes is not None]
    if len(axes) < len(frames):
        return None
    positions = np.array([position for position, _ in stated])
    if not np.ptp(positions, axis=0).any():
        return None
    turns = np.array(axes).reshape(-1, 2, 3)
    if np.abs(np.linalg.norm(turns, axis=2) - 1).max() > SAME_AXES:
        msg = "Found Image Orientation (Patient) that is no pair of unit steps; export again."
        raise GeometryError(msg)
    if np.abs(turns - turns[0]).max() > SAME_AXES:
        middles = positions + turns[:, 0] * pixel_mm[1] * (columns - 1) / 2
        if np.ptp(middles, axis=0).max() > SAME_CENTER * columns * pixel_mm[1]:
            msg = "Found B-scans of different directions; expected a raster. Export the cube scan."
            raise GeometryError(msg)
        ends = None if on_localizer is None else on_localizer.ends_mm
        return _standard(ScanPattern.RADIAL, ends)
    across, bscan_mm = _step(positions, turns[0])
    ends_mm = None if on_localizer is None else on_localizer.ends_mm
    directions = np.column_stack([*turns[0], across]) * LPS_TO_RAS[:, np.newaxis]
    source = "DICOM Image Position and Orientation (Patient)"
    if directions[1, 1] > -POINTS or abs(directions[0, 0]) < POINTS:
        sentence = (
            "Orientation is assumed, as the file's axes do not fit an eye: vitreous on top, first "
            "column towards the patient's right, first B-scan inferior."
        )
        standard = _standard(ScanPattern.RASTER, ends_mm)
        return DicomPlacement(
            ScanPattern.RASTER,
            bscan_mm,
            standard.directions,
            standard.origin_mm,
            ends_mm,
            source,
            (sentence,),
        )
    right, anterior, superior = (float(value) for value in positions[0] * LPS_TO_RAS)
    return DicomPlacement(
        ScanPattern.RASTER, bscan_mm, directions, (right, anterior, superior), ends_mm, source
    )


def _step(positions: FloatArray, axes: FloatArray) -> tuple[FloatArray, float]:
    """Return the unit step from B-scan to B-scan, at right angles to both axes, and its length."""
    normal = np.cross(axes[0], axes[1])
    normal /= np.linalg.norm(normal)
    offsets = positions - positions[0]
    step = offsets[-1] / (len(positions) - 1)
    along = offsets @ normal
    bscan_mm = float(along[-1]) / (len(positions) - 1)
    even = bscan_mm * np.arange(len(positions))
    if bscan_mm == 0 or np.abs(along - even).max() > STEP_TOLERANCE * abs(bscan_mm):
        steps_um = np.abs(np.diff(along)) * 1000
        msg = (
            f"Found unequal distances between B-scans, {steps_um.min():.1f} to "
            f"{steps_um.max():.1f} µm; expected a raster of equal distances. Export the macular "
            "raster of this visit, complete."
        )
        raise GeometryError(msg)
    if np.abs(axes @ step).max() > MOST_SHEAR * abs(bscan_mm):
        msg = "Found B-scans shifted against each other; expected a rectangular raster."
        raise GeometryError(msg)
    return normal * np.sign(bscan_mm), abs(bscan_mm)


def _on_localizer(frames: Sequence[Frame], length_mm: float) -> DicomPlacement | None:
    """Placement by the localizer, whose pixels get the size that fits the length of a track."""
    tracks = [frame.track for frame in frames if frame.track is not None]
    if len(tracks) < len(frames) or len({frame.localizer for frame in frames}) > 1:
        return None
    ends = np.array([track[:2] + track[-2:] for track in tracks])
    ends_px = ends.reshape(-1, 2, 2)[..., ::-1]  # (column, row)
    closed = np.array([len(track) > 4 for track in tracks])
    spans_px = np.linalg.norm(ends_px[:, 1] - ends_px[:, 0], axis=1)
    if closed.all():
        track_px = np.linalg.norm(np.diff(np.reshape(tracks[0], (-1, 2)), axis=0), axis=1).sum()
        if len(frames) == 1 and track_px > 0 and spans_px[0] < SAME_CENTER * track_px:
            return _standard(ScanPattern.CIRCLE, ends_px * length_mm / track_px)
        return None
    if closed.any() or not spans_px.min() > 0:
        return None
    ends_mm = ends_px * length_mm / spans_px.mean()
    placement = place(ends_mm[:, 0], ends_mm[:, 1], 1, None)
    return DicomPlacement(
        placement.pattern,
        placement.bscan_mm,
        placement.directions,
        placement.origin_mm,
        ends_mm,
        "DICOM Ophthalmic Frame Location",
    )


def _by_distance(frames: Sequence[Frame]) -> DicomPlacement:
    pattern = ScanPattern.RASTER if len(frames) > 1 else ScanPattern.LINE
    standard = _standard(pattern, None)
    sentence = (
        "Orientation is assumed, as the file states no positions: vitreous on top, left edge "
        "towards the patient's right, first B-scan inferior."
    )
    between = {frame.between_mm for frame in frames}
    bscan_mm = between.pop() if len(between) == 1 and len(frames) > 1 else None
    source = "DICOM Spacing Between Slices" if bscan_mm is not None else ""
    return DicomPlacement(
        pattern, bscan_mm, standard.directions, standard.origin_mm, None, source, (sentence,)
    )


def _standard(pattern: ScanPattern, ends_mm: FloatArray | None) -> DicomPlacement:
    directions = STANDARD_DIRECTIONS.copy()
    return DicomPlacement(pattern, None, directions, (0.0, 0.0, 0.0), ends_mm, "")
