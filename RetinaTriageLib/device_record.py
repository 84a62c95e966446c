"""What a scanner stored besides the voxels: localizer, surfaces, thickness table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Localizer:
    """En-face picture that the scanner took along, and where the B-scans lie on it.

    Attributes
    ----------
    pixels : array (row, column)
    spacing_mm : (row, column), mm a pixel
    bscan_ends_mm : float array (B-scan, end, 2); (column, row) position of each B-scan's first and
        last A-scan from the picture's upper left corner, in mm
    """

    pixels: npt.NDArray[Any]
    spacing_mm: tuple[float, float]
    bscan_ends_mm: FloatArray


@dataclass(frozen=True)
class DeviceThicknessTable:
    """Retinal thickness on the ETDRS grid as the scanner itself measured it.

    Attributes
    ----------
    thickness_um : sector name ("C0", "N1", "N2", "S1", ...) to mean thickness
    total_mm3 : retinal volume in the 6 mm circle
    center : (B-scan, width) index of the grid center, fractional
    boundaries : which surfaces the scanner measured between
    """

    thickness_um: Mapping[str, float]
    total_mm3: float
    center: tuple[float, float]
    boundaries: str


@dataclass(frozen=True)
class DeviceRecord:
    """What the scanner stored besides the voxels; ``lines`` are surfaces (B-scan, width), in px."""

    localizer: Localizer | None = None
    lines: Mapping[str, FloatArray] = field(default_factory=lambda: MappingProxyType({}))
    thickness_table: DeviceThicknessTable | None = None
