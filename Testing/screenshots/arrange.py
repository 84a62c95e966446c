"""The views of a scan and of its result, set as a user would set them.

A retina is twenty times as wide as it is deep, so depth is drawn stretched, as scanners draw it:
in the slice views by a field of view with two scales, in the 3D view by a camera with a scale.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import qt
import slicer
import vtk
from RetinaTriageSlicer.map_nodes import showMap
from RetinaTriageSlicer.places import pointOf
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.volume_node import readVolumeNode

from RetinaTriageLib.tissues import TISSUES, TissueGroup

STRETCH = 3.0
MARGIN = 1.06
# Axes of patient space (right, anterior, superior) that run across and up each view.
VIEW_AXES = {"Red": (0, 1), "Yellow": (1, 2), "Green": (0, 2)}
ANTERIOR = 1

LESIONS = (TissueGroup.FLUID, TissueGroup.PED)
HIDDEN_IN_3D = (TissueGroup.VITREOUS, TissueGroup.CHOROID, TissueGroup.ARTIFACT)
LEGEND_SHARE = 0.08
CLOSER = 1.35
RETINA_OPACITY = 0.35
ELEVATION_DEGREES, AZIMUTH_DEGREES = 38.0, 25.0


def show_scan(volume_node: Any) -> None:
    """Show the whole scan in the slice views, depth stretched."""
    slicer.util.setSliceViewerLayers(background=volume_node, foreground=None, fit=True)
    low, high = bounds(volume_node)
    for name, (across, up) in VIEW_AXES.items():
        node = slice_node(name)
        scale = np.where(np.arange(3) == ANTERIOR, STRETCH, 1.0)
        size_mm = (high - low) * scale
        columns, rows, _ = node.GetDimensions()
        columns_for_scan = columns * (1 - 2 * LEGEND_SHARE) if name == "Green" else columns
        pixel_mm = MARGIN * max(size_mm[across] / columns_for_scan, size_mm[up] / rows)
        node.SetFieldOfView(
            columns * pixel_mm / scale[across],
            rows * pixel_mm / scale[up],
            node.GetFieldOfView()[2],
        )
        node.SetRulerType(slicer.vtkMRMLAbstractViewNode.RulerTypeThin)
    slice_node("Red").SetSliceVisible(True)
    _look_from_vitreous((low + high) / 2)
    jump(_brightest(volume_node))


def show_result(nodes: ResultNodes) -> None:
    """Show tissues over the B-scan with the largest lesions, the thickness map and surfaces."""
    jump(largest_lesion(nodes))
    showMap(nodes.maps["retina"])
    _make_room_for_legend()
    _show_tissues_beside_the_map(nodes.consensus)
    _show_surfaces(nodes.consensus)


def largest_lesion(nodes: ResultNodes) -> Any:
    """Center of the lesions in the B-scan that has most of them, in RAS, in mm."""
    volume = nodes.volumeNode
    found = np.zeros(slicer.util.arrayFromVolume(volume).shape, dtype=bool)
    for tissue in TISSUES:
        if tissue.group in LESIONS:
            found |= slicer.util.arrayFromSegmentBinaryLabelmap(
                nodes.consensus, tissue.name, volume
            ).astype(bool)
    if not found.any():
        return sum(bounds(volume)) / 2
    bscan = int(found.sum(axis=(1, 2)).argmax())
    depth, width = np.argwhere(found[bscan]).mean(axis=0)
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return np.array(matrix.MultiplyPoint((width, depth, bscan, 1)))[:3]


def scroll_to(window: Any, widget: Any) -> None:
    """Scroll the panel so that a widget stands at its top."""
    scroll = window.findChild(qt.QScrollArea)
    top = widget.mapTo(scroll.widget(), qt.QPoint(0, 0)).y()
    scroll.verticalScrollBar().setValue(top)


def jump(ras: Any) -> None:
    """Move all slice views to a point in mm."""
    for name in VIEW_AXES:
        slice_node(name).JumpSliceByOffsetting(*ras)


def bounds(node: Any) -> tuple[Any, Any]:
    """Lowest and highest corner of a node in RAS, in mm."""
    six = np.zeros(6)
    node.GetRASBounds(six)
    return six[::2], six[1::2]


def slice_node(name: str) -> Any:
    """Node of one slice view."""
    return slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()


def view_node() -> Any:
    """Node of the 3D view."""
    return slicer.app.layoutManager().threeDWidget(0).mrmlViewNode()


def _brightest(volume_node: Any) -> Any:
    """Middle of a scan at the depth that is brightest, where the retina is, in RAS, in mm."""
    volume, grid = readVolumeNode(volume_node)
    bscans, depths, widths = volume.shape
    profile = volume.voxels.mean(axis=(0, 2))
    middle = (bscans // 2, int(profile.argmax()), widths // 2)  # on voxels, not between them
    return np.array(pointOf(volume_node, grid, depths, middle))


def _make_room_for_legend() -> None:
    """Move what the coronal view shows to the left."""
    node = slice_node("Green")
    node.SetXYZOrigin(LEGEND_SHARE * node.GetFieldOfView()[0], 0, 0)
    node.UpdateMatrices()


def _show_tissues_beside_the_map(segmentation_node: Any) -> None:
    """Show the tissues in all views but the coronal one, which shows the map."""
    display = segmentation_node.GetDisplayNode()
    for node in (slice_node("Red"), slice_node("Yellow"), view_node()):
        display.AddViewNodeID(node.GetID())


def _show_surfaces(segmentation_node: Any) -> None:
    """Show closed surfaces of the tissues from the vitreous side, from below and aside."""
    segmentation_node.CreateClosedSurfaceRepresentation()
    display = segmentation_node.GetDisplayNode()
    for tissue in TISSUES:
        if tissue.label != 0 and tissue.group in HIDDEN_IN_3D:
            display.SetSegmentVisibility3D(tissue.name, False)
    display.SetSegmentOpacity3D("neurosensory_retina", RETINA_OPACITY)
    _look_from_vitreous(sum(bounds(segmentation_node)) / 2)


def _look_from_vitreous(center: Any) -> None:
    view = view_node()
    view.SetBoxVisible(False)
    view.SetAxisLabelsVisible(False)
    view.SetOrientationMarkerType(slicer.vtkMRMLAbstractViewNode.OrientationMarkerTypeAxes)
    node = slicer.modules.cameras.logic().GetViewActiveCameraNode(view)
    camera = node.GetCamera()
    stretch = vtk.vtkMatrix4x4()
    stretch.SetElement(ANTERIOR, ANTERIOR, STRETCH)
    stretch.SetElement(ANTERIOR, 3, center[ANTERIOR] * (1 - STRETCH))
    camera.SetModelTransformMatrix(stretch)
    up, aside = math.radians(ELEVATION_DEGREES), math.radians(AZIMUTH_DEGREES)
    direction = np.array(
        [math.cos(up) * math.sin(aside), math.sin(up), -math.cos(up) * math.cos(aside)]
    )
    camera.SetFocalPoint(*center)
    camera.SetPosition(*(center + direction))
    camera.SetViewUp(0, 1, 0)
    slicer.app.layoutManager().threeDWidget(0).threeDView().resetFocalPoint()
    camera.Dolly(CLOSER)
    node.ResetClippingRange()
