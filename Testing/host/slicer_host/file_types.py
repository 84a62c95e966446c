"""Which kind of node a file holds, and how the real logics read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

# The first ending that fits decides.
FILE_TYPES = {
    ".mrb": "SceneFile",
    ".mrml": "SceneFile",
    ".seg.nrrd": "SegmentationFile",
    ".nrrd": "VolumeFile",
    ".nhdr": "VolumeFile",
    ".nii": "VolumeFile",
    ".nii.gz": "VolumeFile",
    ".mha": "VolumeFile",
    ".dcm": "VolumeFile",
    ".tsv": "TableFile",
    ".csv": "TableFile",
}


def file_type(path: Path) -> str:
    """Slicer's name of the file type, empty where the host cannot read it."""
    name = path.name.lower()
    kind = next((kind for ending, kind in FILE_TYPES.items() if name.endswith(ending)), "")
    if kind == "VolumeFile" and path.suffix.lower() == ".nrrd" and path.is_file():
        with path.open("rb") as file:  # the content decides, as in Slicer
            if b"Segment0_" in file.read(16384):
                return "SegmentationFile"
    return kind


def node_name(path: Path) -> str:
    """File name without its ending; two-part endings count as one."""
    name = path.name
    for ending in (".seg.nrrd", ".nii.gz"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return path.stem


def read_volume(logic: Any, path: Path, name: str) -> Any:
    """Volume node of a file, or None."""
    return logic.AddArchetypeVolume(str(path), name, 0)


def read_segmentation(logic: Any, path: Path, name: str) -> Any:
    """Segmentation node of a file, or None."""
    return logic.LoadSegmentationFromFile(str(path), True, name)


def read_table(scene: Any, path: Path, name: str) -> Any:
    """Table node of a file, or None."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", name)
    storage = slicer.vtkMRMLTableStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    node.SetAndObserveStorageNodeID(storage.GetID())
    if storage.ReadData(node):
        return node
    scene.RemoveNode(node)
    return None
