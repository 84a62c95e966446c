"""File readers of scripted modules: classes named ``<Module>FileReader``, as Slicer finds them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import slicer

OWN_CONFIDENCE = 0.5  # of Slicer's own readers


class ReaderParent:
    """The C++ side of one reader: takes the ids of its nodes and its messages."""

    def __init__(self, messages: Any) -> None:
        self.loadedNodes: list[str] = []
        self._messages = messages

    def userMessages(self) -> Any:
        return self._messages


def scripted_file_type(path: Path, *, readable: bool) -> str:
    """File type of the surest reader; empty where the host's own (``readable``) is as sure."""
    found = [(one.canLoadFileConfidence(str(path)), one.fileType()) for one in _readers()]
    confidence, kind = max(found, default=(0.0, ""))
    return kind if confidence > (OWN_CONFIDENCE if readable else 0.0) else ""


def load_scripted(file_type: str, properties: dict[str, Any], messages: Any) -> list[Any] | None:
    """Nodes that the reader of a type loads, empty where it fails; None without such a reader."""
    parent = ReaderParent(messages or slicer.vtkMRMLMessageCollection())
    reader = next((one for one in _readers(parent) if one.fileType() == file_type), None)
    if reader is None:
        return None
    if not reader.load(properties):
        return []
    return [slicer.mrmlScene.GetNodeByID(one) for one in parent.loadedNodes]


def _readers(parent: ReaderParent | None = None) -> list[Any]:
    made = parent or ReaderParent(slicer.vtkMRMLMessageCollection())
    names = slicer.app.moduleManager().scriptedModules()
    kinds = (getattr(sys.modules[name], f"{name}FileReader", None) for name in names)
    return [kind(made) for kind in kinds if kind is not None]
