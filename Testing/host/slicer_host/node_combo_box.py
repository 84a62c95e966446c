"""``qMRMLNodeComboBox``: chooses a node of the real scene, and makes or removes one."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtCore

from slicer_host.qt_module import install_qt
from slicer_host.qt_signals import signals

qt = install_qt()


def _stored(kind: Any, name: str) -> Any:
    def write(self: Any, value: Any) -> None:
        self._options[name] = list(value) if kind == "QStringList" else value
        self._refresh()

    return QtCore.Property(kind, lambda self: self._options[name], write)


@signals(
    currentNodeChanged="currentNodeChanged(vtkMRMLNode*)",
    nodeAddedByUser="nodeAddedByUser(vtkMRMLNode*)",
)
class qMRMLNodeComboBox(qt.QWidget):
    """Only the options that the module sets exist; all others are refused."""

    currentNodeChanged = QtCore.Signal(object)
    nodeAddedByUser = QtCore.Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._options = {
            "nodeTypes": [],
            "noneEnabled": False,
            "addEnabled": True,
            "removeEnabled": True,
            "renameEnabled": False,
            "showHidden": False,
            "showChildNodeTypes": True,
            "selectNodeUponCreation": True,
            "noneDisplay": "None",
            "baseName": "",
        }
        self._attributes: list[tuple[str, str, str]] = []
        self._scene: Any = None
        self._tags: list[int] = []
        self._nodes: list[Any] = []
        self._current: Any = None
        self._combo = qt.QComboBox(self)
        row = qt.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._combo)
        self._combo.activated.connect(self._activated)

    nodeTypes = _stored("QStringList", "nodeTypes")
    noneEnabled = _stored(bool, "noneEnabled")
    addEnabled = _stored(bool, "addEnabled")
    removeEnabled = _stored(bool, "removeEnabled")
    renameEnabled = _stored(bool, "renameEnabled")
    showHidden = _stored(bool, "showHidden")
    showChildNodeTypes = _stored(bool, "showChildNodeTypes")
    selectNodeUponCreation = _stored(bool, "selectNodeUponCreation")
    noneDisplay = _stored(str, "noneDisplay")
    baseName = _stored(str, "baseName")

    def addAttribute(self, nodeType: str, attributeName: str, attributeValue: str) -> None:
        """List nodes of a type only if they have an attribute of a value."""
        self._attributes.append((nodeType, attributeName, attributeValue))
        self._refresh()

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            events = slicer.vtkMRMLScene
            for event in (
                events.NodeAddedEvent,
                events.NodeRemovedEvent,
                events.EndBatchProcessEvent,
                events.EndCloseEvent,
                events.EndImportEvent,
            ):
                self._tags.append(scene.AddObserver(event, self._sceneChanged))
        self._refresh()

    def currentNode(self) -> Any:
        return self._current

    def setCurrentNode(self, node: Any) -> None:
        self._select(node if node in self._nodes else None)

    def setCurrentNodeID(self, nodeID: str) -> None:
        self.setCurrentNode(self._scene.GetNodeByID(nodeID) if nodeID else None)

    def nodeCount(self) -> int:
        return len(self._nodes)

    def addNode(self) -> Any:
        kind = self._options["nodeTypes"][0]
        base = self._options["baseName"]
        name = self._scene.GenerateUniqueName(base) if base else ""
        node = self._scene.AddNewNodeByClass(kind, name)
        if self._options["selectNodeUponCreation"]:
            self._select(node)
        self.nodeAddedByUser.emit(node)
        return node

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _sceneChanged(self, scene: Any, _event: str, _node: Any = None) -> None:
        if not scene.IsBatchProcessing():
            self._refresh()

    def _accepts(self, node: Any) -> bool:
        kinds = self._options["nodeTypes"]
        children = self._options["showChildNodeTypes"]
        fits = any(node.IsA(k) if children else node.GetClassName() == k for k in kinds)
        marked = all(
            node.GetAttribute(name) == value
            for kind, name, value in self._attributes
            if node.IsA(kind)
        )
        return fits and marked and (self._options["showHidden"] or not node.GetHideFromEditors())

    def _refresh(self) -> None:
        scene = self._scene
        known = [] if scene is None else map(scene.GetNthNode, range(scene.GetNumberOfNodes()))
        first_time = not self._nodes
        self._nodes = [node for node in known if self._accepts(node)]
        self._combo.clear()
        if self._options["noneEnabled"]:
            self._combo.addItem(self._options["noneDisplay"])
        for node in self._nodes:
            self._combo.addItem(node.GetName())
        if self._options["addEnabled"] and scene is not None:
            self._combo.addItem("Create new")
        if self._current in self._nodes:
            self._select(self._current)
        elif self._nodes and not self._options["noneEnabled"] and first_time:
            self._select(self._nodes[0])  # as a QComboBox does when it is filled
        else:
            self._select(None)

    def _select(self, node: Any) -> None:
        changed = node is not self._current
        self._current = node
        offset = int(self._options["noneEnabled"])
        self._combo.currentIndex = offset - 1 if node is None else self._nodes.index(node) + offset
        if changed:
            self.currentNodeChanged.emit(node)

    def _activated(self, index: int) -> None:
        at = index - int(self._options["noneEnabled"])
        if at == len(self._nodes):
            self.addNode()
        else:
            self._select(self._nodes[at] if at >= 0 else None)
