"""Volume nodes of scans that the library has read: its geometry, and where each fact comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from RetinaTriageLib.volume import OCTVolume, ScanPattern
from RetinaTriageSlicer.volume_node import DEVICE, LATERALITY, PATTERN, SPACING_SOURCE

ASSUMED = "RetinaTriage.Assumed"


def makeScanNode(volume: OCTVolume, name: str = "") -> Any:
    """Volume node of a scan; with 1 x 1 x 1 spacing, which stands for none, where it is unknown.

    What identifies a patient is not in an `OCTVolume`, so it is not in the node; a name that the
    user's file has may still tell something.
    """
    node = slicer.util.addVolumeFromArray(
        np.ascontiguousarray(volume.voxels), ijkToRAS=_ijkToRas(volume), name=name or volume.name
    )
    raster = volume.pattern in (ScanPattern.RASTER, ScanPattern.LINE)
    facts = {
        LATERALITY: volume.laterality.value if volume.laterality else None,
        DEVICE: volume.device.value if volume.device else None,
        PATTERN: None if raster else volume.pattern.value,
        SPACING_SOURCE: volume.sources.get("spacing") if volume.spacing else None,
        ASSUMED: " ".join(volume.assumed) or None,
    }
    for attribute, value in facts.items():
        if value is not None:
            node.SetAttribute(attribute, value)
    return node


def showNode(node: Any) -> None:
    """Show a node in all slice views, as Slicer does with a volume that was loaded."""
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetReferenceActiveVolumeID(node.GetID())
    logic.PropagateVolumeSelection()


def makeLocalizerNode(volume: OCTVolume, name: str) -> Any:
    """Volume node of the scanner's en-face picture, or None where its place is not known.

    It is as deep as the scan, so that every coronal slice through the scan shows it.
    """
    localizer, matrix = volume.record.localizer, _localizerToRas(volume)
    if localizer is None or matrix is None or localizer.pixels.ndim != 2:
        return None
    picture = np.ascontiguousarray(localizer.pixels)[np.newaxis]
    return slicer.util.addVolumeFromArray(picture, ijkToRAS=matrix, name=name)


def _localizerToRas(volume: OCTVolume) -> Any:
    """Matrix (4, 4) by which the B-scans lie on the picture where the device put them.

    None where they do not: where the picture is turned or scaled against the scan.
    """
    localizer = volume.record.localizer
    if localizer is None or volume.spacing is None:
        return None
    row_mm, column_mm = localizer.spacing_mm
    scan = volume.ijk_to_ras()
    bscans, depths, widths = volume.shape
    start, end = localizer.bscan_ends_mm[0, 0], localizer.bscan_ends_mm[-1, 1]
    right, superior = scan[0, 3] + start[0], scan[2, 3] + start[1]  # upper left corner
    last = scan @ [widths - 1, 0, bscans - 1, 1]
    if np.hypot(right - end[0] - last[0], superior - end[1] - last[2]) > max(row_mm, column_mm):
        return None
    deep_mm = volume.spacing.depth_mm * depths
    middle = scan @ [0, (depths - 1) / 2, 0, 1]
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[2, 1], matrix[1, 2], matrix[3, 3] = -column_mm, -row_mm, -deep_mm, 1
    matrix[:3, 3] = right - column_mm / 2, middle[1], superior - row_mm / 2
    return matrix


def _ijkToRas(volume: OCTVolume) -> Any:
    if volume.spacing is not None:
        return volume.ijk_to_ras()
    matrix = np.eye(4)
    matrix[:3, :3] = volume.directions
    return matrix
