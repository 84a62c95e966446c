"""Regions of a tissue map set to what surrounds them: a pocket taken away, a hole closed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.volume import LabelArray

BACKGROUND = 0
"""Label of voxels that no segment covers: the vitreous."""


VITREOUS_SHARE = 1 / 3
"""Erased regions with more vitreous than this around them moved the border of the vitreous.

A strip along the border has about a half; a cyst that touches the border has less.
"""


def fill_from_around(tissue_map: LabelArray, region: npt.NDArray[np.bool_]) -> LabelArray:
    """Tissue map whose voxels in a region have the label of the nearest tissue outside of it.

    Nearest is within the B-scan and in voxels. Vitreous is taken only where nothing else touches
    the region; a B-scan that lies in the region as a whole stays.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    region : bool array of the same shape

    Returns
    -------
    uint8 array, new

    Examples
    --------
    >>> retina_with_cyst = np.array([[[3, 3, 3], [3, 4, 3], [3, 3, 3]]], dtype=np.uint8)
    >>> int(fill_from_around(retina_with_cyst, retina_with_cyst == 4).max())
    3
    """
    filled = tissue_map.copy()
    for bscan in np.flatnonzero(region.any(axis=(1, 2))):
        rows = np.flatnonzero(region[bscan].any(axis=1))
        columns = np.flatnonzero(region[bscan].any(axis=0))
        # What touches the region lies within one voxel of margin.
        box = np.s_[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]
        inside, labels = region[bscan][box], tissue_map[bscan][box]
        if inside.all():
            continue
        sources = ~inside & (labels != BACKGROUND)
        if not sources.any():
            sources = ~inside
        depth, width = ndimage.distance_transform_edt(
            ~sources, return_distances=False, return_indices=True
        )
        filled[bscan][box] = np.where(inside, labels[depth, width], labels)
    return filled


def holes_since(edited: LabelArray, original: LabelArray) -> npt.NDArray[np.bool_]:
    """Voxels that an edit left without tissue inside the eye's tissues, bool array.

    Erasing a segment leaves its voxels to the background, which is the vitreous. Erased regions of
    a B-scan that vitreous of the original makes up to `VITREOUS_SHARE` of the surroundings of are
    holes; the others moved a border.

    Parameters
    ----------
    edited, original : uint8 arrays (B-scan, depth, width)
    """
    holes: npt.NDArray[np.bool_] = (edited == BACKGROUND) & (original != BACKGROUND)
    for bscan in np.flatnonzero(holes.any(axis=(1, 2))):
        numbers, count = ndimage.label(holes[bscan])
        vitreous = original[bscan] == BACKGROUND
        for number in range(1, count + 1):
            own = numbers == number
            around = ndimage.binary_dilation(own) & ~own
            if vitreous[around].mean() > VITREOUS_SHARE:
                holes[bscan] &= ~own
    return holes
