"""First guess of the ILM and the outer edge of the epithelium, on a much reduced image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from RetinaTriageLib.networks.minimal_path import minimal_path_and_margin
from RetinaTriageLib.networks.surface_cost import ilm_cost, rpe_cost
from RetinaTriageLib.volume import FloatArray

COARSE_UM = (7.7, 46.0)  # depth and width of a reduced pixel: two by four pixels of a Spectralis
RIVAL_UM = 40.0  # another path that is farther away is a rival
STEEPEST = 1.0  # rise over run of the ILM at the rim of a hole or of the disc
STEEPEST_RPE = 0.7
STEEPEST_COST = 0.25  # price of one reduced column at the steepest slope, as contrast


@dataclass(frozen=True)
class CoarsePath:
    """A path in px and the contrast by which it beats its rivals; arrays (B-scan, width)."""

    depth: FloatArray
    margin: FloatArray


@dataclass(frozen=True)
class Columns:
    """Full width of a B-scan and its reduction by whole blocks of columns."""

    width: int
    block: int

    def centers(self) -> FloatArray:
        """Middle of each block, in full columns."""
        return (np.arange(-(-self.width // self.block)) + 0.5) * self.block - 0.5

    def enlarge(self, lines: FloatArray) -> FloatArray:
        """Lines of the reduced image at the full width."""
        full, centers = np.arange(self.width), self.centers()
        return np.stack([np.interp(full, centers, line) for line in lines]).astype(np.float32)

    def reduce(self, lines: FloatArray) -> FloatArray:
        """Full lines at the middle of each block."""
        full, centers = np.arange(self.width), self.centers()
        return np.stack([np.interp(centers, full, line) for line in lines]).astype(np.float32)


def coarse_surfaces(
    gray: FloatArray, depth_um: float, width_um: float
) -> tuple[CoarsePath, CoarsePath]:
    """ILM and outer edge of the epithelium to a few pixels, at full width.

    Parameters
    ----------
    gray : float array (B-scan, depth, width), as of `comparable_gray`
    """
    deep, wide = (
        max(1, round(c / p)) for c, p in zip(COARSE_UM, (depth_um, width_um), strict=True)
    )
    small = ndimage.gaussian_filter1d(block_mean(gray, deep, wide), 1.0, axis=2)
    pixel_um = depth_um * deep
    rise_px = wide * width_um / pixel_um
    ilm = _search(ilm_cost(small, pixel_um), pixel_um, STEEPEST * rise_px)
    outer = _search(rpe_cost(small, ilm.depth, pixel_um), pixel_um, STEEPEST_RPE * rise_px)
    columns = Columns(gray.shape[2], wide)
    ilm, outer = (
        CoarsePath(columns.enlarge((found.depth + 0.5) * deep - 0.5), columns.enlarge(found.margin))
        for found in (ilm, outer)
    )
    return ilm, outer


def block_mean(gray: FloatArray, deep: int, wide: int) -> FloatArray:
    """Image reduced by whole blocks of ``deep`` by ``wide`` pixels; borders are repeated."""
    bscans, depths, widths = gray.shape
    pad = ((0, 0), (0, -depths % deep), (0, -widths % wide))
    padded = np.pad(gray, pad, mode="edge")
    blocks = padded.reshape(bscans, padded.shape[1] // deep, deep, padded.shape[2] // wide, wide)
    return np.asarray(blocks.mean(axis=(2, 4)))


def _search(cost: FloatArray, pixel_um: float, steepest_px: float) -> CoarsePath:
    max_step = max(1, round(steepest_px))
    rival_px = RIVAL_UM / pixel_um
    path, margin = minimal_path_and_margin(cost, max_step, STEEPEST_COST / steepest_px**2, rival_px)
    return CoarsePath(path, margin)
