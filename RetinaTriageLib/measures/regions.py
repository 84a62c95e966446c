"""Circles and ring sectors around the fovea, and how much of each A-scan cell they cover.

An A-scan stands for a cell of one width spacing by one B-scan spacing. Cells are long (about
12 × 120 µm), so they are cut into fine rows; along a row, the borders of a region are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.volume import VoxelSpacing

Float64Array = npt.NDArray[np.float64]

ETDRS_DIAMETERS_MM = (1.0, 3.0, 6.0)  # DICOM PS3.17 UU.5

# Height of the fine rows: circle areas of the ETDRS diameters come out within 0.1 %.
ROW_MM = 0.005


@dataclass(frozen=True)
class FineRows:
    """Scan cut into fine rows along the B-scan direction; lengths from the fovea, in mm.

    Attributes
    ----------
    offset_mm : float array (row,), middle of each row, positive towards higher B-scan indices
    edge_mm : float array (width + 1,), borders of the A-scan cells
    area : float array (B-scan, row); height in mm of each row that lies in each B-scan's cells
    blend : float array (B-scan, row); the same heights, shared between the two B-scans that a
        row lies between, so that sums over it interpolate linearly (constant beyond the ends)
    """

    offset_mm: Float64Array
    edge_mm: Float64Array
    area: Float64Array
    blend: Float64Array


def fine_rows(shape: tuple[int, int], spacing: VoxelSpacing, center: Fovea) -> FineRows:
    """Fine rows of a scan of (B-scans, A-scans of a B-scan).

    Raises
    ------
    GeometryError
        If the B-scan distance is unknown or the center lies outside the scan.
    """
    bscans, width = shape
    bscan_mm = spacing.column_mm2 / spacing.width_mm
    require_inside(shape, center)
    count = max(4, int(np.ceil(bscan_mm / ROW_MM)))
    position = (np.arange(bscans * count) + 0.5) / count - 0.5  # (row,), in B-scan indices
    distance = np.abs(np.clip(position, 0, bscans - 1) - np.arange(bscans)[:, None])
    return FineRows(
        offset_mm=(position - center.bscan) * bscan_mm,
        edge_mm=np.asarray(
            (np.arange(width + 1) - 0.5 - center.width) * spacing.width_mm, dtype=np.float64
        ),
        area=np.repeat(np.eye(bscans), count, axis=1) * (bscan_mm / count),
        blend=np.maximum(0.0, 1.0 - distance) * (bscan_mm / count),
    )


def require_inside(shape: tuple[int, int], center: Fovea) -> None:
    """Refuse a center outside the scan.

    Raises
    ------
    GeometryError
        If it lies outside of all cells.
    """
    bscans, width = shape
    if not (-0.5 <= center.bscan <= bscans - 0.5 and -0.5 <= center.width <= width - 0.5):
        msg = (
            f"Found a fovea at B-scan {center.bscan:g}, A-scan {center.width:g}; expected 0 to "
            f"{bscans - 1} and 0 to {width - 1}. Place it inside the scan."
        )
        raise GeometryError(msg)


def half_chord(offset_mm: Float64Array, radius_mm: float) -> Float64Array:
    """Half the length of each row inside a circle, in mm; 0 for rows that miss it."""
    return np.sqrt(np.maximum(0.0, radius_mm**2 - offset_mm**2))


def overlap_mm(edge_mm: Float64Array, low_mm: Float64Array, high_mm: Float64Array) -> Float64Array:
    """Length of each cell between a low and a high border.

    Parameters
    ----------
    edge_mm : float array (width + 1,)
    low_mm, high_mm : float arrays (row,), low <= high

    Returns
    -------
    float array (row, width)
    """
    return np.diff(np.clip(edge_mm, low_mm[:, None], high_mm[:, None]), axis=1)


def circle_areas(
    shape: tuple[int, int], spacing: VoxelSpacing, center: Fovea
) -> Mapping[str, Float64Array]:
    """Area of each A-scan cell inside "1 mm", "3 mm", "6 mm" (diameters) and "all", in mm².

    Parameters
    ----------
    shape : number of (B-scans, A-scans of a B-scan)
    center : of the circles

    Returns
    -------
    Region to float array (B-scan, width); what lies outside the scan counts nowhere.
    """
    rows = fine_rows(shape, spacing, center)
    areas = {}
    for diameter_mm in ETDRS_DIAMETERS_MM:
        chord = half_chord(rows.offset_mm, diameter_mm / 2)
        areas[f"{diameter_mm:g} mm"] = rows.area @ overlap_mm(rows.edge_mm, -chord, chord)
    areas["all"] = np.full(shape, spacing.column_mm2)
    return areas
