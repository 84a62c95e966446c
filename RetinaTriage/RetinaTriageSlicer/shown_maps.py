"""Nodes of the maps section: one map volume, tables and a chart, each made once a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk

from RetinaTriageLib.result import EnFaceArray
from RetinaTriageSlicer import hierarchy, provenance
from RetinaTriageSlicer.map_nodes import UM, EnFaceMap, makeMapNode
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.shown_case import ShownCase

Cell = str | float
CHANGE_COLORS = "RetinaTriage change"
COLORS = 256
# Loss is blue, gain is red, no change is light gray.
CHANGE_STOPS = ((0.0, (0.1, 0.2, 0.7)), (0.5, (0.93, 0.93, 0.93)), (1.0, (0.75, 0.1, 0.1)))
MAP_OPACITY = 0.65


def replaceMap(case: ShownCase, role: str, name: str, one: EnFaceMap) -> Any:
    """Volume node of a map that takes the place of the one of the same role."""
    hierarchy.removeNodes(findNodes("vtkMRMLScalarVolumeNode", role, case.nodes))
    node = makeMapNode(name, one, case.grid, case.volume.shape[1], case.volumeNode)
    keepWithResult(node, role, case.nodes)
    return node


def layOver(enface: Any, node: Any, view: str = "Green") -> None:
    """Show a map over the en-face projection in one slice view."""
    composite = slicer.app.layoutManager().sliceWidget(view).sliceLogic().GetSliceCompositeNode()
    if enface is not None:
        composite.SetBackgroundVolumeID(enface.GetID())
    composite.SetForegroundVolumeID(node.GetID())
    composite.SetForegroundOpacity(MAP_OPACITY)
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    if legend is not None:
        legend.Modified()  # legends look for their volume when they change, not when views do


def showTissuesOver(nodes: ResultNodes, view: str = "Green", *, shown: bool) -> None:
    """Show the tissues of a result in all views, or in all but the one that shows the map."""
    slices = slicer.app.layoutManager().sliceWidget(view).mrmlSliceNode()
    kinds = ("vtkMRMLSliceNode", "vtkMRMLViewNode")
    others = [
        one for kind in kinds for one in slicer.util.getNodesByClass(kind) if one is not slices
    ]
    for node in nodes.tissueMaps:
        display = node.GetDisplayNode()
        if display is not None:
            display.RemoveAllViewNodeIDs()
            for one in [] if shown else others:
                display.AddViewNodeID(one.GetID())


def writeTable(
    nodes: ResultNodes,
    role: str,
    name: str,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[Cell]],
) -> Any:
    """Table node of a role, made or written anew; columns are names with units."""
    found = findNodes("vtkMRMLTableNode", role, nodes)
    table = found[0] if found else slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
    modified = table.StartModify()
    table.SetLocked(True)
    table.SetName(name)
    table.RemoveAllColumns()
    for at, (title, unit) in enumerate(columns):
        texts = bool(rows) and isinstance(rows[0][at], str)
        array = vtk.vtkStringArray() if texts else vtk.vtkDoubleArray()
        array.SetName(title)
        for row in rows:
            array.InsertNextValue(row[at])
        table.AddColumn(array)
        if unit:
            table.SetColumnUnitLabel(title, unit)
    table.EndModify(modified)
    if not found:
        keepWithResult(table, role, nodes)
    return table


def makeChart(
    nodes: ResultNodes, role: str, title: str, table: Any, label: str, values: Sequence[str]
) -> Any:
    """Bar chart node of columns of a table, made once."""
    found = findNodes("vtkMRMLPlotChartNode", role, nodes)
    if found:
        return found[0]
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", title)
    chart.SetTitle(title)
    chart.SetXAxisTitle(label)
    for value in values:
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", value)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeBar)
        series.SetLabelColumnName(label)
        series.SetYColumnName(value)
        series.SetUniqueColor()
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
        keepWithResult(series, role, nodes)
    chart.SetYAxisTitle(", ".join(values))
    keepWithResult(chart, role, nodes)
    return chart


def changeMap(title: str, change_um: EnFaceArray) -> EnFaceMap:
    """Map of a change, whose colors reach as far to loss as to gain."""
    known = np.abs(change_um[np.isfinite(change_um)])
    most = max(10.0, float(np.percentile(known, 99)) if known.size else 0.0)
    return EnFaceMap("change", title, change_um, UM, changeColors().GetID(), (-most, most))


def changeColors() -> Any:
    """Color node of changes; made when first needed, and saved with the scene."""
    found = slicer.util.getFirstNodeByClassByName("vtkMRMLColorTableNode", CHANGE_COLORS)
    if found is not None:
        return found
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode", CHANGE_COLORS)
    node.SetTypeToUser()
    node.SetNumberOfColors(COLORS)
    shares = [share for share, _color in CHANGE_STOPS]
    at = np.linspace(0, 1, COLORS)
    parts = [np.interp(at, shares, [c[part] for _share, c in CHANGE_STOPS]) for part in range(3)]
    for index, (red, green, blue) in enumerate(zip(*parts, strict=True)):
        node.SetColor(index, str(index), red, green, blue, 1.0)
    return node


def findNodes(kind: str, role: str, nodes: ResultNodes) -> list[Any]:
    """Nodes of one role that belong to a result."""
    return [
        node
        for node in slicer.util.getNodesByClass(kind)
        if node.GetAttribute(provenance.CASE) == nodes.case
        and node.GetAttribute(provenance.ROLE) == role
    ]


def keepWithResult(node: Any, role: str, nodes: ResultNodes) -> None:
    """Mark a node as one of a result, and put it into its folder."""
    provenance.markNode(node, role, nodes.volumeNode, {provenance.CASE: nodes.case})
    tree = hierarchy.subjectHierarchy()
    folder = tree.GetItemParent(tree.GetItemByDataNode(nodes.consensus))
    hierarchy.moveToFolder(folder, [node])
