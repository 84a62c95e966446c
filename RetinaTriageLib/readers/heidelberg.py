"""What both Heidelberg exports share: how the B-scans lie on the localizer.

Knowledge of both formats comes from the files themselves and from what eyepy (MIT) and
heyexReader document; Heidelberg Engineering publishes no description.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.readers.raster import Raster, ascan_ends_mm, fit_raster
from RetinaTriageLib.volume import (
    STANDARD_DIRECTIONS,
    FloatArray,
    Laterality,
    ScanPattern,
)

# B-scans whose centers lie closer than this share of their length cross in one point.
SAME_CENTER = 0.02
# Device lines and thicknesses hold the largest float, 3.4e38, or 3e38 where there is no value.
INVALID = 1e30

LATERALITY = {"R": Laterality.OD, "L": Laterality.OS, "OD": Laterality.OD, "OS": Laterality.OS}


@dataclass(frozen=True)
class Placement:
    """How the B-scans of one export lie on its localizer.

    Attributes
    ----------
    raster : None for circle and radial scans
    length_mm : length that a B-scan covers on the retina, its circumference for a circle
    ends_mm : float array (B-scan, end, 2), positions of the first and last A-scan
    """

    pattern: ScanPattern
    raster: Raster | None
    length_mm: float
    ends_mm: FloatArray

    @property
    def directions(self) -> FloatArray:
        """Columns: unit steps of width, depth and B-scan in RAS; standard where not straight."""
        return STANDARD_DIRECTIONS.copy() if self.raster is None else self.raster.directions

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """RAS position of the first voxel; the origin where B-scans are not straight."""
        return (0.0, 0.0, 0.0) if self.raster is None else self.raster.origin_mm

    @property
    def bscan_mm(self) -> float | None:
        """Distance between B-scans; None where there is none."""
        return None if self.raster is None else self.raster.bscan_mm


def place(
    starts_mm: FloatArray, ends_mm: FloatArray, widths: int, stated: ScanPattern | None
) -> Placement:
    """Placement of B-scans; the pattern is derived from their ends where the file states none.

    Parameters
    ----------
    starts_mm, ends_mm : float array (B-scan, 2)
        (column, row) on the localizer; the end of a circle scan is the center of the circle.

    Raises
    ------
    GeometryError
        If a B-scan has no length, or the B-scans of a raster are not parallel and evenly spaced.
    """
    pattern = stated or _pattern_of(starts_mm, ends_mm)
    if pattern is ScanPattern.RASTER and len(starts_mm) == 1:
        pattern = ScanPattern.LINE
    lengths_mm = np.linalg.norm(ends_mm - starts_mm, axis=1)
    if not (np.isfinite(lengths_mm).all() and lengths_mm.min() > 0):
        msg = "Found B-scans without a start, an end or a length; expected lines. Export again."
        raise GeometryError(msg)
    if pattern is ScanPattern.CIRCLE:
        first_and_last = np.stack([starts_mm, starts_mm], axis=1)
        return Placement(pattern, None, float(2 * np.pi * lengths_mm.mean()), first_and_last)
    first_and_last = ascan_ends_mm(starts_mm, ends_mm, widths)
    if pattern is ScanPattern.RADIAL:
        return Placement(pattern, None, float(lengths_mm.mean()), first_and_last)
    return Placement(pattern, fit_raster(starts_mm, ends_mm), float(lengths_mm[0]), first_and_last)


def _pattern_of(starts_mm: FloatArray, ends_mm: FloatArray) -> ScanPattern:
    if len(starts_mm) == 1:
        return ScanPattern.LINE
    centers = (starts_mm + ends_mm) / 2
    length_mm = np.linalg.norm(ends_mm - starts_mm, axis=1).mean()
    same_center = np.ptp(centers, axis=0).max() < SAME_CENTER * length_mm
    return ScanPattern.RADIAL if same_center else ScanPattern.RASTER
