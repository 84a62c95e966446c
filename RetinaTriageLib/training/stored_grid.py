"""How files of training samples hold the class fractions of a tissue map: as bytes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.networks.classifier_input import GridArray

StoredGrid = npt.NDArray[np.uint8]


def stored_grid(grid: GridArray) -> StoredGrid:
    """Class fractions times 255, uint8 array of the same shape.

    Examples
    --------
    >>> stored_grid(np.array([0, 0.5, 1], np.float32)).tolist()
    [0, 128, 255]
    """
    return np.round(grid * 255).astype(np.uint8)
