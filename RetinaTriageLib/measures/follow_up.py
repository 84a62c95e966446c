"""Two visits of one eye: brought into register by fovea and rotation, and what has changed.

Maps of the second visit are laid on the lattice of the first, so that changes are read place by
place. Depth needs no registration: thickness and volume do not depend on where the eye was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.measures.etdrs import sector_means
from RetinaTriageLib.measures.etdrs_grid import SECTORS, etdrs_grid
from RetinaTriageLib.measures.regions import Float64Array, circle_areas
from RetinaTriageLib.result import EnFaceArray, Fovea
from RetinaTriageLib.volume import OCTVolume

# Our own choices. A head is tilted by a few degrees between visits, and a scan is never turned far.
MAX_ROTATION_DEGREES = 12.0
STEP_DEGREES = 0.5
REACH_MM = 2.5  # around the fovea, what both visits are sure to show
CELL_MM = 0.05
MIN_SHARED = 0.4  # share of the disc that both visits must show
MIN_GAIN = 0.01  # a rotation must match this much better than none


@dataclass(frozen=True)
class Visit:
    """One scan with what its registration needs.

    Attributes
    ----------
    enface : float array (B-scan, width), a picture of the fundus such as the mean gray value
    """

    volume: OCTVolume
    fovea: Fovea
    enface: EnFaceArray


@dataclass(frozen=True)
class Registration:
    """How the second visit lies on the first.

    Attributes
    ----------
    rotation_degrees : by which the second visit is turned about the fovea, from the patient's left
        towards superior
    correlation : of the two fundus pictures in register, -1 to 1; NaN where they share too little
    """

    rotation_degrees: float
    correlation: float


@dataclass(frozen=True)
class FollowUp:
    """Change of one thickness map from the first visit to the second.

    Attributes
    ----------
    change_um : float32 array (B-scan, width) of the first visit, NaN where either has no data
    second_um : float32 array (B-scan, width), map of the second visit in register
    sectors_um : ETDRS sector to change of the mean thickness; empty where the eye side is unknown
    volumes_nl : circle ("1 mm", "3 mm", "6 mm", "all") to volume at first and at second visit,
        where both have data
    shared : circle to the share of its scanned area where both visits have data
    """

    registration: Registration
    change_um: EnFaceArray
    second_um: EnFaceArray
    sectors_um: Mapping[str, float]
    volumes_nl: Mapping[str, tuple[float, float]]
    shared: Mapping[str, float]


def register_visits(first: Visit, second: Visit) -> Registration:
    """Rotation about the fovea by which the fundus pictures match best.

    Raises
    ------
    GeometryError
        If a spacing is unknown or the visits are of different eyes.
    """
    _require_same_eye(first, second)
    steps = np.arange(-REACH_MM, REACH_MM + CELL_MM / 2, CELL_MM)
    superior, left = np.meshgrid(steps, steps, indexing="ij")
    disc = np.hypot(superior, left) <= REACH_MM
    fixed = _sampled(_detailed(first), first, left, superior)
    picture = _detailed(second)
    angles = np.arange(-MAX_ROTATION_DEGREES, MAX_ROTATION_DEGREES + 1e-9, STEP_DEGREES)
    matches = []
    for angle in angles:
        turned = _turned(left, superior, angle)
        matches.append(_correlation(fixed, _sampled(picture, second, *turned), disc))
    middle = len(angles) // 2
    if not np.isfinite(matches[middle]):
        return Registration(0.0, float("nan"))
    best = int(np.nanargmax(matches))
    if matches[best] < matches[middle] + MIN_GAIN:
        best = middle
    return Registration(float(angles[best]), float(matches[best]))


def follow_up(
    first: Visit, second: Visit, first_um: EnFaceArray, second_um: EnFaceArray
) -> FollowUp:
    """Change of a thickness map between two visits of one eye, in µm and nl.

    Parameters
    ----------
    first_um, second_um : float32 arrays (B-scan, width) of the two scans, NaN without data

    Raises
    ------
    GeometryError
        If a spacing is unknown, a scan covers no area, or the visits are of different eyes.
    """
    registration = register_visits(first, second)
    left, superior = _positions_mm(first)
    turned = _turned(left, superior, registration.rotation_degrees)
    there_um = _sampled(second_um, second, *turned).astype(np.float32)
    change_um = np.asarray(there_um - first_um, np.float32)
    both = np.isfinite(change_um)
    areas = circle_areas(first_um.shape, first.volume.require_spacing(), first.fovea)
    # 1 µm over 1 mm² is 1 nl.
    volumes = {
        name: (
            float((np.where(both, first_um, 0) * area).sum()),
            float((np.where(both, there_um, 0) * area).sum()),
        )
        for name, area in areas.items()
    }
    shared = {name: float(area[both].sum() / area.sum()) for name, area in areas.items()}
    sectors = {}
    if first.volume.laterality is not None:
        means = sector_means(etdrs_grid(first.volume, first.fovea), change_um)
        sectors = {sector: means[sector] for sector in SECTORS}
    return FollowUp(registration, change_um, there_um, sectors, volumes, shared)


def _require_same_eye(first: Visit, second: Visit) -> None:
    sides = (first.volume.laterality, second.volume.laterality)
    if None not in sides and sides[0] is not sides[1]:
        msg = (
            f"Found {first.volume.name} of the eye {_side(first)} and {second.volume.name} of "
            f"{_side(second)}; expected two visits of one eye. Choose another scan."
        )
        raise GeometryError(msg)


def _axes(visit: Visit) -> tuple[float, float, float, float]:
    """Signed length, in mm, of a step of width to the left and of a B-scan to superior."""
    spacing = visit.volume.require_spacing()
    bscan_mm = spacing.column_mm2 / spacing.width_mm
    towards_left = 1.0 if visit.volume.directions[0, 0] < 0 else -1.0
    return (
        towards_left * spacing.width_mm,
        visit.volume.superior_sign * bscan_mm,
        visit.fovea.width,
        visit.fovea.bscan,
    )


def _positions_mm(visit: Visit) -> tuple[Float64Array, Float64Array]:
    """Distance of each A-scan from the fovea, to the left and to superior."""
    width_mm, bscan_mm, width, bscan = _axes(visit)
    bscans, _, widths = visit.volume.shape
    left = (np.arange(widths) - width) * width_mm
    superior = (np.arange(bscans) - bscan) * bscan_mm
    return tuple(np.meshgrid(left, superior))


def _turned(
    left: Float64Array, superior: Float64Array, degrees: float
) -> tuple[Float64Array, Float64Array]:
    """Distances in the picture that is turned, of those in the first one."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return cosine * left - sine * superior, sine * left + cosine * superior


def _sampled(
    values: npt.NDArray[np.floating], visit: Visit, left: Float64Array, superior: Float64Array
) -> Float64Array:
    """Map of a visit at distances from its fovea; NaN outside, and beside what is not known."""
    width_mm, bscan_mm, width, bscan = _axes(visit)
    places = np.stack([superior / bscan_mm + bscan, left / width_mm + width])
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0).astype(np.float64)
    found = ndimage.map_coordinates(filled, places, order=1, mode="nearest")
    weight = ndimage.map_coordinates(known.astype(np.float64), places, order=1, mode="nearest")
    limits = np.array(values.shape)[:, None, None] - 0.5
    inside = np.all((places >= -0.5) & (places <= limits), axis=0) & (weight > 0.999)
    return np.where(inside, found, np.nan)


def _detailed(visit: Visit) -> Float64Array:
    """Fundus picture without slow changes of brightness, which belong to the scanner."""
    spacing = visit.volume.require_spacing()
    bscan_mm = spacing.column_mm2 / spacing.width_mm
    picture = np.nan_to_num(np.asarray(visit.enface, np.float64))
    fine, coarse = ([mm / bscan_mm, mm / spacing.width_mm] for mm in (0.04, 0.6))
    smooth = ndimage.gaussian_filter(picture, fine)
    return np.asarray(smooth - ndimage.gaussian_filter(picture, coarse), np.float64)


def _correlation(fixed: Float64Array, moving: Float64Array, disc: npt.NDArray[np.bool_]) -> float:
    both = disc & np.isfinite(fixed) & np.isfinite(moving)
    if both.sum() < MIN_SHARED * disc.sum():
        return float("nan")
    one, other = fixed[both] - fixed[both].mean(), moving[both] - moving[both].mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / size) if size > 0 else float("nan")


def _side(visit: Visit) -> str:
    return "?" if visit.volume.laterality is None else visit.volume.laterality.value
