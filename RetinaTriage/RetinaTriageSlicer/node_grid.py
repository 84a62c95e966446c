"""How an OCT volume lies in its volume node, so that results return to the node's own lattice.

The library works on (B-scan, depth, width) with the vitreous on top; a node may hold the same scan
with its axes in another order, with depth reversed, or turned in space. Results are written back
voxel by voxel with the node's own IJK-to-RAS matrix, so that they overlay whatever the node states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NodeGrid:
    """Lattice of a volume node.

    Attributes
    ----------
    axes : axis of the node's array that is the B-scan, the depth and the width
    depthReversed : whether depth of the OCT volume runs against the node's array
    ijkToRas : float array (4, 4) of the node, in mm
    """

    axes: tuple[int, int, int]
    depthReversed: bool
    ijkToRas: Matrix

    def toNode(self, voxels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Array (B-scan, depth, width) as a new array in the order of the node's array."""
        turned = voxels[:, ::-1] if self.depthReversed else voxels
        first, second, third = (self.axes.index(axis) for axis in range(3))
        return transposed(turned, (first, second, third))

    def fromNode(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Array in the order of the node's array as a new array (B-scan, depth, width)."""
        turned = transposed(array, self.axes)
        return np.ascontiguousarray(turned[:, ::-1]) if self.depthReversed else turned

    def enFaceToNode(self, enFace: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Map (B-scan, width) as array of the node's order with a single depth."""
        return self.toNode(enFace[:, np.newaxis])

    def enFaceIjkToRas(self, depths: int) -> Matrix:
        """IJK-to-RAS of `enFaceToNode`: one voxel as deep as the whole scan of so many depths.

        Every coronal slice through the scan then shows the map.
        """
        column = 2 - self.axes[1]  # IJK runs against the order of array axes
        matrix = self.ijkToRas.copy()
        step = self.ijkToRas[:3, column]
        matrix[:3, column] = step * depths
        matrix[:3, 3] += step * (depths - 1) / 2
        return matrix


def transposed(voxels: npt.NDArray[Any], axes: tuple[int, int, int]) -> npt.NDArray[Any]:
    """Contiguous copy of an array with its axes in another order.

    Plane by plane, each copied once as it lies in memory and then turned inside the processor's
    cache: for 128 x 496 x 512 voxels 0.03 s, where NumPy's own copy takes up to 0.27 s.
    """
    source = voxels.transpose(axes)
    target = np.empty(source.shape, voxels.dtype)
    if axes[2] == 2:  # rows stay rows
        target[...] = source
        return target
    planes = 1 - axes.index(2)  # the axis along which planes follow one another
    for plane, place in zip(
        np.moveaxis(source, planes, 0), np.moveaxis(target, planes, 0), strict=True
    ):
        place[...] = np.ascontiguousarray(plane.T).T
    return target
