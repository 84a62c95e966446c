"""How a result's tissue maps lie in the eye, as attributes that a saved scene keeps.

The volume may be gone, and the panel may state another geometry by now; what counted in the run is
with the result itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from RetinaTriageLib.measures.map_place import MapPlace
from RetinaTriageLib.result import Fovea, TriageResult
from RetinaTriageLib.volume import STANDARD_DIRECTIONS, Laterality, ScanPattern, VoxelSpacing
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.provenance import PREFIX

SPACING, AXES, DIRECTIONS, SCAN_PATTERN, FOVEA = (
    PREFIX + name for name in ("SpacingMm", "Axes", "Directions", "ScanPattern", "Fovea")
)
UNKNOWN = "unknown"
REVERSED = "depth reversed"


@dataclass(frozen=True)
class MapScan:
    """Lattice of the tissue maps of one result, and their place in the eye.

    Attributes
    ----------
    shape : B-scans, depths and A-scans
    """

    shape: tuple[int, int, int]
    grid: NodeGrid
    spacing: VoxelSpacing | None
    place: MapPlace


def scanAttributes(result: TriageResult, grid: NodeGrid) -> dict[str, str]:
    """Attributes that `mapScan` reads."""
    volume, fovea = result.volume, result.measurements.fovea
    return {
        SPACING: _spacingText(volume.spacing),
        AXES: " ".join(map(str, grid.axes)) + (f" {REVERSED}" if grid.depthReversed else ""),
        DIRECTIONS: " ".join(f"{value:.9g}" for value in volume.directions.ravel()),
        SCAN_PATTERN: volume.pattern.value,
        FOVEA: UNKNOWN if fovea is None else foveaText(fovea),
    }


def foveaText(fovea: Fovea) -> str:
    """Position of a fovea in one line."""
    return f"{fovea.bscan:.6g} {fovea.width:.6g} {fovea.uncertainty_mm:.6g} {fovea.source}"


def mapScan(node: Any) -> MapScan:
    """Scan of a segmentation node of a result; what it does not say is unknown."""
    axes = (_attribute(node, AXES) or "0 1 2").split(" ", 3)
    order = (int(axes[0]), int(axes[1]), int(axes[2]))
    reference = referenceImage(node)
    matrix = vtk.vtkMatrix4x4()
    reference.GetImageToWorldMatrix(matrix)
    ijkToRas = np.asarray(slicer.util.arrayFromVTKMatrix(matrix), dtype=np.float64)
    lengths = tuple(reversed(reference.GetDimensions()))
    bscans, depths, widths = (lengths[axis] for axis in order)
    return MapScan(
        (bscans, depths, widths),
        NodeGrid(order, len(axes) > 3, ijkToRas),
        _spacing(_attribute(node, SPACING)),
        MapPlace(
            _known(node, PREFIX + "Laterality", Laterality),
            _known(node, SCAN_PATTERN, ScanPattern) or ScanPattern.RASTER,
            _directions(_attribute(node, DIRECTIONS)),
            _fovea(_attribute(node, FOVEA)),
        ),
    )


def referenceImage(node: Any) -> Any:
    """Empty image on the lattice that a segmentation node was made on, kept in its own file."""
    converter = slicer.vtkSegmentationConverter
    text = node.GetSegmentation().GetConversionParameter(
        converter.GetReferenceImageGeometryParameterName()
    )
    image = slicer.vtkOrientedImageData()
    converter.DeserializeImageGeometry(text, image, False)
    return image


def _attribute(node: Any, name: str) -> str:
    return node.GetAttribute(name) or ""


def _known(node: Any, name: str, kind: Any) -> Any:
    value = _attribute(node, name)
    return kind(value) if value in {member.value for member in kind} else None


def _spacingText(spacing: VoxelSpacing | None) -> str:
    if spacing is None:
        return UNKNOWN
    bscan = UNKNOWN if spacing.bscan_mm is None else f"{spacing.bscan_mm:.9g}"
    return f"{bscan} {spacing.depth_mm:.9g} {spacing.width_mm:.9g}"


def _spacing(text: str) -> VoxelSpacing | None:
    words = text.split()
    if len(words) != 3:
        return None
    bscan, depth, width = words
    return VoxelSpacing(None if bscan == UNKNOWN else float(bscan), float(depth), float(width))


def _directions(text: str) -> Any:
    values = text.split()
    if len(values) != 9:
        return STANDARD_DIRECTIONS.copy()
    return np.array([float(value) for value in values]).reshape(3, 3)


def _fovea(text: str) -> Fovea | None:
    words = text.split(" ", 3)
    if len(words) != 4:
        return None
    return Fovea(float(words[0]), float(words[1]), float(words[2]), words[3])
