"""En-face maps as volume nodes with a color table, a unit and a legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from RetinaTriageLib.result import EnFaceArray, TriageResult
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.thickness_colors import thicknessColors

# Built into MRML itself, so that scenes open the same everywhere.
GRAY = "vtkMRMLColorTableNodeGrey"
HEAT = "vtkMRMLColorTableNodeIron"
THICKNESS = "made by thicknessColors"
LEGEND_SIZE = (0.07, 0.5)  # shares of a view; Slicer fits its text into the width
RETINA_RANGE_UM = (100.0, 500.0)
UM, BIT, ONE = (
    ("UCUM", "um", "micrometer"),
    ("UCUM", "bit", "bit"),
    ("UCUM", "1", "no units"),
)


@dataclass(frozen=True)
class EnFaceMap:
    """One map: its key and title, voxels (B-scan, width), unit, colors and shown range."""

    key: str
    title: str
    voxels: EnFaceArray
    unit: tuple[str, str, str]
    colors: str
    shown: tuple[float, float]


def enFaceMaps(result: TriageResult) -> tuple[EnFaceMap, ...]:
    """Return the maps of a result that become nodes; thickness only where it could be measured."""
    measured = result.measurements
    maps = [_map("enface", "En face", measured.enface, ONE, GRAY)]
    thickness = measured.thickness_um
    if "retina" in thickness:
        retina = thickness["retina"]
        title = "Retinal thickness"
        maps.append(EnFaceMap("retina", title, retina, UM, THICKNESS, RETINA_RANGE_UM))
    for key, title in (("fluid", "Fluid thickness"), ("ped", "PED thickness")):
        if key in thickness:
            maps.append(_map(key, title, thickness[key], UM, HEAT))
    maps.append(_map("disagreement", "Disagreement", measured.disagreement, BIT, HEAT))
    return tuple(maps)


def makeMapNode(name: str, one: EnFaceMap, grid: NodeGrid, depths: int, volumeNode: Any) -> Any:
    """Volume node of a map, as deep as the scan, so that every coronal slice shows it.

    Parameters
    ----------
    depths : number of depths of the scan
    """
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, grid.enFaceToNode(one.voxels))
    matrix = vtk.vtkMatrix4x4()
    slicer.util.updateVTKMatrixFromArray(matrix, grid.enFaceIjkToRas(depths))
    node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    unit = slicer.vtkCodedEntry()
    scheme, value, meaning = one.unit
    unit.SetValueSchemeMeaning(value, scheme, meaning)
    node.SetVoxelValueUnits(unit)
    _display(node, one)
    return node


def showMap(node: Any, view: str = "Green") -> None:
    """Lay a map over the scan in one slice view; the coronal one shows it whole."""
    logic = slicer.app.layoutManager().sliceWidget(view).sliceLogic()
    composite = logic.GetSliceCompositeNode()
    composite.SetForegroundVolumeID(node.GetID())
    composite.SetForegroundOpacity(1.0)
    legend = slicer.modules.colors.logic().GetColorLegendDisplayNode(node)
    if legend is not None:
        legend.Modified()  # legends look for their volume when they change, not when views do


def _map(
    key: str, title: str, voxels: EnFaceArray, unit: tuple[str, str, str], colors: str
) -> EnFaceMap:
    """Map shown from its lowest to its highest value; thickness and entropy start at 0."""
    known = voxels[np.isfinite(voxels)]
    high = float(known.max()) if known.size else 1.0
    low = float(known.min()) if known.size and unit is ONE else 0.0
    return EnFaceMap(key, title, voxels, unit, colors, (low, max(high, low + 1e-3)))


def _display(node: Any, one: EnFaceMap) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    colors = thicknessColors().GetID() if one.colors is THICKNESS else one.colors
    display.SetAndObserveColorNodeID(colors)
    display.SetInterpolate(0)
    display.AutoWindowLevelOff()
    low, high = one.shown
    display.SetWindowLevelMinMax(low, high)
    known = one.voxels[np.isfinite(one.voxels)]
    if known.size < one.voxels.size:  # NaN, where nothing was measured, stays transparent
        display.AutoThresholdOff()
        # Finite, and beyond the values: scene files hold neither infinity nor all digits.
        display.SetThreshold(*_around(known))
        display.ApplyThresholdOn()
    if one.colors != GRAY:
        _addLegend(node, one)


def _around(known: EnFaceArray) -> tuple[float, float]:
    """Limits that all known values lie between."""
    if not known.size:
        return 0.0, 1.0
    return float(np.floor(known.min())) - 1, float(np.ceil(known.max())) + 1


def _addLegend(node: Any, one: EnFaceMap) -> None:
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(node)
    unit = "\u00b5m" if one.unit is UM else one.unit[1]
    legend.SetTitleText(f"{one.title} ({unit})")
    legend.SetLabelFormat("%.0f" if one.unit is UM else "%.2f")
    legend.SetMaxNumberOfColors(256)
    legend.SetNumberOfLabels(5)
    legend.SetSize(*LEGEND_SIZE)
