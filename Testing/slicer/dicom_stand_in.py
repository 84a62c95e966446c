"""What the tests need of Slicer's DICOM modules, which the host lacks: base classes, a database."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pydicom
import pytest
import slicer


class DICOMLoadable:
    """Attributes that Slicer's class documents."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.name, self.tooltip, self.warning = "Unknown", "", ""
        self.selected, self.confidence = False, 0.5


class DICOMPlugin:
    """Base of plugins; keeps what it was asked to place in the subject hierarchy."""

    def __init__(self) -> None:
        self.loadType = "Generic DICOM"
        self.tags = {"seriesDescription": "0008,103E", "seriesNumber": "0020,0011"}
        self.placed: list[Any] = []

    def defaultSeriesNodeName(self, _seriesUID: str) -> str:
        return "1: Macula"

    def addSeriesInSubjectHierarchy(self, _loadable: Any, node: Any) -> None:
        self.placed.append(node)


class Database:
    """Files by their instance UID; imported ones are read and kept."""

    isOpen = True

    def __init__(self, *files: Path) -> None:
        self._files = {str(pydicom.dcmread(file).SOPInstanceUID): str(file) for file in files}
        self.imported: dict[str, Any] = {}

    def fileValue(self, file: str, tag: str) -> str:
        group, element = (int(part, 16) for part in tag.split(","))
        found = pydicom.dcmread(file, stop_before_pixels=True).get((group, element))
        return "" if found is None else str(found.value)

    def fileForInstance(self, uid: str) -> str:
        return self._files.get(uid, "")

    def importFolder(self, folder: str, *, copyFiles: bool) -> None:
        assert copyFiles, "the folder is gone afterwards"
        for path in Path(folder).iterdir():
            self.imported[path.name] = pydicom.dcmread(path)


def standIn(monkeypatch: pytest.MonkeyPatch, *files: Path) -> Database:
    """Database of files behind ``slicer.dicomDatabase``, for one test."""
    database = Database(*files)
    library: Any = types.ModuleType("DICOMLib")
    library.DICOMLoadable, library.DICOMPlugin = DICOMLoadable, DICOMPlugin
    library.DICOMUtils = types.SimpleNamespace(importDicom=database.importFolder)
    monkeypatch.setitem(sys.modules, "DICOMLib", library)
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    return database
