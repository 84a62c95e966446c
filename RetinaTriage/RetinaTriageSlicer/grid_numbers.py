"""Numbers of a thickness map around a fovea: sectors of the ETDRS grid, volumes in circles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.measures.etdrs import sector_coverage, sector_means
from RetinaTriageLib.measures.etdrs_grid import SECTORS, etdrs_grid
from RetinaTriageLib.measures.regions import circle_areas
from RetinaTriageLib.result import EnFaceArray, Fovea
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.shown_maps import Cell

COLUMNS = (
    ("sector", ""),
    ("thickness_um", "um"),
    ("coverage_percent", "%"),
    ("volume_nl", "nL"),
)
"""Name and unit of the columns of `GridNumbers.rows`."""


@dataclass(frozen=True)
class GridNumbers:
    """Numbers of one map.

    Attributes
    ----------
    means_um, coverage : sector to mean thickness, and to the share that was scanned; NaN unknown
    volumes_nl : circle to volume
    refused : why sectors are not known, such as without an eye side; empty where they are
    """

    means_um: Mapping[str, float]
    coverage: Mapping[str, float]
    volumes_nl: Mapping[str, float]
    refused: str

    @property
    def rows(self) -> list[list[Cell]]:
        """One row a sector, then one a circle; cells that do not apply are NaN."""
        rows: list[list[Cell]] = [
            [sector, self.means_um[sector], 100 * self.coverage[sector], math.nan]
            for sector in SECTORS
        ]
        return rows + [[circle, math.nan, math.nan, nl] for circle, nl in self.volumes_nl.items()]


def gridNumbers(volume: OCTVolume, map_um: EnFaceArray, fovea: Fovea) -> GridNumbers:
    """Measure a thickness map, float array (B-scan, width), NaN without data.

    Raises
    ------
    RetinaTriageError
        If the scan has no distances, or the fovea lies outside.
    """
    areas = circle_areas(map_um.shape, volume.require_spacing(), fovea)
    known = map_um == map_um  # NaN is not
    # 1 um over 1 mm2 is 1 nl.
    volumes = {name: float((area[known] * map_um[known]).sum()) for name, area in areas.items()}
    try:
        grid = etdrs_grid(volume, fovea)
        return GridNumbers(sector_means(grid, map_um), sector_coverage(grid, map_um), volumes, "")
    except RetinaTriageError as error:  # circles have volumes without an eye side too
        unknown = dict.fromkeys(SECTORS, math.nan)
        return GridNumbers(unknown, unknown, volumes, forPanel(str(error)))


def numberText(value: Cell) -> str:
    """Text of a cell; nothing where there is no number."""
    return "" if isinstance(value, str) or math.isnan(value) else f"{value:.1f}"
