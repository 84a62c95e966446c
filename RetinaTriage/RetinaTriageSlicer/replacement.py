"""A result that takes the place of another one; what it replaced can be brought back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer

from RetinaTriageSlicer import hierarchy
from RetinaTriageSlicer.scene import ResultNodes

DISPLAY, STORAGE = "display", "storage"

References = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class TakenOut:
    """A result that has left the scene but is kept, with its display and storage nodes.

    Attributes
    ----------
    folderName : name of the folder that the result stood in
    references : each node with the ids that it referred to, which it loses with its helpers
    """

    result: ResultNodes
    folderName: str
    volumeNode: Any
    references: tuple[tuple[Any, References], ...]


class Replacement:
    """Two results of one volume, of which one is in the scene."""

    def __init__(self, old: ResultNodes, new: ResultNodes) -> None:
        """Take the old result out, now that the new one is complete; it gets the old one's name."""
        self.shown = new
        self._volumeNode = new.volumeNode
        self._kept = takeOut(old)
        _nameFolder(new, self._kept.folderName)

    @property
    def possible(self) -> bool:
        """Tell whether the results can be swapped: their volume is still in the scene."""
        return bool(slicer.mrmlScene.IsNodePresent(self._volumeNode))

    def swap(self) -> ResultNodes:
        """Show the other one of the two results, and keep this one; undo and redo alike."""
        back = putBack(self._kept)
        self._kept = takeOut(self.shown)
        _nameFolder(back, self._kept.folderName)
        self.shown = back
        return back


def takeOut(result: ResultNodes) -> TakenOut:
    """Take a result out of the scene and keep it; nodes that left before stay away."""
    present = [node for node in result.nodes if slicer.mrmlScene.IsNodePresent(node)]
    volumeNode = result.volumeNode
    folderName = _folderName(result)
    withHelpers = [one for node in present for one in (*hierarchy.helpers(node), node)]
    references = tuple((node, _references(node)) for node in withHelpers)
    hierarchy.removeNodes(present)
    return TakenOut(result, folderName, volumeNode, references)


def putBack(taken: TakenOut) -> ResultNodes:
    """Put a result back into the scene as it was, in a folder of its own."""
    slicer.mrmlScene.StartState(slicer.vtkMRMLScene.BatchProcessState)  # views wait for the whole
    for node, _ids in taken.references:
        slicer.mrmlScene.AddNode(node)
    for node, references in taken.references:
        _restore(node, references)
    slicer.mrmlScene.EndState(slicer.vtkMRMLScene.BatchProcessState)
    folder = hierarchy.makeResultFolder(taken.folderName, taken.volumeNode)
    nodes = [node for node in taken.result.nodes if slicer.mrmlScene.IsNodePresent(node)]
    hierarchy.moveToFolder(folder, nodes)
    return taken.result


def _references(node: Any) -> References:
    roles = [node.GetNthNodeReferenceRole(at) for at in range(node.GetNumberOfNodeReferenceRoles())]
    return tuple(
        (
            role,
            tuple(
                node.GetNthNodeReferenceID(role, at)
                for at in range(node.GetNumberOfNodeReferences(role))
            ),
        )
        for role in roles
    )


def _restore(node: Any, references: References) -> None:
    """Refer again to nodes that were away; MRML forgets a reference when its node goes."""
    for role, ids in references:
        for at, nodeID in enumerate(ids):
            if node.GetNthNodeReferenceID(role, at) == nodeID:
                continue
            if role == DISPLAY:
                node.SetAndObserveNthDisplayNodeID(at, nodeID)
            elif role == STORAGE:
                node.SetAndObserveNthStorageNodeID(at, nodeID)
            else:
                node.SetNthNodeReferenceID(role, at, nodeID)


def _folderItem(result: ResultNodes) -> int:
    tree = hierarchy.subjectHierarchy()
    return int(tree.GetItemParent(tree.GetItemByDataNode(result.consensus)))


def _folderName(result: ResultNodes) -> str:
    return str(hierarchy.subjectHierarchy().GetItemName(_folderItem(result)))


def _nameFolder(result: ResultNodes, name: str) -> None:
    hierarchy.subjectHierarchy().SetItemName(_folderItem(result), name)
