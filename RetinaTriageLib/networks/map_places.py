"""Where the cells of the classifier's grid lie en face, and how large they are.

The grid says neither which eye it is nor where the fovea lies. So the rings of the ETDRS grid lie
around the middle of the scan, and have four sectors each, whichever side they are on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.networks.classifier_input import GridArray
from RetinaTriageLib.tissues import Tissue, TissueGroup, labels_of

Map = npt.NDArray[np.float32]

RADII_MM = (0.5, 1.5, 3.0)  # of the ETDRS circles, DICOM PS3.17 UU.5


@dataclass(frozen=True)
class Cell:
    """Size of a grid cell (B-scan, depth, width), in mm."""

    bscan_mm: float
    depth_mm: float
    width_mm: float

    @property
    def area_mm2(self) -> float:
        """Area that it covers en face."""
        return self.bscan_mm * self.width_mm


@dataclass(frozen=True)
class Ground:
    """Where cells lie en face, arrays (B-scan, width).

    Attributes
    ----------
    circles : inside each radius of `RADII_MM`, and scanned
    sectors : of the inner, then the outer ring: four sectors each
    """

    scanned: npt.NDArray[np.bool_]
    circles: tuple[npt.NDArray[np.bool_], ...]
    sectors: tuple[tuple[npt.NDArray[np.bool_], ...], ...]


def ground_of(extent_mm: Map, cell: Cell) -> Ground:
    """Regions around the middle of the scan; cells without any tissue were not scanned.

    Parameters
    ----------
    extent_mm : float32 array (B-scan, width), thickness of all tissues together
    """
    scanned = extent_mm > 0
    bscans, widths = scanned.shape
    along = (np.arange(bscans) - (bscans - 1) / 2)[:, None] * cell.bscan_mm
    across = (np.arange(widths) - (widths - 1) / 2)[None] * cell.width_mm
    radius = np.hypot(along, across)
    lengthwise = np.abs(along) > np.abs(across)
    sides = (
        lengthwise & (along > 0),
        lengthwise & (along < 0),
        ~lengthwise & (across > 0),
        ~lengthwise & (across <= 0),
    )
    rings = ((RADII_MM[0], RADII_MM[1]), (RADII_MM[1], RADII_MM[2]))
    return Ground(
        scanned,
        tuple(scanned & (radius <= limit) for limit in RADII_MM),
        tuple(
            tuple(scanned & side & (radius > low) & (radius <= high) for side in sides)
            for low, high in rings
        ),
    )


def thickness_maps(grid: GridArray, cell: Cell) -> GridArray:
    """Thickness of every class, in mm, float32 array (class, B-scan, width).

    Parameters
    ----------
    grid : float32 array (class, B-scan, depth, width), class fractions
    """
    return np.asarray(grid.sum(axis=2) * np.float32(cell.depth_mm))


def group_map(
    columns: GridArray, groups: tuple[TissueGroup, ...], tissues: tuple[Tissue, ...]
) -> Map:
    """Thickness of all tissues of some groups together, in mm, float32 array (B-scan, width).

    Parameters
    ----------
    columns : as `thickness_maps` gives them
    """
    labels = list(labels_of(*groups, tissues=tissues))
    return np.asarray(columns[labels].sum(axis=0))


def ring_values(thickness: Map, sectors: tuple[npt.NDArray[np.bool_], ...]) -> list[float]:
    """Mean over the sectors of a ring, and of its thinnest and thickest one; zeros if unscanned."""
    means = [float(thickness[sector].mean()) for sector in sectors if sector.any()]
    return [float(np.mean(means)), min(means), max(means)] if means else [0.0] * 3
