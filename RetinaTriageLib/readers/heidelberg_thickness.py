"""The Spectralis's own retinal thickness on the ETDRS grid, from a Heidelberg XML export."""

from __future__ import annotations

import math
from types import MappingProxyType
from xml.etree.ElementTree import Element

import numpy as np

from RetinaTriageLib.readers.raster import Raster
from RetinaTriageLib.readers.safe_xml import number
from RetinaTriageLib.volume import DeviceThicknessTable

SECTORS = ("C0", "S1", "N1", "I1", "T1", "S2", "N2", "I2", "T2")
DIAMETERS_MM = (1.0, 3.0, 6.0)  # the export also knows 1, 2, 3 and 1, 2.22, 3.45 mm
BOUNDARIES = "ILM to Bruch's membrane (Spectralis; the export does not state it)"


def read_thickness_table(
    series: Element, raster: Raster, widths: int, localizer_mm: tuple[float, float]
) -> DeviceThicknessTable | None:
    """Thickness of the nine ETDRS sectors; None where the export holds no such grid.

    Parameters
    ----------
    widths : number of A-scans in a B-scan
    localizer_mm : (row, column), mm a localizer pixel; the grid's center is given in such pixels
    """
    grid = series.find("ThicknessGrid")
    if grid is None:
        return None
    diameters = tuple(_length(grid, f"Diameter{ring}") for ring in (1, 2, 3))
    if diameters != DIAMETERS_MM:
        return None
    thickness_um = dict.fromkeys(SECTORS, math.nan)
    for zone in grid.iterfind("Zone"):
        sector = zone.findtext("Name", "").strip()
        if sector in thickness_um:
            thickness_um[sector] = 1000 * _length(zone, "AvgThickness")
    if all(math.isnan(thickness) for thickness in thickness_um.values()):
        return None
    column, row = (number(grid, f"CenterPos/Coord/{axis}") for axis in "XY")
    center_mm = np.array([column * localizer_mm[1], row * localizer_mm[0]])
    return DeviceThicknessTable(
        MappingProxyType(thickness_um),
        _length(grid, "TotalVolume"),
        raster.index_of(center_mm, widths),
        BOUNDARIES,
    )


def _length(element: Element, tag: str) -> float:
    """Positive number; NaN where it is missing, zero or the device's mark for no value."""
    try:
        value = float(element.findtext(tag, "nan"))
    except ValueError:
        return math.nan
    return value if 0 < value < 1000 else math.nan
