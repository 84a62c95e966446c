"""Items of the subject hierarchy come and go with their nodes, as a Qt class of Slicer does it."""

from __future__ import annotations

from typing import Any

import slicer
import vtk

# Node class to the plugin that owns its items in Slicer; the first match decides.
PLUGINS = {
    "vtkMRMLSegmentationNode": "Segmentations",
    "vtkMRMLLabelMapVolumeNode": "LabelMaps",
    "vtkMRMLVolumeNode": "Volumes",
    "vtkMRMLTableNode": "Tables",
    "vtkMRMLTextNode": "Texts",
    "vtkMRMLMarkupsNode": "Markups",
    "vtkMRMLModelNode": "Models",
    "vtkMRMLTransformNode": "Transforms",
}


class SubjectHierarchyKeeper:
    """Observes one scene for as long as it lives."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        events = slicer.vtkMRMLScene
        scene.AddObserver(events.NodeAddedEvent, self._onAdded)
        scene.AddObserver(events.NodeAboutToBeRemovedEvent, self._onAboutToBeRemoved)
        scene.AddObserver(events.EndImportEvent, self._onImported)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onAdded(self, _scene: Any, _event: str, node: Any) -> None:
        if not self._scene.IsImporting() and not self._scene.IsRestoring():
            self._ensureItem(node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onAboutToBeRemoved(self, _scene: Any, _event: str, node: Any) -> None:
        if self._scene.IsClosing() or node is None or not _plugin(node):
            return
        hierarchy = self._hierarchy()
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)

    def _onImported(self, _scene: Any, _event: str) -> None:
        for number in range(self._scene.GetNumberOfNodes()):
            self._ensureItem(self._scene.GetNthNode(number))

    def _ensureItem(self, node: Any) -> None:
        plugin = _plugin(node) if node is not None and not node.GetHideFromEditors() else ""
        if not plugin:
            return
        hierarchy = self._hierarchy()
        if not hierarchy.GetItemByDataNode(node):
            hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
        hierarchy.SetItemOwnerPluginName(hierarchy.GetItemByDataNode(node), plugin)

    def _hierarchy(self) -> Any:
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)


def _plugin(node: Any) -> str:
    return next((plugin for kind, plugin in PLUGINS.items() if node.IsA(kind)), "")
