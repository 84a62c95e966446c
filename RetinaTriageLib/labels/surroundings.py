"""Regions of a tissue map set to what surrounds them: a pocket taken away, a hole closed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.volume import LabelArray

BACKGROUND = 0
"""Label of voxels that no segment covers: the vitreous."""


def fill_from_around(tissue_map: LabelArray, region: npt.NDArray[np.bool_]) -> LabelArray:
    """Tissue map whose voxels in a region have the label of the nearest voxel outside of it.

    Nearest is within the B-scan and in voxels. A B-scan that lies in the region as a whole stays.

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
        # The nearest voxel outside touches the region, so one voxel of margin holds it.
        box = np.s_[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]
        inside = region[bscan][box]
        if inside.all():
            continue
        depth, width = ndimage.distance_transform_edt(
            inside, return_distances=False, return_indices=True
        )
        filled[bscan][box] = tissue_map[bscan][box][depth, width]
    return filled


def holes_since(edited: LabelArray, original: LabelArray) -> npt.NDArray[np.bool_]:
    """Voxels that an edit left without tissue inside the eye's tissues, bool array.

    Erasing a segment leaves its voxels to the background, which is the vitreous. Erased regions
    that do not touch vitreous of the original in their B-scan are holes; the others moved a border.

    Parameters
    ----------
    edited, original : uint8 arrays (B-scan, depth, width)
    """
    holes = (edited == BACKGROUND) & (original != BACKGROUND)
    for bscan in np.flatnonzero(holes.any(axis=(1, 2))):
        numbers, _count = ndimage.label(holes[bscan])
        vitreous = original[bscan] == BACKGROUND
        touching = np.unique(numbers[ndimage.binary_dilation(vitreous)])
        holes[bscan] &= ~np.isin(numbers, touching)
    return holes
