"""Boxes of an occlusion test as the B-scan asks for them: which gray, and where tissue is.

A box hides nothing where it is as dark as what lies below it: fluid is dark, and a black box on it
looks like more fluid. The gray of the retina takes fluid away, but breaks the bright lines of other
layers, which a network notices as well. What lies beside the box takes away the lesion alone.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from RetinaTriageLib.explain.occlusion_map import (
    AUTO,
    SIDES,
    BoolArray,
    FloatArray,
    GrayChoice,
    OcclusionBox,
)


def tissue_boxes(picture: FloatArray, box: OcclusionBox) -> BoolArray:
    """Tell for each pixel whether the box around it is brighter than the picture, as tissue is."""
    brightness = ndimage.uniform_filter(picture, (box.depth, box.width))
    return np.asarray(brightness > picture.mean(), np.bool_)


def tissue_band(picture: FloatArray, box: OcclusionBox) -> BoolArray:
    """Tell for each pixel whether it lies between the first and last tissue of its A-scan.

    Fluid is dark and lies between tissue, so centers of boxes in it are kept, and those in the
    vitreous and in the dark depth are not.

    Parameters
    ----------
    picture : float32 array (depth, width), gray values 0 to 1

    Examples
    --------
    >>> picture = np.zeros((60, 40), np.float32)
    >>> picture[20:24] = picture[44:48] = 1
    >>> band = tissue_band(picture, OcclusionBox(4, 4))
    >>> bool(band[34, 20]), bool(band[5, 20])
    (True, False)
    """
    tissue = tissue_boxes(picture, box)
    below_first = np.logical_or.accumulate(tissue, axis=0)
    above_last = np.logical_or.accumulate(tissue[::-1], axis=0)[::-1]
    band: BoolArray = below_first & above_last
    return band


def tissue_gray(picture: FloatArray) -> float:
    """Median gray, 0 to 1, of the places that are brighter than the picture.

    Examples
    --------
    >>> picture = np.zeros((60, 60), np.float32)
    >>> picture[20:50] = 0.5
    >>> tissue_gray(picture)
    0.5
    """
    tissue = tissue_boxes(picture, OcclusionBox())
    return float(np.median(picture[tissue])) if tissue.any() else float(picture.mean())


def filled_box(picture: FloatArray, side: int, gray: GrayChoice) -> OcclusionBox:
    """Square box filled as was asked for.

    Parameters
    ----------
    picture : float32 array (depth, width), gray values 0 to 1
    side : in pixels
    gray : 0 to 1; "auto" for that of the picture's tissue, "sides" for what lies beside the box
    """
    if gray == SIDES:
        return OcclusionBox(side, side, None)
    return OcclusionBox(side, side, tissue_gray(picture) if gray == AUTO else gray)
