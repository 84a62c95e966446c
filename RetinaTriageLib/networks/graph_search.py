"""Layer surfaces by graph search: the segmentation method that needs no training.

Coarse to fine: cheapest paths on a reduced image find the inner limiting membrane (ILM) and the
outer edge of the pigment epithelium; narrow bands around them, at full depth, give the surfaces to
a fraction of a pixel. Boundaries are those of the Spectralis: ILM where vitreous turns into retina,
Bruch's membrane (BM) at the outer edge of the bright pigment epithelium; both where the gray value
changes fastest. Under drusen, BM runs on as a smooth line below the lifted epithelium.

References
----------
Chiu et al., Opt. Express 18:19413 (2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.networks.bruchs_membrane import LIFTED_UM, bruchs_membrane, too_steep
from RetinaTriageLib.networks.coarse_surfaces import Columns, block_mean, coarse_surfaces
from RetinaTriageLib.networks.surface_cost import BoolArray, clipping_mask, comparable_gray
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

FINE_WIDTH_UM = 23.0  # columns of the fine search; surfaces are smooth over such a distance
CLEAR_MARGIN = 0.6  # a path that beats its rivals by this much contrast is beyond doubt
SURE_IF_LIFTED = 0.5  # Bruch's membrane under a deposit is drawn, hardly seen
NEIGHBOR_UM = 60.0  # a jump this large between B-scans, beyond their shift, is hardly believed


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
    coarse_ilm, coarse_outer = coarse_surfaces(gray, depth_um, width_um)
    wide = max(1, round(FINE_WIDTH_UM / width_um))
    columns, column_um = Columns(gray.shape[2], wide), width_um * wide
    small = ndimage.gaussian_filter1d(block_mean(gray, 1, wide), 1.0, axis=2)
    find = partial(find_boundary, small, depth_um=depth_um)
    ilm = find(columns.reduce(coarse_ilm.depth), ILM)
    outer = find(columns.reduce(coarse_outer.depth), RPE_OUTER)
    ellipsoid, rpe = find(outer.depth, ELLIPSOID), find(outer.depth, RPE_INNER)

    sure_ilm = _sure(ilm, ILM) * _clear(columns.reduce(coarse_ilm.margin))
    sure_ilm *= _like_neighbors(ilm.depth, depth_um)
    sure_outer = _sure(outer, RPE_OUTER) * _clear(columns.reduce(coarse_outer.margin))
    sure_outer *= 1 - too_steep(outer.depth, depth_um, column_um)
    bm = bruchs_membrane(outer.depth, sure_outer, depth_um, column_um)
    lifted = (bm - outer.depth) * depth_um > LIFTED_UM
    sure_bm = sure_outer * np.where(lifted, SURE_IF_LIFTED, 1) * _like_neighbors(bm, depth_um)
    confidence = {
        "ilm": sure_ilm,
        "ellipsoid": sure_outer * _sure(ellipsoid, ELLIPSOID),
        "rpe": sure_outer * _sure(rpe, RPE_INNER),
        "rpe_outer": sure_outer,
        "bm": sure_bm,
    }
    return Surfaces(
        columns.enlarge(ilm.depth),
        columns.enlarge(ellipsoid.depth),
        columns.enlarge(rpe.depth),
        columns.enlarge(outer.depth),
        columns.enlarge(bm),
        {name: columns.enlarge(sure) for name, sure in confidence.items()},
        clipped,
    )


def _sure(found: Boundary, window: Window) -> FloatArray:
    """Confidence 0 to 1 from the contrast of a boundary."""
    sure = np.clip(found.contrast / window.clear_contrast, 0, 1)
    return np.asarray(ndimage.gaussian_filter1d(sure, 1.5, axis=1), dtype=np.float32)


def _clear(margin: FloatArray) -> FloatArray:
    """Confidence 0 to 1 from the lack of rivals."""
    return np.asarray(np.clip(margin / CLEAR_MARGIN, 0, 1), dtype=np.float32)


def _like_neighbors(lines: FloatArray, depth_um: float) -> FloatArray:
    """Confidence 0 to 1 from both neighboring B-scans, whose own shift in depth is forgiven."""
    if len(lines) < 3:
        return np.ones_like(lines)
    level = lines - np.median(lines, axis=1, keepdims=True)
    jump = np.zeros_like(lines)
    jump[1:-1] = level[1:-1] - (level[:-2] + level[2:]) / 2
    return np.asarray(np.exp(-((jump * depth_um / NEIGHBOR_UM) ** 2)), dtype=np.float32)
