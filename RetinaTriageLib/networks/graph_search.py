"""Layer surfaces by graph search: the segmentation method that needs no training.

Coarse to fine: cheapest paths on a reduced image find the inner limiting membrane (ILM) and the
outer edge of the pigment epithelium; narrow bands around them, at full depth, give the surfaces to
a fraction of a pixel. Boundaries are those of the Spectralis: ILM where vitreous turns into retina,
Bruch's membrane (BM) at the outer edge of the bright pigment epithelium; both where the gray value
changes fastest. Under drusen, BM runs on as a smooth line below the lifted epithelium.

References
----------
Chiu et al., Opt. Express 18:19413 (2010), layers by dynamic programming. Eilers, Anal. Chem.
75:3631 (2003), asymmetric smoothing, here for BM.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.networks.minimal_path import minimal_path_and_margin
from RetinaTriageLib.networks.smooth_line import lower_line, smooth_line
from RetinaTriageLib.networks.surface_cost import (
    BoolArray,
    clipping_mask,
    comparable_gray,
    ilm_cost,
    rpe_cost,
)
from RetinaTriageLib.networks.surface_refine import (
    ELLIPSOID,
    ILM,
    RPE_INNER,
    RPE_OUTER,
    Boundary,
    Window,
    find_boundary,
)
from RetinaTriageLib.volume import FloatArray, VoxelSpacing, require_voxels

COARSE_UM = (7.7, 46.0)  # depth and width of a coarse pixel: two by four pixels of a Spectralis
FINE_WIDTH_UM = 23.0
RIVAL_UM = 40.0  # another path that is farther away is a rival
CLEAR_MARGIN = 0.6  # a path that beats all rivals by this much of contrast is sure
LIFTED_UM = 15.0  # an outer edge this far above the smooth line belongs to a druse, not to BM
DRUSEN_WIDTH_UM = 1500.0  # bumps of the epithelium that BM passes under


@dataclass(frozen=True)
class Surfaces:
    """Layer surfaces in px from the upper edge, and how sure each column is (0 to 1).

    Attributes
    ----------
    ilm : float32 array (B-scan, width), inner limiting membrane
    ellipsoid : inner border of the ellipsoid zone, where the bright outer complex begins
    rpe : inner border of the pigment epithelium, the outermost bright band
    rpe_outer : its outer edge as imaged; lifted over drusen
    bm : Bruch's membrane
    confidence : surface name to float32 array (B-scan, width)
    clipped : bool array (B-scan, depth, width), filled-in border without data
    """

    ilm: FloatArray
    ellipsoid: FloatArray
    rpe: FloatArray
    rpe_outer: FloatArray
    bm: FloatArray
    confidence: dict[str, FloatArray]
    clipped: BoolArray


@dataclass(frozen=True)
class _Found:
    """A path and how clearly it beats its rivals; arrays (B-scan, width)."""

    path: FloatArray
    margin: FloatArray


def find_surfaces(voxels: npt.NDArray[Any], spacing: VoxelSpacing) -> Surfaces:
    """Layer surfaces of every B-scan, in px.

    Parameters
    ----------
    voxels : array (B-scan, depth, width)
    spacing : lengths of slopes, bands and drusen follow from it

    Returns
    -------
    Surfaces

    Raises
    ------
    InputError
        If the voxels are no gray OCT scan.
    """
    require_voxels(voxels)
    depth_um, width_um = spacing.depth_mm * 1000, spacing.width_mm * 1000
    clipped = clipping_mask(voxels)
    gray = comparable_gray(voxels, clipped)
    ilm, outer = _coarse(gray, depth_um, width_um)
    fine_width = max(1, round(FINE_WIDTH_UM / width_um))
    small = ndimage.gaussian_filter1d(_block_mean(gray, 1, fine_width), 1.0, axis=2)
    columns = _Columns(gray.shape[2], fine_width)
    find = partial(find_boundary, small, depth_um=depth_um)
    inner = find(columns.reduce(ilm.path), ILM)
    outer_edge = find(columns.reduce(outer.path), RPE_OUTER)
    ellipsoid = find(outer_edge.depth, ELLIPSOID)
    rpe = find(outer_edge.depth, RPE_INNER)
    sure_ilm = _sure(inner, ILM, columns.reduce(ilm.margin))
    sure_outer = _sure(outer_edge, RPE_OUTER, columns.reduce(outer.margin))
    bm = _bruchs_membrane(outer_edge.depth, sure_outer, depth_um, width_um * fine_width)
    lifted_um = (bm - outer_edge.depth) * depth_um
    sure_bm = sure_outer * np.where(lifted_um > LIFTED_UM, 0.5, 1.0)
    confidence = {
        "ilm": sure_ilm,
        "ellipsoid": sure_outer * _sure(ellipsoid, ELLIPSOID),
        "rpe": sure_outer * _sure(rpe, RPE_INNER),
        "rpe_outer": sure_outer,
        "bm": sure_bm,
    }
    return Surfaces(
        columns.enlarge(inner.depth),
        columns.enlarge(ellipsoid.depth),
        columns.enlarge(rpe.depth),
        columns.enlarge(outer_edge.depth),
        columns.enlarge(bm),
        {name: columns.enlarge(sure) for name, sure in confidence.items()},
        clipped,
    )


def _sure(found: Boundary, window: Window, margin: FloatArray | None = None) -> FloatArray:
    """Confidence 0 to 1 from the contrast of an edge, and from the lack of rivals."""
    sure = np.clip(found.contrast / window.clear_contrast, 0, 1)
    if margin is not None:
        sure = np.minimum(sure, np.clip(margin / CLEAR_MARGIN, 0, 1))
    return np.asarray(ndimage.gaussian_filter1d(sure, 1.5, axis=1), dtype=np.float32)


def _bruchs_membrane(
    outer: FloatArray, sure: FloatArray, depth_um: float, column_um: float
) -> FloatArray:
    """Outer RPE edge where it lies on its smooth lower line, that line where it is lifted."""
    stiffness = (DRUSEN_WIDTH_UM / (2 * np.pi * column_um)) ** 4
    tolerance_px = LIFTED_UM / depth_um
    membrane = np.empty_like(outer)
    for row, (line, weight) in enumerate(zip(outer, sure + 0.02, strict=True)):
        lower = lower_line(line, weight, stiffness, tolerance_px)
        away = (line - lower) / tolerance_px
        kept = 1 / (1 + away**4) * weight
        membrane[row] = smooth_line(lower + kept * (line - lower), np.ones_like(line), 2.0)
    return membrane


def _coarse(gray: FloatArray, depth_um: float, width_um: float) -> tuple[_Found, _Found]:
    """ILM and outer RPE edge within a few pixels, at full width."""
    deep, wide = (
        max(1, round(c / p)) for c, p in zip(COARSE_UM, (depth_um, width_um), strict=True)
    )
    small = ndimage.gaussian_filter1d(_block_mean(gray, deep, wide), 1.0, axis=2)
    pixel_um = depth_um * deep
    slope = wide * width_um / pixel_um
    ilm = _search(ilm_cost(small, pixel_um), pixel_um, slope)
    outer = _search(rpe_cost(small, ilm.path, pixel_um), pixel_um, 0.7 * slope)
    columns = _Columns(gray.shape[2], wide)
    ilm_full, outer_full = (
        _Found(columns.enlarge((f.path + 0.5) * deep - 0.5), columns.enlarge(f.margin))
        for f in (ilm, outer)
    )
    return ilm_full, outer_full


def _search(cost: FloatArray, pixel_um: float, max_slope_px: float) -> _Found:
    max_step = max(1, round(max_slope_px))
    rival_px = RIVAL_UM / pixel_um
    path, margin = minimal_path_and_margin(cost, max_step, 0.25 / max_slope_px**2, rival_px)
    return _Found(path, margin)


def _block_mean(gray: FloatArray, deep: int, wide: int) -> FloatArray:
    bscans, depths, widths = gray.shape
    pad = ((0, 0), (0, -depths % deep), (0, -widths % wide))
    padded = np.pad(gray, pad, mode="edge")
    blocks = padded.reshape(bscans, padded.shape[1] // deep, deep, padded.shape[2] // wide, wide)
    return np.asarray(blocks.mean(axis=(2, 4)))


@dataclass(frozen=True)
class _Columns:
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
