"""Volume nodes that hold the same scan in different ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk

from RetinaTriageLib.volume import OCTVolume


def volume_node(
    volume: OCTVolume,
    *,
    axes: Sequence[int] = (0, 1, 2),
    flipped: Sequence[int] = (),
    turned_degrees: float = 0.0,
) -> Any:
    """Node of a volume, its voxels at the same places however they are stored.

    Parameters
    ----------
    axes : axes of the volume in the order in which the node's array holds them
    flipped : axes of the node's array that run backwards
    turned_degrees : rotation about the superior axis, of the scan as a whole
    """
    array = volume.voxels.transpose(axes)
    affine = volume.ijk_to_ras()
    steps = affine[:3, :3].T[::-1][list(axes)]  # one row a node axis, slowest first
    origin = affine[:3, 3].copy()
    for axis in flipped:
        array = np.flip(array, axis)
        origin += steps[axis] * (array.shape[axis] - 1)
        steps[axis] *= -1
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(turned_degrees) @ steps[::-1].T
    matrix[:3, 3] = rotation(turned_degrees) @ origin
    return slicer.util.addVolumeFromArray(
        np.ascontiguousarray(array), ijkToRAS=matrix, name=volume.name
    )


def rotation(degrees: float) -> Any:
    """Matrix (3, 3) of a rotation about the superior axis."""
    turn = vtk.vtkTransform()
    turn.RotateZ(degrees)
    return slicer.util.arrayFromVTKMatrix(turn.GetMatrix())[:3, :3]
