"""From a volume node of the scene to an OCT volume: axes found, spacing checked, nothing guessed.

The networks see a scan as Slicer's axial view shows it: anterior on top. Files without orientation
are loaded by Slicer with their first row on top; a node made of a bare array is not, see
`readVolumeNode`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import vtk

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.gray import lossless_gray, refuse_label_map, single_channel
from RetinaTriageLib.readers.grid_axes import Grid, choose_axes, orient
from RetinaTriageLib.readers.spacing import believed_spacing
from RetinaTriageLib.volume import (
    DeviceFamily,
    Laterality,
    OCTVolume,
    ScanPattern,
    VoxelSpacing,
    with_geometry,
)
from RetinaTriageSlicer.node_grid import Matrix, NodeGrid, transposed

# Attributes of a volume node; a reader or the user sets them, and they are saved with the scene.
LATERALITY = "RetinaTriage.Laterality"
DEVICE = "RetinaTriage.Device"
PATTERN = "RetinaTriage.ScanPattern"
SPACING_SOURCE = "RetinaTriage.SpacingSource"


@dataclass(frozen=True)
class StatedGeometry:
    """What the user states about a scan; None leaves it to the node.

    Attributes
    ----------
    bscanAxis : axis of the node's array on which B-scans follow one another, 0 is the slowest
    """

    spacing: VoxelSpacing | None = None
    laterality: Laterality | None = None
    device: DeviceFamily | None = None
    bscanAxis: int | None = None


def readVolumeNode(node: Any, stated: StatedGeometry | None = None) -> tuple[OCTVolume, NodeGrid]:
    """Volume of a node, and how it lies in it.

    What the node says about directions is believed. ``slicer.util.addVolumeFromArray`` without a
    matrix says that rows run towards anterior; pass ``ijkToRAS`` with them towards posterior.

    Raises
    ------
    InputError
        If the node is empty, holds color, labels or values that no scan has.
    GeometryError
        If its axes are not perpendicular.
    """
    stated = stated or StatedGeometry()
    array = _nodeArray(node)
    matrix = ijkToRas(node)
    spacingMm = tuple(float(length) for length in reversed(node.GetSpacing()))
    steps = (matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)).T[::-1]
    right, anterior, superior = (float(value) for value in matrix[:3, 3])
    axes, axesAssumed = choose_axes(array.shape, spacingMm, stated.bscanAxis)
    voxels = _turnedBeforehand(array, axes)
    grid = Grid(voxels, spacingMm, steps, (right, anterior, superior))
    oriented, orientationAssumed = orient(grid, axes, stated=True)
    spacing, spacingAssumed = _spacing(node, oriented)
    single = oriented.voxels.shape[0] == 1
    volume = OCTVolume(
        oriented.voxels,
        spacing,
        _attribute(node, LATERALITY, Laterality),
        _attribute(node, DEVICE, DeviceFamily),
        _attribute(node, PATTERN, ScanPattern)
        or (ScanPattern.LINE if single else ScanPattern.RASTER),
        directions=oriented.steps[[2, 1, 0]].T.copy(),
        origin_mm=oriented.origin_mm,
        name=node.GetName(),
        sources=_sources(node, spacing),
        assumed=(*spacingAssumed, *axesAssumed, *orientationAssumed, *_transformNote(node)),
    )
    volume = with_geometry(
        volume, spacing=stated.spacing, laterality=stated.laterality, device=stated.device
    )
    return volume, NodeGrid(axes, oriented.depth_reversed, matrix)


def ijkToRas(node: Any) -> Matrix:
    """Matrix (4, 4) of a volume node, without its parent transform, in mm."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.asarray(slicer.util.arrayFromVTKMatrix(matrix), dtype=np.float64)


def _nodeArray(node: Any) -> npt.NDArray[Any]:
    image = node.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        msg = f"{node.GetName()} holds no voxels; expected an OCT volume. Load the scan again."
        raise InputError(msg)
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        msg = f"{node.GetName()} is a label map; expected the gray OCT scan. Choose the scan."
        raise InputError(msg)
    array = slicer.util.arrayFromVolume(node)
    voxels = lossless_gray(single_channel(array) if array.ndim == 4 else array)
    refuse_label_map(voxels, node.GetName())
    return voxels


def _turnedBeforehand(array: npt.NDArray[Any], axes: tuple[int, int, int]) -> npt.NDArray[Any]:
    """Array of the same shape and voxels that lies in memory as (B-scan, depth, width)."""
    if axes == (0, 1, 2):
        return array
    first, second, third = (axes.index(axis) for axis in range(3))
    return transposed(array, axes).transpose(first, second, third)


def _spacing(node: Any, oriented: Grid) -> tuple[VoxelSpacing | None, tuple[str, ...]]:
    if np.allclose(oriented.spacing_mm, 1.0):
        sentence = (
            f"Spacing is unknown: {node.GetName()} has 1 x 1 x 1, which stands for a missing "
            "spacing and is never taken as 1 mm; state it in Scan geometry."
        )
        return None, (sentence,)
    bscanMm, depthMm, widthMm = oriented.spacing_mm
    return believed_spacing(None if oriented.voxels.shape[0] == 1 else bscanMm, depthMm, widthMm)


def _attribute(node: Any, name: str, kind: Any) -> Any:
    value = node.GetAttribute(name)
    if not value:
        return None
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(member.value for member in kind)
        msg = f"{node.GetName()} has {name} = {value}; expected one of {known}. Correct it."
        raise InputError(msg) from error


def _sources(node: Any, spacing: VoxelSpacing | None) -> MappingProxyType[str, str]:
    sources = {}
    if spacing is not None:
        sources["spacing"] = node.GetAttribute(SPACING_SOURCE) or "volume node"
    for fact, name in (("laterality", LATERALITY), ("device", DEVICE)):
        if node.GetAttribute(name):
            sources[fact] = "volume node"
    return MappingProxyType(sources)


def _transformNote(node: Any) -> tuple[str, ...]:
    if node.GetParentTransformNode() is None:
        return ()
    return ("Directions are those of the volume before its transform in the scene.",)
