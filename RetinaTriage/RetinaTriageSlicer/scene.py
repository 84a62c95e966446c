"""A result in the scene: all of its nodes, marked, in one folder; and found again after loading."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from RetinaTriageLib.result import TriageResult
from RetinaTriageSlicer import hierarchy, provenance, terminology
from RetinaTriageSlicer.browser_scan import scanAttributes
from RetinaTriageSlicer.map_nodes import enFaceMaps, makeMapNode
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.segmentation_nodes import makeSegmentationNode
from RetinaTriageSlicer.table_nodes import (
    makeEtdrsTable,
    makeOpinionTable,
    makeScoreTable,
    makeTissueTable,
)

RESOURCES = Path(__file__).parents[1] / "Resources"

CONSENSUS, HYPOTHESIS, EDITED = "consensus", "hypothesis", "edited"
"""Roles of tissue maps: what was measured, one of the networks', and one that the user edited."""

MAP_ROLES = (CONSENSUS, HYPOTHESIS, EDITED)

TABLES: dict[str, tuple[str, Callable[[str, TriageResult], Any]]] = {
    "scores": ("scores", makeScoreTable),
    "opinions": ("opinions", makeOpinionTable),
    "tissues": ("tissue sizes", makeTissueTable),
    "etdrs": ("ETDRS grid", makeEtdrsTable),
}


@dataclass(frozen=True)
class ResultNodes:
    """Nodes of one result; tables and maps that could not be measured are missing.

    Attributes
    ----------
    consensus : segmentation node of the map that was measured
    hypotheses : one segmentation node a hypothesis, in their order
    tables : "scores", "opinions", "tissues", "etdrs" to table node
    maps : "enface", "retina", "fluid", "ped", "disagreement" to volume node
    """

    case: str
    consensus: Any
    hypotheses: tuple[Any, ...]
    tables: dict[str, Any]
    maps: dict[str, Any]

    @property
    def nodes(self) -> tuple[Any, ...]:
        """All nodes in the order of the folder, then what was added to the result afterwards."""
        made = (
            self.consensus,
            *self.hypotheses,
            *self.tables.values(),
            *self.maps.values(),
        )
        later = (node for node in _markedNodes() if node.GetAttribute(provenance.CASE) == self.case)
        return (*made, *(node for node in later if node not in made))

    @property
    def tissueMaps(self) -> tuple[Any, ...]:
        """Segmentation nodes in the scene: consensus, hypotheses, then what the user edited."""
        return tuple(
            node
            for node in self.nodes
            if node.GetAttribute(provenance.ROLE) in MAP_ROLES
            and slicer.mrmlScene.IsNodePresent(node)
        )

    @property
    def volumeNode(self) -> Any:
        """Volume node that the result belongs to; None when it was removed."""
        return self.consensus.GetNodeReference(provenance.INPUT_ROLE)


def showResult(result: TriageResult, volumeNode: Any, grid: NodeGrid) -> ResultNodes:
    """Write a result into the scene, beside its volume; all of it, or nothing where that fails."""
    steps = resultSteps(result, volumeNode, grid)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            nodes: ResultNodes = end.value
            return nodes


def resultSteps(
    result: TriageResult, volumeNode: Any, grid: NodeGrid
) -> Generator[None, None, ResultNodes]:
    """Write a result node by node, so that the user interface can answer in between.

    If a step fails, or if the generator is closed before its end, everything that it has added is
    taken out again.
    """
    terminology.loadTerminology(slicer.modules.terminologies.logic(), RESOURCES)
    name = f"{volumeNode.GetName()} RetinaTriage"
    folder = hierarchy.makeResultFolder(slicer.mrmlScene.GenerateUniqueName(name), volumeNode)
    maker = _makeNodes(result, volumeNode, grid, folder)
    made: list[Any] = []
    try:
        while True:
            before = hierarchy.nodeIDs()
            try:
                next(maker)
            except StopIteration as end:
                nodes: ResultNodes = end.value
                return nodes
            finally:
                made += hierarchy.nodesSince(before)
            yield
    except BaseException:  # a closed generator too
        hierarchy.takeBack(folder, made)
        raise


def removeResult(nodes: ResultNodes) -> None:
    """Take a result out of the scene, with its folder."""
    hierarchy.removeNodes(nodes.nodes)


def findResults() -> tuple[ResultNodes, ...]:
    """Results of the scene, such as those of a scene that was opened."""
    marked: dict[str, list[Any]] = {}
    for node in _markedNodes():
        marked.setdefault(node.GetAttribute(provenance.CASE), []).append(node)
    found = (_gather(case, nodes) for case, nodes in marked.items())
    return tuple(one for one in found if one is not None)


def _markedNodes() -> list[Any]:
    """Nodes of the scene that belong to some result."""
    kinds = (
        "vtkMRMLSegmentationNode",
        "vtkMRMLTableNode",
        "vtkMRMLScalarVolumeNode",
        "vtkMRMLMarkupsFiducialNode",
        "vtkMRMLModelNode",
        "vtkMRMLPlotChartNode",
        "vtkMRMLPlotSeriesNode",
    )
    nodes = (node for kind in kinds for node in slicer.util.getNodesByClass(kind))
    return [node for node in nodes if node.GetAttribute(provenance.CASE)]


def _makeNodes(
    result: TriageResult, volumeNode: Any, grid: NodeGrid, folder: int
) -> Generator[None, None, ResultNodes]:
    """Make the nodes in the order of the folder, one a step."""
    case = uuid.uuid4().hex
    attributes = (
        provenance.provenanceAttributes(result)
        | scanAttributes(result, grid)
        | {provenance.CASE: case}
    )
    base = volumeNode.GetName()

    def add(node: Any, role: str) -> Any:
        provenance.markNode(node, role, volumeNode, attributes)
        hierarchy.moveToFolder(folder, [node])
        return node

    def segmentation(title: str, tissueMap: Any, role: str) -> Any:
        tissues = result.vocabulary.tissues
        return add(
            makeSegmentationNode(f"{base} {title}", tissueMap, grid, volumeNode, tissues), role
        )

    consensus = segmentation("consensus", result.consensus, CONSENSUS)
    yield
    hypotheses = []
    for number, hypothesis in enumerate(result.hypotheses, start=1):
        node = segmentation(f"hypothesis {number}", hypothesis.tissue_map, HYPOTHESIS)
        node.SetAttribute(provenance.HYPOTHESIS, str(number))
        node.GetDisplayNode().SetVisibility(False)
        hypotheses.append(node)
        yield
    tables = {}
    for key, (title, make) in TABLES.items():
        table = make(f"{base} {title}", result)
        if table is not None:
            tables[key] = add(table, key)
        yield
    maps = {}
    for one in enFaceMaps(result):
        title = f"{base} {one.title.lower()}"
        maps[one.key] = add(
            makeMapNode(title, one, grid, result.volume.shape[1], volumeNode), "map"
        )
        maps[one.key].SetAttribute(provenance.MAP, one.key)
        yield
    return ResultNodes(case, consensus, tuple(hypotheses), tables, maps)


def _gather(case: str, nodes: Iterable[Any]) -> ResultNodes | None:
    """Gather the result of one case; None where its consensus was deleted."""
    roles: dict[str, list[Any]] = {}
    for node in nodes:
        roles.setdefault(node.GetAttribute(provenance.ROLE), []).append(node)
    if CONSENSUS not in roles:
        return None
    hypotheses = sorted(
        roles.get(HYPOTHESIS, []), key=lambda node: int(node.GetAttribute(provenance.HYPOTHESIS))
    )
    return ResultNodes(
        case,
        roles[CONSENSUS][0],
        tuple(hypotheses),
        {key: roles[key][0] for key in TABLES if key in roles},
        {node.GetAttribute(provenance.MAP): node for node in roles.get("map", [])},
    )
