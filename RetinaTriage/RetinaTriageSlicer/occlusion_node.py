"""Drops of an occlusion test as a volume node over the B-scan that was tested, with a legend."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from RetinaTriageLib.explain.occlusion_map import OcclusionMap
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageSlicer import hierarchy
from RetinaTriageSlicer.map_nodes import HEAT, LEGEND_SIZE, ONE
from RetinaTriageSlicer.node_grid import Matrix, NodeGrid
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.shown_case import ShownCase
from RetinaTriageSlicer.shown_maps import findNodes, keepWithResult

ROLE = "occlusion"
FAINT_SHARE = 0.1
"""Smaller shares of the largest drop stay transparent, so that the scan is seen; ours."""
OPACITY = 0.6
MANY = 1e30  # above any drop; scene files hold no infinity


def showOcclusion(found: OcclusionMap, case: ShownCase, bscan: int, score: str) -> Any:
    """Volume node of the drops, laid over the B-scan; it takes the place of an older one.

    Parameters
    ----------
    bscan : number of the B-scan, from 0
    score : as a person reads it
    """
    removeOcclusion(case)
    name = f"{case.volumeNode.GetName()} occlusion, {score}, B-scan {bscan + 1}"
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, case.grid.toNode(found.drop[np.newaxis]))
    matrix = vtk.vtkMatrix4x4()
    slicer.util.updateVTKMatrixFromArray(matrix, bscanIjkToRas(case.grid, bscan))
    node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveTransformNodeID(case.volumeNode.GetTransformNodeID())
    unit = slicer.vtkCodedEntry()
    scheme, value, meaning = ONE
    unit.SetValueSchemeMeaning(value, scheme, meaning)
    node.SetVoxelValueUnits(unit)
    node.SetDescription(
        f"{RESEARCH_USE} Drop of the score {score} with a box of {found.box.depth} x "
        f"{found.box.width} pixels centered on each pixel; {found.judged} boxes were judged."
    )
    facts = {"Score": score, "Bscan": str(bscan + 1), "Probability": f"{found.probability:.6f}"}
    for fact, text in facts.items():
        node.SetAttribute(PREFIX + fact, text)
    _display(node, found, score)
    keepWithResult(node, ROLE, case.nodes)
    _layOver(node)
    return node


def removeOcclusion(case: ShownCase) -> None:
    """Remove what an earlier test has shown of this result."""
    hierarchy.removeNodes(findNodes("vtkMRMLScalarVolumeNode", ROLE, case.nodes))


def bscanIjkToRas(grid: NodeGrid, bscan: int) -> Matrix:
    """IJK-to-RAS of a single B-scan of a scan, in the order of the node's array."""
    column = 2 - grid.axes[0]  # IJK runs against the order of array axes
    matrix = grid.ijkToRas.copy()
    matrix[:3, 3] += matrix[:3, column] * bscan
    return matrix


def _display(node: Any, found: OcclusionMap, score: str) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(HEAT)
    display.SetInterpolate(0)
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0.0, found.largest)
    display.AutoThresholdOff()
    display.SetThreshold(FAINT_SHARE * found.largest, MANY)
    display.ApplyThresholdOn()
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(node)
    legend.SetTitleText(f"Drop: {score}")
    legend.SetLabelFormat("%.2f" if found.largest >= 0.1 else "%.4f")
    legend.SetMaxNumberOfColors(256)
    legend.SetNumberOfLabels(5)
    legend.SetSize(*LEGEND_SIZE)


def _layOver(node: Any, view: str = "Red") -> None:
    """Show the drops over the scan in the view of B-scans."""
    composite = slicer.app.layoutManager().sliceWidget(view).sliceLogic().GetSliceCompositeNode()
    composite.SetForegroundVolumeID(node.GetID())
    composite.SetForegroundOpacity(OPACITY)
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    if legend is not None:
        legend.Modified()  # legends look for their volume when they change, not when views do
