"""Results as DICOM in Slicer's own database, in the study of their scan.

Patient and visit are those that the database holds for the scan, so that both stand together. A
scan that came from a file gets a copy in the database, of nobody.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import slicer

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.dicom_source import dicom_source_of_files
from RetinaTriageLib.writers.dicom_case import DicomSource, dicom_objects, require_highdicom
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.stored_result import nodeLabels, storedResult
from RetinaTriageSlicer.volume_node import readVolumeNode

INSTANCE_UIDS = "DICOM.instanceUIDs"  # attribute in which Slicer keeps where a volume comes from


def exportToDatabase(
    nodes: ResultNodes, *, segmentation: bool = True, report: bool = True
) -> tuple[str, ...]:
    """Write the consensus, as it stands in the scene, and the numbers; returns instance UIDs.

    Raises
    ------
    InputError
        If the volume was removed, its geometry is not known, or it was changed since it was loaded.
    RuntimeError
        If Slicer has no DICOM database open.
    """
    objects = exportedObjects(nodes, segmentation=segmentation, report=report)
    from DICOMLib import DICOMUtils

    if slicer.dicomDatabase is None or not slicer.dicomDatabase.isOpen:
        raise RuntimeError("No DICOM database is open. Open the DICOM module once, then go on.")
    with tempfile.TemporaryDirectory(prefix="retina-triage-") as folder:
        for name, dataset in objects.items():
            dataset.save_as(Path(folder) / name, enforce_file_format=True)
        DICOMUtils.importDicom(folder, copyFiles=True)
    return tuple(str(dataset.SOPInstanceUID) for dataset in objects.values())


def exportedObjects(
    nodes: ResultNodes, *, segmentation: bool = True, report: bool = True
) -> dict[str, Any]:
    """File name to DICOM data set of a result in the scene.

    Raises
    ------
    InputError
        As `exportToDatabase` does.
    """
    require_highdicom()
    volumeNode = nodes.volumeNode
    if volumeNode is None:
        msg = "The volume of this result was removed. Load it and run it again."
        raise InputError(msg)
    volume, grid = readVolumeNode(volumeNode)
    consensus = grid.fromNode(nodeLabels(nodes.consensus, volumeNode))
    files = _databaseFiles(volumeNode)
    if files:
        _requireStoredOrder(grid, volumeNode)
    source = DicomSource(dicom_source_of_files(files, keep_identifiers=True) if files else ())
    result = storedResult(nodes, volume, consensus)
    return dicom_objects(result, source, segmentation=segmentation, report=report)


def _databaseFiles(volumeNode: Any) -> list[Path]:
    """Files in the database that a volume was loaded from; none where it came from elsewhere."""
    uids = (volumeNode.GetAttribute(INSTANCE_UIDS) or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if not uids or database is None:
        return []
    files = [str(database.fileForInstance(uid)) for uid in uids]
    missing = [uid for uid, file in zip(uids, files, strict=True) if not file]
    if missing:
        msg = (
            f"The DICOM database no longer holds the images of {volumeNode.GetName()}; import them "
            "again, so that results can refer to them."
        )
        raise InputError(msg)
    return [Path(file) for file in files]


def _requireStoredOrder(grid: NodeGrid, volumeNode: Any) -> None:
    if grid.axes != (0, 1, 2) or grid.depthReversed:
        msg = (
            f"{volumeNode.GetName()} holds its images in another order than its files do; load it "
            "through RetinaTriage in the DICOM module, then run it again."
        )
        raise InputError(msg)
