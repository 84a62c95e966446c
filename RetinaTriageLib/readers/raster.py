"""Where parallel B-scans lie in the eye, from their ends on the scanner's localizer picture.

Positions on the localizer are (column, row) in mm from its upper left corner. It is shown as the
examiner sees the eye: columns grow towards the patient's left, rows towards inferior. In patient
space (RAS) that corner lies at the origin, and so does the first depth of every B-scan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.volume import FloatArray

# B-scans of one raster may differ from each other by this share of their length; positions are
# rounded to µm by the exports, which is far less.
LENGTH_TOLERANCE = 0.01
# Steps between B-scans may differ by this share. A dense raster of 11 µm rounded to 1 µm needs 9 %.
STEP_TOLERANCE = 0.1
# Left and right, up and down must be those of the picture: a raster turned further is refused.
MOST_TILT_DEGREES = 45.0


@dataclass(frozen=True)
class Raster:
    """Parallel B-scans at equal distances.

    Attributes
    ----------
    start_mm : (column, row) of the first A-scan of B-scan 0
    along : unit step of the width on the localizer, (column, row)
    across : unit step from B-scan to B-scan, (column, row), at right angles to ``along``
    length_mm : from the start to the end of a B-scan
    bscan_mm : distance between B-scans; None for a single one
    """

    start_mm: FloatArray
    along: FloatArray
    across: FloatArray
    length_mm: float
    bscan_mm: float | None

    @property
    def directions(self) -> FloatArray:
        """Columns: unit steps of width, depth and B-scan in RAS."""
        return np.column_stack([_to_ras(self.along), (0.0, -1.0, 0.0), _to_ras(self.across)])

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """RAS position of the first voxel."""
        right, anterior, superior = _to_ras(self.start_mm)
        return right, anterior, superior

    def index_of(self, position_mm: FloatArray, widths: int) -> tuple[float, float]:
        """Fractional (B-scan, width) index of a (column, row) position on the localizer."""
        offset = position_mm - self.start_mm
        bscan = 0.0 if self.bscan_mm is None else float(offset @ self.across) / self.bscan_mm
        return bscan, float(offset @ self.along) / self.length_mm * widths


def fit_raster(starts_mm: FloatArray, ends_mm: FloatArray) -> Raster:
    """Raster through the ends of its B-scans.

    Parameters
    ----------
    starts_mm, ends_mm : float array (B-scan, 2)
        (column, row) on the localizer.

    Raises
    ------
    GeometryError
        If the B-scans have no length, are not parallel, equally long and equally far apart, or are
        turned by more than 45° against the localizer.
    """
    spans = ends_mm - starts_mm
    length_mm = float(np.linalg.norm(spans.mean(axis=0)))
    if length_mm == 0:
        msg = (
            "Found B-scans that start and end at one point; expected lines. Export the scan again."
        )
        raise GeometryError(msg)
    along = spans.mean(axis=0) / length_mm
    if np.abs(spans - along * length_mm).max() > LENGTH_TOLERANCE * length_mm:
        msg = (
            "Found B-scans of different directions or lengths; expected parallel lines of equal "
            "length. Export the macular raster of this visit."
        )
        raise GeometryError(msg)
    across = np.array([along[1], -along[0]])  # towards superior for a B-scan from left to right
    if across[1] > 0:
        across = -across
    bscan_mm = None
    if len(spans) > 1:
        _require_upright(along)
        bscan_mm = _step_mm((starts_mm + ends_mm) / 2, along, across, length_mm)
        if bscan_mm < 0:
            across, bscan_mm = -across, -bscan_mm
    return Raster(starts_mm[0], along, across, length_mm, bscan_mm)


def ascan_ends_mm(starts_mm: FloatArray, ends_mm: FloatArray, widths: int) -> FloatArray:
    """Positions of the first and last A-scan, float array (B-scan, end, 2).

    The end that the exports state is one A-scan beyond the last one: in .vol headers the length
    is exactly the number of A-scans times their distance.
    """
    last = starts_mm + (ends_mm - starts_mm) * (widths - 1) / widths
    return np.stack([starts_mm, last], axis=1)


def _step_mm(centers: FloatArray, along: FloatArray, across: FloatArray, length_mm: float) -> float:
    offsets, drift = centers @ across, centers @ along
    step = float(offsets[-1] - offsets[0]) / (len(offsets) - 1)
    even = offsets[0] + step * np.arange(len(offsets))
    if step == 0 or np.abs(offsets - even).max() > STEP_TOLERANCE * abs(step):
        steps_um = np.diff(offsets) * 1000
        msg = (
            f"Found unequal distances between B-scans, {np.abs(steps_um).min():.1f} to "
            f"{np.abs(steps_um).max():.1f} µm; expected a raster of equal distances. Export the "
            "macular raster of this visit, complete."
        )
        raise GeometryError(msg)
    if np.ptp(drift) > LENGTH_TOLERANCE * length_mm:
        msg = (
            f"Found B-scans shifted along each other by {np.ptp(drift) * 1000:.0f} µm; expected a "
            "rectangular raster. Export the macular raster of this visit."
        )
        raise GeometryError(msg)
    return step


def _require_upright(along: FloatArray) -> None:
    tilt = float(np.degrees(np.arctan2(abs(along[1]), abs(along[0]))))
    if tilt > MOST_TILT_DEGREES:
        msg = (
            f"Found a raster whose B-scans are turned by {tilt:.0f}° against the horizontal; "
            f"expected at most {MOST_TILT_DEGREES:.0f}°. Export a horizontal raster."
        )
        raise GeometryError(msg)


def _to_ras(position: FloatArray) -> tuple[float, float, float]:
    return -float(position[0]), 0.0, -float(position[1])
