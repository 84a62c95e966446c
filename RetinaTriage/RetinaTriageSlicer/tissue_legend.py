"""Legend of the tissues of a map: what is in it and shown, in the colors of the views."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from RetinaTriageSlicer.edited_map import editTime
from RetinaTriageSlicer.segmentation_nodes import LABELMAP

PATCH = "\u2588"


class TissueLegend:
    """Looks into a map again only where it has changed; a large one takes 30 ms."""

    def __init__(self) -> None:
        self._key: tuple[str, int] | None = None
        self._present: tuple[str, ...] = ()

    def text(self, node: Any) -> str:
        """Legend of a segmentation node, as rich text; empty for None."""
        if node is None or node.GetDisplayNode() is None:
            return ""
        key = (node.GetID(), editTime(node))
        if key != self._key:
            self._key, self._present = key, presentSegments(node)
        display, segmentation = node.GetDisplayNode(), node.GetSegmentation()
        shown = [one for one in self._present if display.GetSegmentVisibility(one)]
        patches = [
            f'<span style="color:{_hex(display.GetSegmentColor(one))}">{PATCH}</span>&nbsp;'
            + html.escape(segmentation.GetSegment(one).GetName()).replace(" ", "&nbsp;")
            for one in shown
        ]
        return " &nbsp;".join(patches) or _("No tissue of this map is shown.")


def presentSegments(node: Any) -> tuple[str, ...]:
    """Ids of the segments that have a voxel."""
    segmentation = node.GetSegmentation()
    layers = [
        _values(segmentation.GetLayerDataObject(at, LABELMAP))
        for at in range(segmentation.GetNumberOfLayers(LABELMAP))
    ]

    def isPresent(name: str) -> bool:
        at = segmentation.GetLayerIndex(name, LABELMAP)
        return at >= 0 and segmentation.GetSegment(name).GetLabelValue() in layers[at]

    return tuple(name for name in segmentation.GetSegmentIDs() if isPresent(name))


def _values(image: Any) -> set[int]:
    """Label values that occur in a layer."""
    scalars = image.GetPointData().GetScalars()
    if scalars is None or scalars.GetNumberOfTuples() == 0:
        return set()
    labels = vtk_to_numpy(scalars)
    found = np.zeros(int(labels.max()) + 1, dtype=bool)
    found[labels] = True
    return {int(value) for value in np.flatnonzero(found)}


def _hex(color: Any) -> str:
    return "#" + "".join(f"{round(255 * level):02x}" for level in color)
