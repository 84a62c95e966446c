"""A box in a picture: what takes its place, and where it would change nothing."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from RetinaTriageLib.explain.occlusion_map import BoolArray, FloatArray, OcclusionBox

BESIDE = 5
"""Pixels on either side of a box whose mean its rows begin and end with: fewer would spread one
pixel's speckle over the box; ours."""


def hide(picture: FloatArray, box: OcclusionBox, depth: int, width: int) -> None:
    """Put a box on a pixel of a picture, in place.

    A box without a gray of its own runs in straight lines, row by row, from what lies on its left
    to what lies on its right. So the layers of a retina go on through it, and a lesion that the box
    covers is gone. At the border of the picture the one side that there is fills it.

    Parameters
    ----------
    picture : float32 array (depth, width), gray values 0 to 1
    depth, width : pixel that the box is centered on

    Examples
    --------
    >>> layer = np.tile(np.float32([[0.2], [0.8], [0.2]]), (1, 40))
    >>> layer[:, 18:22] = 0
    >>> hide(layer, OcclusionBox(3, 6, None), 1, 20)
    >>> print(layer[:, 20])
    [0.2 0.8 0.2]
    """
    rows, columns = box.around(depth, width)
    if box.gray is not None:
        picture[rows, columns] = box.gray
        return
    first, last = columns.start, min(columns.stop, picture.shape[1])
    sides = picture[rows, max(0, first - BESIDE) : first], picture[rows, last : last + BESIDE]
    known = [side.mean(axis=1) for side in sides if side.shape[1]] or [picture[rows].mean(axis=1)]
    left, right = known[0][:, np.newaxis], known[-1][:, np.newaxis]
    along = (np.arange(last - first, dtype=np.float32) + 0.5) / (last - first)
    picture[rows, columns] = left + (right - left) * along


def changed_places(picture: FloatArray, box: OcclusionBox) -> BoolArray:
    """Tell for each pixel whether the box around it could change the picture, (depth, width)."""
    if box.gray is not None:
        differs = picture != np.float32(box.gray)
        size = (box.depth, box.width)
    else:
        seen = (1, box.width + 2 * BESIDE + 1)
        highest, lowest = (
            reach(picture, seen, mode="nearest")
            for reach in (ndimage.maximum_filter, ndimage.minimum_filter)
        )
        differs = highest != lowest
        size = (box.depth, 1)
    hidden = ndimage.maximum_filter(differs.astype(np.uint8), size, mode="constant")
    return np.asarray(hidden, np.bool_)
