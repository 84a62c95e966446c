"""Slicer's Segment Editor: opened on a map, and the events that tell of its edits."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _


def openSegmentEditor(node: Any, volumeNode: Any) -> None:
    """Show a map in the Segment Editor, over its volume where that is still there.

    Raises
    ------
    RuntimeError
        If there is no main window, or no Segment Editor.
    """
    module = getattr(slicer.modules, "segmenteditor", None)
    if module is None:
        raise RuntimeError(_("this application has none."))
    slicer.util.selectModule("SegmentEditor")
    editor = module.widgetRepresentation().self().editor
    editor.setSegmentationNode(node)
    if volumeNode is not None:
        editor.setSourceVolumeNode(volumeNode)


def editEvents() -> tuple[int, ...]:
    """Events of a segmentation that is edited."""
    events = slicer.vtkSegmentation
    return (
        events.SourceRepresentationModified,
        events.RepresentationModified,
        events.SegmentRemoved,
    )
