"""A case of a cohort in the scene: its scan and its result, which is not computed again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from RetinaTriageLib.cohort.cohort_rows import CohortRow, case_folder
from RetinaTriageLib.cohort.stored_case import read_fields, stored_case
from RetinaTriageLib.cohort.stored_map import StoredMap, read_map
from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.result import EnFaceArray, TriageResult
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageSlicer import hierarchy
from RetinaTriageSlicer.cohort_scan import findScan, readScan, requireSameScan, scanFacts
from RetinaTriageSlicer.loaded_scan import makeScanNode, showNode
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.scene import ResultNodes, showResult
from RetinaTriageSlicer.segmentation_nodes import LABELMAP
from RetinaTriageSlicer.volume_node import ijkToRas, readVolumeNode


@dataclass(frozen=True)
class LoadedCase:
    """A case that was loaded.

    Attributes
    ----------
    volumeNode : None where the scan is not at hand
    nodes : of the result; None where only the scan was asked for
    missing : why there is no scan; empty where there is one
    nodeIDs : of all nodes that came with the case
    mapTimes : segmentation node id to the time of its last change, to tell what was edited
    """

    row: CohortRow
    volumeNode: Any
    nodes: ResultNodes | None
    missing: str
    nodeIDs: frozenset[str]
    mapTimes: Mapping[str, int]


def loadCase(
    outDir: Path, row: CohortRow, scans: Path | None = None, *, withResult: bool = True
) -> LoadedCase:
    """Load scan and result of a case from the files of its cohort.

    Where the scan has moved or was replaced, the maps are loaded alone, as they stay where a volume
    is removed from a scene. Nothing in the scene is named after the patient or the file.

    Parameters
    ----------
    scans : folder that the scans lie in now; None where they lie where they did
    withResult : False shows the scan alone, to be read without the model's answer

    Raises
    ------
    RetinaTriageError
        If the case cannot be loaded; the scene is then as it was.
    """
    folder = case_folder(outDir, row.case_id)
    fields = read_fields(folder)
    before = hierarchy.nodeIDs()
    try:
        volume, missing = _scan(outDir, folder, row, fields, scans)
        if volume is None and not withResult:
            raise RetinaTriageError(missing)
        volumeNode, nodes = _show(folder, row, fields, volume, withResult=withResult)
    except BaseException:
        for node in reversed(hierarchy.nodesSince(before)):
            slicer.mrmlScene.RemoveNode(node)
        raise
    made = frozenset(node.GetID() for node in hierarchy.nodesSince(before))
    return LoadedCase(row, volumeNode, nodes, missing, made, _mapTimes(nodes))


def unloadCase(case: LoadedCase) -> bool:
    """Take a case out of the scene; returns False, and leaves it, where one of its maps was edited.

    What sections have drawn for the case goes with it.
    """
    if case.nodes is not None and _wasEdited(case, case.nodes):
        return False
    nodes = () if case.nodes is None else case.nodes.nodes
    hierarchy.removeNodes(node for node in nodes if slicer.mrmlScene.IsNodePresent(node))
    if case.volumeNode is not None and slicer.mrmlScene.IsNodePresent(case.volumeNode):
        # The volume goes before its display: views make a shown volume a new one.
        helpers = hierarchy.helpers(case.volumeNode)
        for node in (case.volumeNode, *helpers):
            slicer.mrmlScene.RemoveNode(node)
    return True


def _scan(
    outDir: Path, folder: Path, row: CohortRow, fields: Mapping[str, Any], scans: Path | None
) -> tuple[OCTVolume | None, str]:
    """Scan of a case, or None and why."""
    path = findScan(outDir, row, scans)
    if path is None:
        return None, (
            "The scan is no more where it was when the cohort was worked; choose the folder that "
            "the scans lie in now. Only the tissue maps were loaded."
        )
    try:
        volume = readScan(path, row, fields, row.alias)
        requireSameScan(volume, _enface(folder))
    except (RetinaTriageError, OSError) as error:
        said = str(error).replace(str(path), "the file").replace(path.name, "the file")
        return None, f"{said[:1].upper()}{said[1:]} Only the tissue maps were loaded."
    return volume, ""


def _enface(folder: Path) -> EnFaceArray:
    with np.load(folder / "maps.npz", allow_pickle=False) as maps:
        enface: EnFaceArray = maps["enface"]
    return enface


def _show(
    folder: Path,
    row: CohortRow,
    fields: Mapping[str, Any],
    volume: OCTVolume | None,
    *,
    withResult: bool,
) -> tuple[Any, ResultNodes | None]:
    shown = _standIn(read_map(folder), row, fields) if volume is None else volume
    volumeNode = makeScanNode(shown)
    nodes = None
    if withResult:
        if volume is None:
            grid = NodeGrid((0, 1, 2), depthReversed=False, ijkToRas=ijkToRas(volumeNode))
        else:
            _same, grid = readVolumeNode(volumeNode, scanFacts(fields))
        result = _anonymous(stored_case(folder, shown), fields["volume"]["name"], row.alias)
        nodes = showResult(result, volumeNode, grid)
    if volume is None:  # a result whose volume is gone is one that all sections know
        hierarchy.removeNodes([volumeNode])
        return None, nodes
    showNode(volumeNode)
    return volumeNode, nodes


def _anonymous(result: TriageResult, name: str, alias: str) -> TriageResult:
    """Return the result with sentences that name the case in place of the file."""

    def plain(sentences: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sentence.replace(name, alias) if name else sentence for sentence in sentences)

    return replace(
        result,
        measurements=replace(result.measurements, refused=plain(result.measurements.refused)),
        provenance=replace(result.provenance, notes=plain(result.provenance.notes)),
    )


def _standIn(found: StoredMap, row: CohortRow, fields: Mapping[str, Any]) -> OCTVolume:
    """Make a volume on the lattice of a map, for as long as nodes are made; it holds no scan."""
    facts = scanFacts(fields)
    voxels = (found.labels.astype(np.uint8) * 16) | 1
    voxels[0, 0, 0] = 0  # a map of one tissue is constant, which no volume may be
    if found.ijk_to_ras is None:
        return OCTVolume(voxels, None, facts.laterality, facts.device, name=row.alias)
    steps = found.ijk_to_ras[:3, :3]
    right, anterior, superior = (float(length) for length in found.ijk_to_ras[:3, 3])
    return OCTVolume(
        voxels,
        facts.spacing,
        facts.laterality,
        facts.device,
        directions=steps / np.linalg.norm(steps, axis=0),
        origin_mm=(right, anterior, superior),
        name=row.alias,
    )


def _wasEdited(case: LoadedCase, nodes: ResultNodes) -> bool:
    """Tell whether the user has changed a map of the case, or added one."""
    return _mapTimes(nodes) != {
        key: time for key, time in case.mapTimes.items() if slicer.mrmlScene.GetNodeByID(key)
    }


def _mapTimes(nodes: ResultNodes | None) -> dict[str, int]:
    times = {}
    for node in () if nodes is None else nodes.tissueMaps:
        segmentation = node.GetSegmentation()
        layers = range(segmentation.GetNumberOfLayers(LABELMAP))
        times[node.GetID()] = max(
            (segmentation.GetLayerDataObject(at, LABELMAP).GetMTime() for at in layers), default=0
        )
    return times
