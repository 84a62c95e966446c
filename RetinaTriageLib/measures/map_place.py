"""How a tissue map lies in the eye, and what was measured of it alone; plain values and arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.result import EtdrsTable, Fovea, TissueMeasure
from RetinaTriageLib.volume import STANDARD_DIRECTIONS, Laterality, ScanPattern


@dataclass(frozen=True)
class MapPlace:
    """How a tissue map lies in the eye.

    Attributes
    ----------
    directions : float array (3, 3), as of `OCTVolume`
    fovea : position to measure around; None finds it in the map, which tells it less
        surely than gray values do
    """

    laterality: Laterality | None = None
    pattern: ScanPattern = ScanPattern.RASTER
    directions: npt.NDArray[np.float64] = field(default_factory=lambda: STANDARD_DIRECTIONS.copy())
    fovea: Fovea | None = None


@dataclass(frozen=True)
class MapMeasures:
    """Measurements of one tissue map; parts that could not be measured are empty or None."""

    tissues: tuple[TissueMeasure, ...]
    etdrs: EtdrsTable | None
    fovea: Fovea | None
    refused: tuple[str, ...]
