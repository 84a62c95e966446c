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
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.writers.dicom_case import DicomSource, dicom_objects, require_highdicom
from RetinaTriageSlicer.case_result import storedResult
from RetinaTriageSlicer.chosen_fovea import placedScan
from RetinaTriageSlicer.node_grid import NodeGrid
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.setup_install import withMissingPackages
from RetinaTriageSlicer.shown_case import readCase

INSTANCE_UIDS = "DICOM.instanceUIDs"  # attribute in which Slicer keeps where a volume comes from


def exportToDatabase(
    nodes: ResultNodes, *, segmentation: bool = True, report: bool = True
) -> tuple[str, ...]:
    """Write the consensus, as it stands in the scene, and its numbers; returns instance UIDs.

    Sizes are measured anew, around the fovea of the views; scores are those of the tables.

    Raises
    ------
    InputError
        If the volume or a table was removed, its geometry is not known, it was changed since it
        was loaded, or a segment was added that no tissue stands for.
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
    withMissingPackages(require_highdicom)
    volumeNode = nodes.volumeNode
    if volumeNode is None:
        msg = "The volume of this result was removed. Load it and run it again."
        raise InputError(msg)
    _requireTissues(nodes.consensus)
    case = readCase(nodes, None)
    files = _databaseFiles(volumeNode)
    if files:
        _requireStoredOrder(case.grid, volumeNode)
    source = DicomSource(dicom_source_of_files(files, keep_identifiers=True) if files else ())
    result = storedResult(case, placedScan(nodes.consensus, nodes).place.fovea)
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


def _requireTissues(segmentationNode: Any) -> None:
    ids = segmentationNode.GetSegmentation().GetSegmentIDs()
    unknown = [one for one in ids if one not in TISSUE_BY_NAME]
    if unknown:
        msg = (
            f"{segmentationNode.GetName()} has {', '.join(unknown)}, which no tissue code stands "
            "for; expected segments of RetinaTriage only. Move others to another segmentation."
        )
        raise InputError(msg)


def _requireStoredOrder(grid: NodeGrid, volumeNode: Any) -> None:
    if grid.axes != (0, 1, 2) or grid.depthReversed:
        msg = (
            f"{volumeNode.GetName()} holds its images in another order than its files do; load it "
            "through RetinaTriage in the DICOM module, then run it again."
        )
        raise InputError(msg)
