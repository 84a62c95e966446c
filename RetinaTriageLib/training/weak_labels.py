"""Weak labels from layer surfaces: a code where the surfaces are sure, "unknown" elsewhere."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from RetinaTriageLib.labels.label_sets import (
    RETINA,
    RETINA_NOT_FLUID,
    RPE_COMPLEX,
    SOME_FLUID,
    UNKNOWN,
    VITREOUS_SIDE,
)
from RetinaTriageLib.networks.graph_search import Surfaces
from RetinaTriageLib.networks.surface_cost import BoolArray, comparable_gray
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import FloatArray, LabelArray, VoxelSpacing

SURE = 0.5  # confidence from which a surface is believed
BORDER_PX = 1.0  # pixels this near to a surface stay unknown
RPE_UM = 20.0  # epithelium on Bruch's membrane, about 15 um in CLINICAL.md section 7
THIN_UM = 45.0  # imaged epithelium and outer segment tips; thicker ones hide a deposit
INTRARETINAL = TISSUE_BY_NAME["intraretinal_fluid"].label
INTRARETINAL_GAP_UM = 30.0  # outer retina left below a pocket that surely lies inside the retina
GAP_UM = 250.0  # a Bruch's membrane lost for longer than this is the disc or a deep shadow
MARGIN_UM = 300.0  # distrust around such a gap
DARK_GRAY = 0.12  # vitreous without hyaloid or debris, on the scale of `comparable_gray`, ...
DARK_DEVIATIONS = 4.0  # ... or within so many deviations of its noise, whichever is brighter


def weak_codes(
    image: LabelArray,
    surfaces: Surfaces,
    spacing: VoxelSpacing,
    fluid: BoolArray | None = None,
    *,
    fluid_free: bool = False,
) -> LabelArray:
    """Partial labels of one B-scan, in the codes of `label_sets`.

    Parameters
    ----------
    image : uint8 array (depth, width)
    surfaces : of this B-scan alone, arrays (1, width)
    spacing : lengths in um decide what a thin epithelium and a gap are
    fluid : bool array (depth, width); a grader's fluid, complete for this B-scan. None: not graded
    fluid_free : whether an ungraded B-scan is known to hold no fluid

    Returns
    -------
    uint8 array (depth, width)
    """
    depth_um = spacing.depth_mm * 1000
    sure_bm = _sure_membrane(surfaces, spacing.width_mm * 1000)
    sure_ilm = _sure(surfaces, "ilm")
    row = np.arange(image.shape[0], dtype=np.float32)[:, None]
    ilm, ellipsoid, rpe = surfaces.ilm[0], surfaces.ellipsoid[0], surfaces.rpe[0]
    bm = surfaces.bm[0]
    below_ilm, below_bm = row > ilm + BORDER_PX, row > bm + BORDER_PX
    codes = np.full(image.shape, UNKNOWN, np.uint8)

    above = (row < ilm - BORDER_PX) & sure_ilm
    codes[above] = VITREOUS_SIDE
    codes[_dark(image, above, surfaces.clipped[0])] = TISSUE_BY_NAME["vitreous_subhyaloid"].label

    graded = fluid is not None or fluid_free
    retina_code = RETINA_NOT_FLUID if graded else RETINA
    sure_retina = sure_ilm & sure_bm & _sure(surfaces, "ellipsoid")
    retina = below_ilm & (row < ellipsoid - BORDER_PX) & sure_retina
    photoreceptors = (row > ellipsoid + BORDER_PX) & (row < rpe - BORDER_PX) & below_ilm
    codes[retina | (photoreceptors & sure_retina & _sure(surfaces, "rpe"))] = retina_code

    codes = _epithelium(codes, row, surfaces, sure_bm, depth_um)
    codes[below_bm & sure_bm] = TISSUE_BY_NAME["choroid_outer"].label
    if fluid is not None:
        codes[ndimage.binary_dilation(fluid)] = UNKNOWN
        codes[fluid] = SOME_FLUID
        codes[_intraretinal(fluid, ellipsoid, depth_um)] = INTRARETINAL
    codes[surfaces.clipped[0]] = TISSUE_BY_NAME["clipping_artifact"].label
    return codes


def _intraretinal(fluid: BoolArray, ellipsoid: FloatArray, depth_um: float) -> BoolArray:
    """Pockets that end well above the photoreceptors; the others may lie below the retina."""
    pockets, count = ndimage.label(fluid)
    inside = np.zeros_like(fluid)
    for number in range(1, count + 1):
        pocket = pockets == number
        columns = pocket.any(axis=0)
        bottom = fluid.shape[0] - 1 - pocket[::-1].argmax(axis=0)
        gap_um = (ellipsoid - bottom)[columns] * depth_um
        if np.median(gap_um) > INTRARETINAL_GAP_UM:
            inside |= pocket
    return inside


def _epithelium(
    codes: LabelArray,
    row: FloatArray,
    surfaces: Surfaces,
    sure_bm: BoolArray,
    depth_um: float,
) -> LabelArray:
    """Codes with the epithelium on Bruch's membrane, or the complex where it is lifted."""
    rpe, bm = surfaces.rpe[0], surfaces.bm[0]
    thin = (bm - rpe) * depth_um < THIN_UM
    attached = (bm - surfaces.rpe_outer[0]) * depth_um < RPE_UM / 2
    above_bm = row < bm - BORDER_PX
    known = sure_bm & _sure(surfaces, "rpe_outer")
    plain = above_bm & (row > bm - RPE_UM / depth_um) & known & thin & attached
    codes[plain] = TISSUE_BY_NAME["rpe"].label
    codes[above_bm & (row > rpe + BORDER_PX) & known & ~attached] = RPE_COMPLEX
    return codes


def _sure(surfaces: Surfaces, name: str) -> BoolArray:
    """Columns whose surface is believed; surfaces that the image's border cuts are not."""
    line = getattr(surfaces, name)[0]
    clipped = surfaces.clipped[0]
    rows = np.clip(np.round(line).astype(np.intp), 4, clipped.shape[0] - 5)
    columns = np.arange(line.size)
    free = ~np.any([clipped[rows + step, columns] for step in (-4, 0, 4)], axis=0)
    inside = (line > 4) & (line < clipped.shape[0] - 5)
    return np.asarray((surfaces.confidence[name][0] >= SURE) & free & inside)


def _sure_membrane(surfaces: Surfaces, width_um: float) -> BoolArray:
    """Columns with a believed Bruch's membrane, away from the disc and deep shadows."""
    lost = ~_sure(surfaces, "bm")
    gap = ndimage.binary_opening(lost, np.ones(max(3, round(GAP_UM / width_um)), bool))
    near = ndimage.binary_dilation(gap, iterations=max(1, round(MARGIN_UM / width_um)))
    return np.asarray(~(lost | near))


def _dark(image: LabelArray, vitreous: BoolArray, clipped: BoolArray) -> BoolArray:
    """Pixels of the vitreous side without any structure nearby."""
    free = vitreous & ~clipped
    if not free.any():
        return free
    gray = comparable_gray(image[None], clipped[None])[0]
    smooth = ndimage.gaussian_filter(gray, (1.5, 6.0))
    middle = np.median(smooth[free])
    deviation = 1.48 * np.median(np.abs(smooth[free] - middle))
    bright = smooth > max(DARK_GRAY, middle + DARK_DEVIATIONS * deviation)
    return np.asarray(free & ~ndimage.binary_dilation(bright, np.ones((9, 9), bool)))
