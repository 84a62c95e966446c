"""Gray pictures that a color JPEG gave a faint tint, as exports through office programs have it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from RetinaTriageLib.readers.embedded_picture import DECODER_ERRORS
from RetinaTriageLib.readers.sizes import LARGEST_SIDE

LARGEST_TINT = (
    32  # of 255: what coarse color tables of JPEG do to gray edges; drawn lines are above
)


def tinted_gray(path: Path) -> npt.NDArray[np.uint8] | None:
    """Mean of the colors (depth, width) of a JPEG that is nearly gray; None for anything else."""
    try:
        with Image.open(path, formats=("JPEG",)) as picture:
            if picture.mode != "RGB" or max(picture.size) > LARGEST_SIDE:
                return None
            colors = np.asarray(picture)
    except DECODER_ERRORS:
        return None
    if int(np.ptp(colors, axis=2).max()) > LARGEST_TINT:
        return None
    gray: npt.NDArray[np.uint8] = np.rint(colors.mean(axis=2)).astype(np.uint8)
    return gray
