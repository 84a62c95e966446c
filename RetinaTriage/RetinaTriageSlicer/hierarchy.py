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


def removeNodes(nodes: Iterable[Any]) -> None:
    """Remove nodes with their display and storage nodes, and folders that they leave empty."""
    tree, scene = subjectHierarchy(), slicer.mrmlScene
    folders = set()
    for node in list(nodes):
        item = tree.GetItemByDataNode(node)
        folders.add(tree.GetItemParent(item))
        if item:  # by hand: charts and their series may have no plug-in that would do it
            tree.RemoveItem(item, False, False)
        for helper in reversed(helpers(node)):  # a legend goes before what it is the legend of
            scene.RemoveNode(helper)
        scene.RemoveNode(node)
    for folder in folders - {tree.GetSceneItemID(), tree.GetInvalidItemID()}:
        if tree.GetNumberOfItemChildren(folder) == 0:
            tree.RemoveItem(folder)


def nodeIDs() -> set[str]:
    """Ids of all nodes of the scene."""
    return {node.GetID() for node in _nodes()}


def nodesSince(before: set[str]) -> list[Any]:
    """Nodes that have come since the scene had these ids, helpers such as color tables too."""
    return [node for node in _nodes() if node.GetID() not in before]


def takeBack(folder: int, made: list[Any]) -> None:
    """Remove nodes that are still there, the last first, and their folder."""
    scene = slicer.mrmlScene
    present = [node for node in made if scene.IsNodePresent(node)]
    for node in reversed(present):
        scene.RemoveNode(node)
    if present or not made:  # the scene was not closed meanwhile, which takes the folder too
        subjectHierarchy().RemoveItem(folder)


def _nodes() -> list[Any]:
    scene = slicer.mrmlScene
    return [scene.GetNthNode(at) for at in range(scene.GetNumberOfNodes())]


def helpers(node: Any) -> list[Any]:
    """Display and storage nodes of a node."""
    found = []
    if node.IsA("vtkMRMLStorableNode"):  # charts are none
        found += [node.GetNthStorageNode(at) for at in range(node.GetNumberOfStorageNodes())]
    if node.IsA("vtkMRMLDisplayableNode"):
        found += [node.GetNthDisplayNode(at) for at in range(node.GetNumberOfDisplayNodes())]
    return [helper for helper in found if helper is not None]


def subjectHierarchy() -> Any:
    """Node that holds the tree of the scene."""
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
