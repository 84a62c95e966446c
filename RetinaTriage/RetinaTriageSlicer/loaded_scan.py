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


def _ijkToRas(volume: OCTVolume) -> Any:
    if volume.spacing is not None:
        return volume.ijk_to_ras()
    matrix = np.eye(4)
    matrix[:3, :3] = volume.directions
    return matrix
