"""The ETDRS grid in the views, and the point at its center that can be dragged."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from RetinaTriageLib.measures.regions import ETDRS_DIAMETERS_MM
from RetinaTriageLib.volume import VoxelSpacing
from RetinaTriageSlicer import hierarchy, provenance
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.scene import ResultNodes

FOVEA_ROLE, GRID_ROLE = "fovea", "etdrs-grid"
CIRCLE_POINTS = 96
SPOKES_DEGREES = (45, 135, 225, 315)
LINE_COLOR = (1.0, 1.0, 1.0)
POINT_COLOR = (1.0, 0.85, 0.1)


def foveaNode(nodes: ResultNodes, make: Callable[[], tuple[float, float, float]]) -> Any:
    """Point list with the fovea of a result; made at a place of the scene where there is none."""
    found = findFovea(nodes)
    if found is not None:
        return found
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLMarkupsFiducialNode", f"{nodes.volumeNode.GetName()} fovea"
    )
    node.CreateDefaultDisplayNodes()
    node.AddControlPoint(*make(), _("Fovea"))
    node.SetMaximumNumberOfControlPoints(1)
    display = node.GetDisplayNode()
    display.SetColor(*POINT_COLOR)
    display.SetSelectedColor(*POINT_COLOR)
    display.SetSliceProjection(True)  # seen in every coronal slice
    display.SetGlyphScale(2.5)
    display.SetTextScale(2.5)
    _mark(node, FOVEA_ROLE, nodes)
    return node


def findFovea(nodes: ResultNodes) -> Any:
    """Point list with the fovea of a result; None where there is no point."""
    found = _find("vtkMRMLMarkupsFiducialNode", FOVEA_ROLE, nodes)
    return found if found is not None and found.GetNumberOfControlPoints() > 0 else None


def gridNode(nodes: ResultNodes) -> Any:
    """Model of the ETDRS grid of a result; empty where it is new."""
    found = _find("vtkMRMLModelNode", GRID_ROLE, nodes)
    if found is not None:
        return found
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLModelNode", f"{nodes.volumeNode.GetName()} ETDRS grid lines"
    )
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetColor(*LINE_COLOR)
    display.SetVisibility2D(True)
    display.SetVisibility3D(False)
    display.SetSliceIntersectionThickness(2)
    display.SetBackfaceCulling(False)
    _mark(node, GRID_ROLE, nodes)
    return node


def drawGrid(
    node: Any,
    grid: NodeGrid,
    shape: tuple[int, int, int],
    spacing: VoxelSpacing,
    center: tuple[float, float],
) -> None:
    """Draw circles and spokes as walls through the whole depth, so that every slice shows them.

    Parameters
    ----------
    shape : (B-scans, depths, A-scans) of the scan
    center : (B-scan, width) index of the fovea
    """
    bscan_mm = spacing.column_mm2 / spacing.width_mm
    append = vtk.vtkAppendPolyData()
    for line in _lines():
        index = line / (bscan_mm, spacing.width_mm) + center
        append.AddInputData(_wall(index, grid, shape[1]))
    append.Update()
    node.SetAndObservePolyData(append.GetOutput())


def _lines() -> list[Any]:
    """Lines of the grid as arrays (point, 2) of mm along B-scans and along the width."""
    angles = np.linspace(0, 2 * math.pi, CIRCLE_POINTS + 1)
    circle = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    lines = [circle * diameter_mm / 2 for diameter_mm in ETDRS_DIAMETERS_MM]
    inner, outer = ETDRS_DIAMETERS_MM[0] / 2, ETDRS_DIAMETERS_MM[-1] / 2
    for degrees in SPOKES_DEGREES:
        direction = np.array([math.sin(math.radians(degrees)), math.cos(math.radians(degrees))])
        lines.append(np.stack([direction * inner, direction * outer]))
    return lines


def _wall(index: Any, grid: NodeGrid, depths: int) -> Any:
    """Wall over a line of (B-scan, width) indices, from the first depth to the last."""
    points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
    for bscan, width in index:
        for depth in (-0.5, depths - 0.5):
            kji = np.zeros(3)
            kji[list(grid.axes)] = (bscan, depth, width)
            points.InsertNextPoint(*(grid.ijkToRas @ [*kji[::-1], 1.0])[:3])
    for at in range(len(index) - 1):
        cells.InsertNextCell(4, [2 * at, 2 * at + 1, 2 * at + 3, 2 * at + 2])
    wall = vtk.vtkPolyData()
    wall.SetPoints(points)
    wall.SetPolys(cells)
    return wall


def _find(kind: str, role: str, nodes: ResultNodes) -> Any:
    for node in slicer.util.getNodesByClass(kind):
        own = node.GetAttribute(provenance.CASE) == nodes.case
        if own and node.GetAttribute(provenance.ROLE) == role:
            return node
    return None


def _mark(node: Any, role: str, nodes: ResultNodes) -> None:
    """Keep a node with its result: attributes, transform and folder."""
    provenance.markNode(node, role, nodes.volumeNode, {provenance.CASE: nodes.case})
    node.SetAndObserveTransformNodeID(nodes.volumeNode.GetTransformNodeID())
    tree = hierarchy.subjectHierarchy()
    folder = tree.GetItemParent(tree.GetItemByDataNode(nodes.consensus))
    hierarchy.moveToFolder(folder, [node])
