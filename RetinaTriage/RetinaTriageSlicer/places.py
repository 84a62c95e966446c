"""Places of a scan: from (B-scan, depth, width) indices to points of the scene and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer

from RetinaTriageSlicer.node_grid import NodeGrid


def pointOf(
    volumeNode: Any, grid: NodeGrid, depths: int, index: Sequence[float]
) -> tuple[float, float, float]:
    """Point of the scene, RAS in mm, of an index (B-scan, depth, width) of the scan.

    Parameters
    ----------
    depths : number of depths of the scan
    """
    bscan, depth, width = index
    kji = np.zeros(3)
    kji[list(grid.axes)] = (bscan, depths - 1 - depth if grid.depthReversed else depth, width)
    right, anterior, superior = (grid.ijkToRas @ [*kji[::-1], 1.0])[:3]
    point = [0.0, 0.0, 0.0]
    volumeNode.TransformPointToWorld((right, anterior, superior), point)
    return point[0], point[1], point[2]


def indexOf(
    volumeNode: Any, grid: NodeGrid, depths: int, point: Sequence[float]
) -> tuple[float, float, float]:
    """Fractional index (B-scan, depth, width) of the scan at a point of the scene."""
    local = [0.0, 0.0, 0.0]
    volumeNode.TransformPointFromWorld(tuple(point), local)
    kji = (np.linalg.inv(grid.ijkToRas) @ [*local, 1.0])[:3][::-1]
    bscan, depth, width = (float(kji[axis]) for axis in grid.axes)
    return bscan, depths - 1 - depth if grid.depthReversed else depth, width


def jumpTo(point: Sequence[float]) -> None:
    """Move all slice views to a point of the scene; what they show stays as large as it is."""
    slicer.vtkMRMLSliceNode.JumpAllSlices(
        slicer.mrmlScene, *point, slicer.vtkMRMLSliceNode.OffsetJumpSlice
    )
