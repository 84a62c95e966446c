"""The ETDRS grid on a scan: how much of each of its nine sectors every A-scan stands for.

The grid is that of DICOM PS3.17 UU.5: circles of 1, 3 and 6 mm, cut at 45, 135, 225 and 315°.
Between B-scans thickness is interpolated linearly; cells at the rim of the scan reach half a
B-scan distance beyond the first and the last B-scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.measures.regions import (
    ETDRS_DIAMETERS_MM,
    FineRows,
    Float64Array,
    fine_rows,
    half_chord,
    overlap_mm,
)
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.volume import OCTVolume

SECTORS = ("C0", "S1", "N1", "I1", "T1", "S2", "N2", "I2", "T2")

_INNER_MM, _MIDDLE_MM, _OUTER_MM = (diameter / 2 for diameter in ETDRS_DIAMETERS_MM)
_RINGS_MM = {"1": (_INNER_MM, _MIDDLE_MM), "2": (_MIDDLE_MM, _OUTER_MM)}

# The deviation around the center point is taken in a circle that stays on the floor of the pit.
CENTER_POINT_RADIUS_MM = 0.1

_COS_45 = 0.5**0.5


@dataclass(frozen=True)
class EtdrsGrid:
    """Grid placed on one scan.

    Attributes
    ----------
    sectors : sector to float array (B-scan, width), mm² of the sector that each A-scan stands for
    point : float array (B-scan, width), weights that interpolate at the center; their sum is 1
    around : float array (B-scan, width), weights of the A-scans around the center
    """

    center: Fovea
    sectors: Mapping[str, Float64Array]
    point: Float64Array
    around: Float64Array


def sector_area_mm2(sector: str) -> float:
    """Area of a whole sector, in mm².

    Examples
    --------
    >>> round(sum(sector_area_mm2(sector) for sector in SECTORS), 3)  # 9 pi
    28.274
    """
    if sector == "C0":
        return float(np.pi * _INNER_MM**2)
    low_mm, high_mm = _RINGS_MM[sector[1]]
    return float(np.pi * (high_mm**2 - low_mm**2) / 4)


def etdrs_grid(volume: OCTVolume, center: Fovea) -> EtdrsGrid:
    """Grid around a center; nasal and superior as eye side and scan directions say.

    Raises
    ------
    GeometryError
        If laterality or spacing is unknown, the scan is not a raster, its B-scans run vertically,
        or the center lies outside of it.
    """
    volume.require_raster()
    nasal_sign = require_nasal_sign(volume)
    bscans, _, width = volume.shape
    rows = fine_rows((bscans, width), volume.require_spacing(), center)
    sectors = {sector: np.zeros((bscans, width)) for sector in SECTORS}
    for sector, low_mm, high_mm in _spans(rows.offset_mm, nasal_sign, volume.superior_sign):
        sectors[sector] += rows.blend @ overlap_mm(rows.edge_mm, low_mm, high_mm)
    point = np.outer(_blend_at(center.bscan, bscans), _blend_at(center.width, width))
    return EtdrsGrid(center, sectors, point, _disc(rows, CENTER_POINT_RADIUS_MM))


def require_nasal_sign(volume: OCTVolume) -> int:
    """1 where the width index grows towards the nose, else -1.

    Raises
    ------
    GeometryError
        If the eye side is unknown or the B-scans run vertically.
    """
    nasal_sign = volume.nasal_sign
    if nasal_sign is None:
        msg = (
            f"The eye side of {volume.name} is unknown, nasal and temporal sectors need it; pass "
            "--laterality OD or OS (Python: with_geometry(volume, laterality=...))."
        )
        raise GeometryError(msg)
    if min(abs(volume.directions[0, 0]), abs(volume.directions[2, 2])) < _COS_45:
        msg = (
            f"Found B-scans of {volume.name} that do not run between nasal and temporal; expected "
            "horizontal B-scans. Turn the volume before its ETDRS grid is measured."
        )
        raise GeometryError(msg)
    return nasal_sign


def _spans(
    offset_mm: Float64Array, nasal_sign: int, superior_sign: int
) -> Iterator[tuple[str, Float64Array, Float64Array]]:
    """Sector with the low and high border, in mm, of each piece of it along every row."""
    center = half_chord(offset_mm, _INNER_MM)
    yield "C0", -center, center
    right, left = ("N", "T") if nasal_sign > 0 else ("T", "N")
    after, before = ("S", "I") if superior_sign > 0 else ("I", "S")
    for ring, (low_radius_mm, high_radius_mm) in _RINGS_MM.items():
        inner = half_chord(offset_mm, low_radius_mm)
        outer = half_chord(offset_mm, high_radius_mm)
        diagonal = np.abs(offset_mm)  # where the 45° lines cross the row
        near = np.maximum(diagonal, inner)
        far = np.maximum(near, outer)
        yield right + ring, near, far
        yield left + ring, -far, -near
        for side, rows in ((after, offset_mm > 0), (before, offset_mm <= 0)):
            high = np.where(rows, np.minimum(diagonal, outer), 0.0)
            low = np.minimum(inner, high)
            yield side + ring, low, high
            yield side + ring, -high, -low


def _disc(rows: FineRows, radius_mm: float) -> Float64Array:
    chord = half_chord(rows.offset_mm, radius_mm)
    return rows.blend @ overlap_mm(rows.edge_mm, -chord, chord)


def _blend_at(position: float, count: int) -> Float64Array:
    """Weights of linear interpolation between neighbors, constant beyond the ends."""
    distance = np.abs(np.arange(count) - np.clip(position, 0, count - 1))
    return np.asarray(np.maximum(0.0, 1.0 - distance), dtype=np.float64)
