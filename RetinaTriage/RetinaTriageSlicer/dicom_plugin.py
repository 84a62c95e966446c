"""How Slicer's DICOM module loads Ophthalmic Tomography: with RetinaTriage, and why.

Slicer's plugin for scalar volumes checks the geometry of single-frame images only. Copies of scans
that RetinaTriage writes beside its results are taken too: by their class, a multi-frame Secondary
Capture, Slicer would load them as a sequence in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import slicer
from DICOMLib import DICOMLoadable, DICOMPlugin
from slicer.i18n import tr as _

PLUGIN_NAME = "DICOMRetinaTriagePlugin"
OPT = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
COPIES = ("1.2.840.10008.5.1.4.1.1.7.2", "1.2.840.10008.5.1.4.1.1.7.3")
CLASS_UID, FRAMES, SERIES, MAKER = "0008,0016", "0028,0008", "0020,000E", "0008,0070"
INSTANCE_UID, SIZE = "0008,0018", ("0028,0010", "0028,0011")
# The highest confidence is chosen; scalar volumes say 0.5, image sequences 0.7.
CONFIDENCE = 0.95
INSTANCE_UIDS = "DICOM.instanceUIDs"  # attribute by which Slicer finds a node's images again


class DICOMRetinaTriagePluginClass(DICOMPlugin):
    """Loads Ophthalmic Tomography Images as volumes whose geometry was checked."""

    def __init__(self) -> None:
        super().__init__()
        self.loadType = _("Retinal OCT")
        self.tags |= {"classUID": CLASS_UID, "frames": FRAMES, "instanceUID": INSTANCE_UID}

    def examineForImport(self, fileLists: Sequence[Sequence[str]]) -> list[Any]:
        """Loadables of all scans in lists of files; none for other images."""
        return [
            self._loadable(files)
            for fileList in fileLists
            for files in _scans(file for file in fileList if _isScan(file))
        ]

    def load(self, loadable: Any) -> Any:
        """Volume node of a scan; None, with a message, where it cannot be read."""
        from RetinaTriageLib.errors import RetinaTriageError
        from RetinaTriageLib.readers.dicom import read_dicom_files
        from RetinaTriageSlicer.loaded_scan import makeScanNode, showNode
        from RetinaTriageSlicer.remedies import forPanel
        from RetinaTriageSlicer.setup_install import withMissingPackages

        files = [Path(file) for file in loadable.files]
        try:
            volume = withMissingPackages(partial(read_dicom_files, files))
        except RetinaTriageError as error:
            slicer.util.errorDisplay(forPanel(str(error)))
            return None
        node = makeScanNode(volume, loadable.name)
        node.SetAttribute(
            INSTANCE_UIDS, " ".join(_value(file, INSTANCE_UID) for file in loadable.files)
        )
        self.addSeriesInSubjectHierarchy(loadable, node)
        showNode(node)
        return node

    def _loadable(self, files: tuple[str, ...]) -> Any:
        loadable = DICOMLoadable()
        loadable.files = list(files)
        loadable.name = self.defaultSeriesNodeName(_value(files[0], SERIES))
        loadable.tooltip = _(
            "Retinal OCT, read by RetinaTriage: distance between B-scans, eye and scanner are "
            "taken from the images and checked. Slicer's scalar volume reader does not check the "
            "geometry of multi-frame images."
        )
        loadable.selected = True
        loadable.confidence = CONFIDENCE
        return loadable


def registerPlugin() -> None:
    """Offer the plugin to Slicer's DICOM module, which makes one whenever it examines files."""
    if not hasattr(slicer.modules, "dicomPlugins"):
        slicer.modules.dicomPlugins = {}
    slicer.modules.dicomPlugins[PLUGIN_NAME] = DICOMRetinaTriagePluginClass


def _isScan(file: str) -> bool:
    kind = _value(file, CLASS_UID)
    return kind == OPT or (kind in COPIES and _value(file, MAKER) == "RetinaTriage")


def _scans(files: Iterable[str]) -> list[tuple[str, ...]]:
    """Files that make up one scan each: a multi-frame one alone, single-frame ones of one size."""
    scans: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        alone = _value(file, FRAMES) not in ("", "1")
        key = (file,) if alone else tuple(_value(file, tag) for tag in (SERIES, *SIZE))
        scans.setdefault(key, []).append(file)
    return [tuple(scan) for scan in scans.values()]


def _value(file: str, tag: str) -> str:
    return str(slicer.dicomDatabase.fileValue(file, tag))
