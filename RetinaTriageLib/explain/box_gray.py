"""The gray that an occlusion box is filled with: stated, or that of the tissue around lesions.

A box hides nothing where it is as dark as what lies below it: fluid is dark, and a black box on it
looks like more fluid. The gray of the retina takes fluid away and leaves little else behind.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from RetinaTriageLib.explain.occlusion_map import BoolArray, FloatArray, OcclusionBox


def tissue_boxes(picture: FloatArray, box: OcclusionBox) -> BoolArray:
    """Tell for each pixel whether the box around it is brighter than the picture, as tissue is."""
    brightness = ndimage.uniform_filter(picture, (box.depth, box.width))
    return np.asarray(brightness > picture.mean(), np.bool_)


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


def filled_box(picture: FloatArray, side: int, gray: float | None) -> OcclusionBox:
    """Square box of a gray; None fills it with that of the picture's tissue.

    Parameters
    ----------
    picture : float32 array (depth, width), gray values 0 to 1
    side : in pixels
    """
    return OcclusionBox(side, side, tissue_gray(picture) if gray is None else gray)
