"""Where tissue maps disagree, as a segmentation: one segment a number of maps that are outvoted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk

from RetinaTriageLib.volume import LabelArray
from RetinaTriageSlicer import hierarchy, provenance
from RetinaTriageSlicer.browser_scan import MapScan, referenceImage
from RetinaTriageSlicer.edited_map import folderOf
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.segmentation_nodes import LABELMAP

ROLE = "where maps differ"
FEW, MANY = (255, 225, 60), (220, 30, 160)
"""Colors where one map differs from the majority, and where most of them do."""

OPACITY = 0.7


def outvoted(maps: Sequence[LabelArray]) -> LabelArray:
    """Count the maps that differ from the most frequent label of a voxel, uint8 array.

    Parameters
    ----------
    maps : uint8 arrays (B-scan, depth, width)
    """
    first, *others = maps
    counts = np.zeros(first.shape, np.uint8)
    differs = np.zeros(first.shape, dtype=bool)
    for other in others:
        differs |= other != first
    votes = np.stack([one[differs] for one in maps])  # (map, voxel)
    most = np.zeros(votes.shape[1], np.uint8)
    for vote in votes:
        most = np.maximum(most, np.count_nonzero(votes == vote, axis=0).astype(np.uint8))
    counts[differs] = len(maps) - most
    return counts


def showDisagreement(result: ResultNodes, maps: Sequence[LabelArray], scan: MapScan) -> Any:
    """Segmentation node of where maps differ, in the result's folder; the old one is replaced."""
    removeDisagreement(result)
    name = _("Where tissue maps differ")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    for attribute in (provenance.CASE, provenance.PREFIX + "Bundle", provenance.PREFIX + "Use"):
        node.SetAttribute(attribute, result.consensus.GetAttribute(attribute))
    node.SetAttribute(provenance.ROLE, ROLE)
    image = slicer.vtkOrientedImageData()
    image.DeepCopy(referenceImage(result.consensus))
    counts = scan.grid.toNode(outvoted(maps))
    image.GetPointData().SetScalars(numpy_to_vtk(counts.ravel(), deep=True))
    highest = len(maps) - 1
    for count in range(1, highest + 1):
        node.GetSegmentation().AddSegment(_segment(count, len(maps), image), f"differ_{count}")
    node.SetAndObserveTransformNodeID(result.consensus.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetOpacity2DFill(OPACITY)
    hierarchy.moveToFolder(folderOf(result), [node])
    return node


def removeDisagreement(result: ResultNodes) -> None:
    """Remove the segmentation of where maps differ, if there is one."""
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        own = node.GetAttribute(provenance.CASE) == result.case
        if own and node.GetAttribute(provenance.ROLE) == ROLE:
            hierarchy.removeNodes([node])


def levelColor(count: int, maps: int) -> tuple[int, int, int]:
    """Color (red, green, blue), 0 to 255, of voxels where so many of the maps are outvoted."""
    share = 0.0 if maps <= 2 else (count - 1) / (maps - 2)
    red, green, blue = (
        round(few + share * (many - few)) for few, many in zip(FEW, MANY, strict=True)
    )
    return red, green, blue


def _segment(count: int, maps: int, image: Any) -> Any:
    segment = slicer.vtkSegment()
    segment.SetName(_("{count} of {maps} differ").format(count=count, maps=maps))
    segment.SetColor(*(level / 255 for level in levelColor(count, maps)))
    segment.SetLabelValue(count)
    segment.AddRepresentation(LABELMAP, image)
    return segment
