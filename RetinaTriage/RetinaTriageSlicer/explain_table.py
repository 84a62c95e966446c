"""An explanation as a table node, which is saved with the scene, and read from it again."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import slicer
import vtk

from RetinaTriageLib.explain.explanation import Explanation, RegionEffect, TissueRegion
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.volume import LabelArray
from RetinaTriageSlicer import hierarchy, provenance
from RetinaTriageSlicer.scene import ResultNodes

ROLE = "explanation"
MAP_ROLE = provenance.PREFIX + "ExplainedMap"
LEFT_OUT = provenance.PREFIX + "LeftOut"
MAP_SUM = provenance.PREFIX + "ExplainedMapCrc32"
WHOLE = "whole map"
TEXTS = ("tissue", "filled_with")
NUMBERS = ("voxels", "bscan", "depth", "width", "first_bscan", "last_bscan", "parts")
SEPARATOR = "."  # between head and outcome in the name of a score column


def writeExplanation(
    explanation: Explanation, heads: tuple[Any, ...], mapNode: Any, nodes: ResultNodes
) -> Any:
    """Table of an explanation, beside the result; it takes the place of an older one of the map.

    The first row has the scores of the whole map, each further one those without a region.
    """
    old = findExplanation(mapNode, nodes)
    if old is not None:
        hierarchy.removeNodes([old])
    table = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLTableNode", f"{mapNode.GetName()} explanation"
    )
    table.SetLocked(True)
    table.SetDescription(
        f"{RESEARCH_USE} Scores of the map without one region at a time; indices count from 0."
    )
    regions = [effect.region for effect in explanation.effects]
    for name in TEXTS:
        _add(table, vtk.vtkStringArray(), name, [WHOLE, *(getattr(r, name) for r in regions)])
    for name in NUMBERS:
        _add(table, vtk.vtkIntArray(), name, [0, *(getattr(r, name) for r in regions)])
    for head in heads:
        for at, outcome in enumerate(head.names):
            scores = (explanation.scores, *(effect.scores for effect in explanation.effects))
            column = [float(one[head.name][at]) for one in scores]
            _add(table, vtk.vtkDoubleArray(), f"{head.name}{SEPARATOR}{outcome}", column)
    attributes = {provenance.CASE: nodes.case, LEFT_OUT: str(explanation.left_out)}
    provenance.markNode(table, ROLE, nodes.volumeNode, attributes)
    table.SetNodeReferenceID(MAP_ROLE, mapNode.GetID())
    tree = hierarchy.subjectHierarchy()
    folder = tree.GetItemParent(tree.GetItemByDataNode(nodes.consensus))
    hierarchy.moveToFolder(folder, [table])
    return table


def markExplained(table: Any, tissueMap: LabelArray) -> None:
    """Note which map an explanation is of, so that it is not taken for that of a later edit."""
    table.SetAttribute(MAP_SUM, str(zlib.crc32(tissueMap)))


def isOf(table: Any, tissueMap: LabelArray) -> bool:
    """Tell whether an explanation is of this very map."""
    return bool(table.GetAttribute(MAP_SUM) == str(zlib.crc32(tissueMap)))


def findExplanation(mapNode: Any, nodes: ResultNodes) -> Any:
    """Table of the explanation of a map; None where it was not explained."""
    for table in slicer.util.getNodesByClass("vtkMRMLTableNode"):
        own = table.GetAttribute(provenance.ROLE) == ROLE
        same = table.GetAttribute(provenance.CASE) == nodes.case
        if own and same and table.GetNodeReference(MAP_ROLE) is mapNode:
            return table
    return None


def readExplanation(table: Any) -> Explanation:
    """Explanation of a table node."""
    rows = range(table.GetNumberOfRows())
    columns = {
        table.GetColumnName(at): [table.GetTable().GetColumn(at).GetValue(row) for row in rows]
        for at in range(table.GetNumberOfColumns())
    }
    names = [name.split(SEPARATOR) for name in columns if SEPARATOR in name]
    heads = dict.fromkeys(head for head, _outcome in names)
    scores = [
        {
            head: np.array(
                [columns[f"{one}{SEPARATOR}{o}"][row] for one, o in names if one == head]
            )
            for head in heads
        }
        for row in rows
    ]
    effects = tuple(
        RegionEffect(
            TissueRegion(
                *(columns[name][row] for name in TEXTS), *(columns[name][row] for name in NUMBERS)
            ),
            scores[row],
        )
        for row in rows
        if row > 0
    )
    return Explanation(scores[0], effects, int(table.GetAttribute(LEFT_OUT) or 0))


def _add(table: Any, array: Any, name: str, values: list[Any]) -> None:
    for value in values:
        array.InsertNextValue(value)
    array.SetName(name)
    table.AddColumn(array)
