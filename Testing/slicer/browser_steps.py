"""What a user does in the browser, as steps of tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import slicer
from example_result import SMALL, Example, example_result
from RetinaTriageSlicer.browser_scan import mapScan
from RetinaTriageSlicer.edited_map import readTissueMap
from RetinaTriageSlicer.scene import ResultNodes, showResult
from RetinaTriageSlicer.volume_node import readVolumeNode
from volume_nodes import volume_node

from RetinaTriageLib.outcomes import OUTCOME_HEADS
from RetinaTriageLib.result import TriageResult, Vocabulary


def show_case(example: Example = SMALL, *, conditions: bool = True) -> ResultNodes:
    """Put an example result into the scene, its volume with its axes in another order."""
    result = example_result(example)
    if not conditions:
        result = without_conditions(result)
    node = volume_node(result.volume, axes=(2, 0, 1))
    node.SetAttribute("RetinaTriage.Laterality", "OD")
    _volume, grid = readVolumeNode(node)
    return showResult(result, node, grid)


def without_conditions(result: TriageResult) -> TriageResult:
    heads = tuple(head for head in OUTCOME_HEADS if head.name != "conditions")
    return replace(result, vocabulary=Vocabulary(result.vocabulary.tissues, heads))


def show_in(panel: Any, nodes: ResultNodes) -> Any:
    """Browser of the panel as it starts, with a result; its timers need not be waited for."""
    browser = panel.browser.browser
    browser.places.kindBox.setCurrentIndex(0)
    browser.comparison.compareBox.setCurrentIndex(0)
    browser.show(nodes)
    browser.places.refresh()
    return browser


def visible_maps() -> list[str]:
    return [
        node.GetName()
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        if node.GetDisplayNode().GetVisibility()
    ]


def tissue_map(node: Any) -> Any:
    return readTissueMap(node, mapScan(node))


def column(table: Any, at: int) -> list[str]:
    return [table.item(row, at).text() for row in range(table.rowCount)]


def row_of(table: Any, title: str) -> list[str]:
    """Texts of the row that starts with a title."""
    row = column(table, 0).index(title)
    return [table.item(row, at).text() for at in range(table.columnCount)]
