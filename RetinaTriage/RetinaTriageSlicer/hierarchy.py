"""Where results stand in the subject hierarchy: in one folder beside their volume."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import slicer


def makeResultFolder(name: str, volumeNode: Any) -> int:
    """Item of a new folder beside the volume's item."""
    hierarchy = subjectHierarchy()
    parent = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(volumeNode))
    return int(hierarchy.CreateFolderItem(parent or hierarchy.GetSceneItemID(), name))


def moveToFolder(folder: int, nodes: Iterable[Any]) -> None:
    """Put nodes into a folder, in this order."""
    hierarchy = subjectHierarchy()
    for node in nodes:
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.SetItemParent(item, folder)
        else:
            hierarchy.CreateItem(folder, node)


def removeFolder(folder: int) -> None:
    """Remove a folder and the nodes in it."""
    subjectHierarchy().RemoveItem(folder, True, True)


def subjectHierarchy() -> Any:
    """Node that holds the tree of the scene."""
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
