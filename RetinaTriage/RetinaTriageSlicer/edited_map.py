"""Tissue maps of segmentation nodes: read as one array, copied for editing, written back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import LabelArray
from RetinaTriageSlicer import hierarchy, provenance
from RetinaTriageSlicer.browser_scan import MapScan, referenceImage
from RetinaTriageSlicer.browser_views import SURFACE, copyLook
from RetinaTriageSlicer.scene import EDITED, ResultNodes
from RetinaTriageSlicer.segmentation_nodes import LABEL_TAG, LABELMAP

EDITED_BY = provenance.PREFIX + "Edited"
EDITED_FROM = "EditedFrom"
"""Reference role of an edited map: the map that it is a copy of."""


def readTissueMap(node: Any, scan: MapScan) -> LabelArray:
    """Tissue map of a segmentation, uint8 array (B-scan, depth, width); the rest is label 0.

    Where segments overlap, the one farther down in Slicer's list wins. The volume is not needed.

    Raises
    ------
    InputError
        If there is a segment that is none of the tissues of the result.
    """
    return scan.grid.fromNode(mergedLabels(node, segmentLabels(node), referenceImage(node)))


def mergedLabels(node: Any, known: Mapping[str, int], reference: Any) -> LabelArray:
    """Labels of some segments of a node on a lattice, uint8 array in the order of that lattice.

    Parameters
    ----------
    known : segment id to label; where segments overlap, the later one wins
    reference : image whose lattice it is
    """
    segmentation = node.GetSegmentation()
    labels = np.zeros(tuple(reversed(reference.GetDimensions())), np.uint8)
    if not known:
        return labels
    layers = [
        _resampled(segmentation.GetLayerDataObject(at, LABELMAP), reference)
        for at in range(segmentation.GetNumberOfLayers(LABELMAP))
    ]
    values = {name: segmentation.GetSegment(name).GetLabelValue() for name in known}
    if len(layers) == 1:  # no overlap: one look-up
        table = np.zeros(max(int(layers[0].max()), *values.values()) + 1, np.uint8)
        table[list(values.values())] = list(known.values())
        return table[layers[0]]
    for name, label in known.items():
        at = segmentation.GetLayerIndex(name, LABELMAP)
        if at >= 0:
            labels[layers[at] == values[name]] = label
    return labels


def editTime(node: Any) -> int:
    """Time of the last change of a map, whoever has edited it; grows with each."""
    segmentation = node.GetSegmentation()
    layers = (
        segmentation.GetLayerDataObject(at, LABELMAP)
        for at in range(segmentation.GetNumberOfLayers(LABELMAP))
    )
    return max(int(one.GetMTime()) for one in (segmentation, *layers))


def _resampled(layer: Any, reference: Any) -> LabelArray:
    """Layer of a segmentation as an array on the whole lattice, in the node's order."""
    image = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        layer, reference, image
    )
    scalars: LabelArray = vtk_to_numpy(image.GetPointData().GetScalars())
    return scalars.reshape(tuple(reversed(reference.GetDimensions())))


def segmentLabels(node: Any) -> dict[str, int]:
    """Tissue label of each segment id of a node, in Slicer's order.

    Raises
    ------
    InputError
        If a segment is no tissue of the result.
    """
    segmentation = node.GetSegmentation()
    found = {}
    for name in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(name)
        tag = vtk.reference("")
        if segment.GetTag(LABEL_TAG, tag):
            found[name] = int(str(tag))
        elif name in TISSUE_BY_NAME:
            found[name] = TISSUE_BY_NAME[name].label
        else:
            raise InputError(
                _(
                    "Found a segment {segment} in {node}, which is none of its tissues. Draw into "
                    "the segments that are there, and remove this one."
                ).format(segment=segment.GetName(), node=node.GetName())
            )
    return found


def makeEditedCopy(result: ResultNodes, source: Any) -> Any:
    """Copy of a tissue map in the folder of its result, marked as edited by the user."""
    name = source.GetName() if isEdited(source) else _("{map} edited").format(map=source.GetName())
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLSegmentationNode", slicer.mrmlScene.GenerateUniqueName(name)
    )
    node.GetSegmentation().DeepCopy(source.GetSegmentation())
    node.GetSegmentation().RemoveRepresentation(SURFACE)
    node.SetAndObserveTransformNodeID(source.GetTransformNodeID())
    node.CreateDefaultDisplayNodes()
    copyLook(source, node)
    for attribute in source.GetAttributeNames():
        if attribute.startswith(provenance.PREFIX):
            node.SetAttribute(attribute, source.GetAttribute(attribute))
    node.SetAttribute(provenance.ROLE, EDITED)
    node.SetAttribute(EDITED_BY, "by the user")
    original = source.GetNodeReference(EDITED_FROM) or source
    node.SetNodeReferenceID(EDITED_FROM, original.GetID())
    if result.volumeNode is not None:
        node.SetNodeReferenceID(provenance.INPUT_ROLE, result.volumeNode.GetID())
    hierarchy.moveToFolder(folderOf(result), [node])
    return node


def folderOf(result: ResultNodes) -> int:
    """Item of the folder that a result stands in."""
    tree = hierarchy.subjectHierarchy()
    return int(tree.GetItemParent(tree.GetItemByDataNode(result.consensus)))


def isEdited(node: Any) -> bool:
    """Tell whether a tissue map is a copy that the user may edit."""
    return bool(node is not None and node.GetAttribute(provenance.ROLE) == EDITED)


def writeTissueMap(node: Any, labels: LabelArray, scan: MapScan) -> None:
    """Write a tissue map into an edited copy; surfaces that were shown are made again.

    Parameters
    ----------
    labels : uint8 array (B-scan, depth, width)
    """
    segmentation = node.GetSegmentation()
    image = slicer.vtkOrientedImageData()
    image.DeepCopy(referenceImage(node))
    array = scan.grid.toNode(labels)
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=True))
    hadSurfaces = segmentation.ContainsRepresentation(SURFACE)
    change = node.StartModify()
    for name, label in segmentLabels(node).items():
        segment = segmentation.GetSegment(name)
        segment.RemoveRepresentation(SURFACE)
        segment.SetLabelValue(label)
        segment.AddRepresentation(LABELMAP, image)
    node.EndModify(change)
    if hadSurfaces:
        node.CreateClosedSurfaceRepresentation()
    segmentation.InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)
    node.Modified()
