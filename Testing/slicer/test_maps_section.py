"""What a user does with maps: draw, drag the fovea, compare two visits."""

import math
from typing import Any

import numpy as np
import pytest
import slicer
from example_result import SMALL, example_map, example_result, example_volume, result_from_maps
from panel_steps import wait_until
from RetinaTriageSlicer.etdrs_overlay import FOVEA_ROLE, GRID_ROLE
from RetinaTriageSlicer.places import pointOf
from RetinaTriageSlicer.scene import findResults, removeResult, showResult
from RetinaTriageSlicer.shown_maps import findNodes
from RetinaTriageSlicer.volume_node import readVolumeNode
from volume_nodes import volume_node


def show_visit(name: str, number: int, **stored: Any) -> Any:
    """Result of one visit: the number of the example map, whose cyst shrinks with it."""
    tissue_map = example_map(SMALL, number)
    node = volume_node(example_volume(SMALL, tissue_map), **stored)
    node.SetName(name)
    node.SetAttribute("RetinaTriage.Laterality", "OD")
    volume, grid = readVolumeNode(node)
    return showResult(result_from_maps(volume, [tissue_map]), node, grid)


@pytest.fixture
def maps(panel: Any) -> Any:
    """Section with the result of one visit."""
    nodes = show_visit("shown", 0)
    panel.ui.inputSelector.setCurrentNode(nodes.volumeNode)
    panel.enter()
    return panel.tools.maps


def cell(section: Any, region: str, column: int) -> float:
    for row in range(section.table.rowCount):
        if section.table.item(row, 0).text() == region:
            return float(section.table.item(row, column).text() or "nan")
    return math.nan


def fovea_of(nodes: Any) -> Any:
    (node,) = findNodes("vtkMRMLMarkupsFiducialNode", FOVEA_ROLE, nodes)
    return node


def drag(maps: Any, bscan: float, width: float) -> None:
    (nodes,) = findResults()
    case = maps.thickness.case
    place = pointOf(case.volumeNode, case.grid, case.volume.shape[1], (bscan, 60, width))
    before = maps.label.text
    fovea_of(nodes).SetNthControlPointPositionWorld(0, *place)
    wait_until(lambda: maps.label.text != before)


def test_map_lies_over_the_projection_with_grid_point_and_legend(maps: Any):
    maps.drawButton.click()
    (nodes,) = findResults()
    composite = slicer.app.layoutManager().sliceWidget("Green").sliceLogic()
    composite = composite.GetSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == nodes.maps["enface"].GetID()
    shown = slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID())
    assert slicer.modules.colors.logic().GetColorLegendDisplayNode(shown) is not None
    assert findNodes("vtkMRMLModelNode", GRID_ROLE, nodes)[0].GetPolyData().GetNumberOfCells() > 50
    assert fovea_of(nodes).GetNumberOfControlPoints() == 1


def test_tissues_do_not_cover_the_map_unless_asked_for(maps: Any):
    maps.drawButton.click()
    (nodes,) = findResults()
    green = slicer.app.layoutManager().sliceWidget("Green").mrmlSliceNode().GetID()
    display = nodes.consensus.GetDisplayNode()
    assert not display.IsDisplayableInView(green)
    maps.tissuesCheck.setChecked(True)
    assert display.IsDisplayableInView(green)


def test_values_are_those_of_the_library(maps: Any):
    maps.drawButton.click()
    case = maps.thickness.case
    cyst_um = maps.thickness.map_um("intraretinal_fluid")
    maps.tissueBox.setCurrentIndex(maps.tissueBox.findText("Intraretinal fluid"))
    volume_nl = cyst_um.sum() * case.volume.spacing.column_mm2
    assert cell(maps, "all", 3) == pytest.approx(volume_nl, abs=0.06)
    assert cell(maps, "C0", 1) >= 0


def test_sector_values_follow_the_fovea(maps: Any):
    maps.drawButton.click()
    before = cell(maps, "C0", 1)
    drag(maps, 6, 75)
    assert cell(maps, "C0", 1) != before
    assert "A-scan 76" in maps.label.text
    maps.resetButton.click()
    assert cell(maps, "C0", 1) == before


def test_values_stay_in_the_scene_with_their_units(maps: Any):
    maps.drawButton.click()
    drag(maps, 6, 75)
    (nodes,) = findResults()
    (table,) = findNodes("vtkMRMLTableNode", "chosen-etdrs", nodes)
    assert table.GetColumnUnitLabel("thickness_um") == "um"
    assert float(table.GetCellText(0, 1)) == pytest.approx(cell(maps, "C0", 1), abs=0.06)


def test_fovea_outside_the_scan_is_said(maps: Any):
    maps.drawButton.click()
    drag(maps, -9, 10)
    assert "Place it inside the scan" in maps.label.text


def test_deleted_fovea_is_found_again(maps: Any):
    maps.drawButton.click()
    (nodes,) = findResults()
    fovea_of(nodes).RemoveNthControlPoint(0)
    wait_until(lambda: "was deleted" in maps.label.text)
    maps.drawButton.click()
    assert cell(maps, "C0", 1) > 0


def test_drawing_again_leaves_one_map(maps: Any):
    maps.drawButton.click()
    maps.tissueBox.setCurrentIndex(4)
    maps.drawButton.click()
    (nodes,) = findResults()
    assert len(findNodes("vtkMRMLScalarVolumeNode", "chosen-map", nodes)) == 1


def test_what_was_drawn_goes_with_the_result(maps: Any):
    maps.drawButton.click()
    (nodes,) = findResults()
    removeResult(nodes)
    assert findNodes("vtkMRMLMarkupsFiducialNode", FOVEA_ROLE, nodes) == []
    assert findNodes("vtkMRMLModelNode", GRID_ROLE, nodes) == []


def test_one_visit_cannot_be_compared(maps: Any):
    assert not maps.followUp.compareButton.enabled
    assert "no result of another scan" in maps.followUp.label.text


def test_two_visits_are_compared(maps: Any):
    (nodes,) = findResults()
    show_visit("earlier", 2, axes=(1, 0, 2))
    maps.show(nodes)
    maps.drawButton.click()
    maps.tissueBox.setCurrentIndex(maps.tissueBox.findText("Intraretinal fluid"))
    part = maps.followUp
    part.compareButton.click()
    rows = {part.table.item(row, 0).text(): row for row in range(part.table.rowCount)}
    grown = part.table.item(rows["all"], 3).text()
    assert float(grown) > 5
    assert part.table.item(rows["all"], 4).text() == "nl"
    assert "correlate" in part.label.text
    assert len(findNodes("vtkMRMLScalarVolumeNode", "change-map", nodes)) == 1
    assert len(findNodes("vtkMRMLPlotChartNode", "change-chart", nodes)) == 1


def test_scan_without_distances_says_why(panel: Any):
    known = example_result()
    node = volume_node(known.volume)
    node.SetSpacing(1, 1, 1)
    volume, grid = readVolumeNode(node)
    showResult(result_from_maps(volume, [known.consensus]), node, grid)
    panel.ui.inputSelector.setCurrentNode(node)
    panel.enter()
    panel.tools.maps.drawButton.click()
    assert "Spacing of" in panel.tools.maps.label.text
    assert np.isnan(cell(panel.tools.maps, "C0", 1))
