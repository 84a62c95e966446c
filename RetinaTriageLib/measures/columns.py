"""Voxels of each tissue class along every A-scan; thickness, area and volume follow from them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.volume import LabelArray

CountArray = npt.NDArray[np.int32]


def column_counts(tissue_map: LabelArray, classes: int) -> CountArray:
    """A-scan by A-scan number of voxels of each class.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    classes : number of tissue classes, labels are 0 to ``classes - 1``

    Returns
    -------
    int32 array (class, B-scan, width)

    Raises
    ------
    InputError
        If the map is not three-dimensional or holds a label beyond the last class.

    Examples
    --------
    >>> column_counts(np.array([[[0, 1], [1, 1]]], dtype=np.uint8), classes=2).tolist()
    [[[1, 0]], [[1, 2]]]
    """
    require_labels(tissue_map, classes)
    bscans, _, width = tissue_map.shape
    counts = np.empty((classes, bscans, width), dtype=np.int32)
    column = np.arange(width, dtype=np.intp)
    for index, bscan in enumerate(tissue_map):
        bins = bscan.astype(np.intp)  # (depth, width)
        bins *= width
        bins += column
        counts[:, index] = np.bincount(bins.ravel(), minlength=classes * width).reshape(-1, width)
    return counts


def class_counts(tissue_map: LabelArray, classes: int) -> npt.NDArray[np.int64]:
    """Count of voxels of each class in the whole map, int array (class,).

    Raises
    ------
    InputError
        As `column_counts`.
    """
    require_labels(tissue_map, classes)
    counts = np.zeros(classes, dtype=np.int64)
    for bscan in tissue_map:
        counts += np.bincount(bscan.ravel(), minlength=classes)
    return counts


def require_labels(tissue_map: LabelArray, classes: int) -> None:
    """Refuse arrays that are not a tissue map of this many classes.

    Raises
    ------
    InputError
        If the map is not a uint8 array (B-scan, depth, width) or holds a label beyond the last.
    """
    if tissue_map.ndim != 3 or tissue_map.dtype != np.uint8:
        msg = (
            f"Expected a uint8 tissue map (B-scan, depth, width), got {tissue_map.dtype} "
            f"{tissue_map.shape}; stack the B-scans and convert the labels."
        )
        raise InputError(msg)
    highest = int(tissue_map.max(initial=0))
    if highest >= classes:
        msg = (
            f"Found label {highest} in a map of {classes} tissue classes; expected 0 to "
            f"{classes - 1}. Pass the tissues of the bundle that made the map."
        )
        raise InputError(msg)
