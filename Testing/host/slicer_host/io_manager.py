"""``slicer.app.coreIOManager()``: the part that ``slicer.util`` calls to load and save."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
import vtk

from slicer_host.core import Core
from slicer_host.file_types import (
    file_type,
    node_name,
    read_segmentation,
    read_table,
    read_volume,
)
from slicer_host.scripted_readers import load_scripted, scripted_file_type


class CoreIOManager:
    """Loads and saves nodes and scenes with the real logics and storage nodes."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def fileType(self, fileName: str) -> str:
        own = file_type(Path(fileName))
        return scripted_file_type(Path(fileName), readable=bool(own)) or own

    def registeredFileReaderCount(self, _fileType: str) -> int:
        return 1

    def fileWriterFileType(self, _node: Any, _format: str = "") -> str:
        return "NodeFile"

    def loadNodes(
        self,
        fileType: str,
        properties: dict[str, Any],
        loadedNodes: Any = None,
        messages: Any = None,
    ) -> bool:
        path = Path(properties["fileName"])
        if not path.exists():
            if messages is not None:
                messages.AddMessage(vtk.vtkCommand.ErrorEvent, f"File not found: {path}")
            return False
        if fileType == "SceneFile":
            return self._loadScene(path, clear=bool(properties.get("clear", False)))
        nodes = load_scripted(fileType, properties, messages)
        if nodes is not None:
            for one in nodes if loadedNodes is not None else ():
                loadedNodes.AddItem(one)
            return bool(nodes)
        node = self._read(fileType, path, properties.get("name") or node_name(path))
        if node is None:
            return False
        if loadedNodes is not None:
            loadedNodes.AddItem(node)
        return True

    def saveNodes(self, fileType: str, properties: dict[str, Any], _messages: Any = None) -> bool:
        path = str(properties["fileName"])
        if fileType == "SceneFile":
            if not path.lower().endswith(".mrb"):
                raise NotImplementedError("The host saves scenes as .mrb only.")
            return bool(self._core.scene.WriteToMRB(path))
        node = self._core.scene.GetNodeByID(properties["nodeID"])
        node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        storage.SetFileName(path)
        return bool(storage.WriteData(node))

    def _read(self, fileType: str, path: Path, name: str) -> Any:
        logics = self._core.logics
        if fileType == "VolumeFile":
            node = read_volume(logics["Volumes"], path, name)
            if node is not None:
                self._show(node)
            return node
        if fileType == "SegmentationFile":
            return read_segmentation(logics["Segmentations"], path, name)
        if fileType == "TableFile":
            return read_table(self._core.scene, path, name)
        raise NotImplementedError(f"The host does not read {fileType or path.suffix}.")

    def _show(self, volume: Any) -> None:
        selection = self._core.applicationLogic.GetSelectionNode()
        selection.SetReferenceActiveVolumeID(volume.GetID())
        self._core.applicationLogic.PropagateVolumeSelection()

    def _loadScene(self, path: Path, *, clear: bool) -> bool:
        scene = self._core.scene
        if path.suffix.lower() == ".mrb":
            return bool(scene.ReadFromMRB(str(path), clear, slicer.vtkMRMLMessageCollection()))
        scene.SetURL(str(path))
        return bool(scene.Connect() if clear else scene.Import())
