"""What the views show of a result: one tissue map at a time, looking as the one before it."""

from __future__ import annotations

from typing import Any

import slicer

from RetinaTriageSlicer import provenance

SURFACE = "Closed surface"


def isPresent(node: Any) -> bool:
    """Tell whether a node is in the scene."""
    return node is not None and bool(slicer.mrmlScene.IsNodePresent(node))


def showOnly(node: Any) -> None:
    """Show one tissue map and hide all others of RetinaTriage; what else is shown stays.

    The map takes over which tissues are visible, and how opaque, from the one shown before.
    """
    before = shownMap()
    for one in tissueMaps():
        display = one.GetDisplayNode()
        if display is not None and one is not node and display.GetVisibility():
            display.SetVisibility(False)
    if not isPresent(node):
        return
    node.CreateDefaultDisplayNodes()
    if before is not None and before is not node:
        copyLook(before, node)
    node.GetDisplayNode().SetVisibility(True)


def shownMap() -> Any:
    """Tissue map that is visible; None where none is."""
    for node in tissueMaps():
        display = node.GetDisplayNode()
        if display is not None and display.GetVisibility():
            return node
    return None


def tissueMaps() -> list[Any]:
    """All segmentation nodes of results in the scene."""
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        if node.GetAttribute(provenance.CASE)
    ]


def showSurfaces(node: Any, *, shown: bool) -> None:
    """Show or hide a tissue map in 3D views; its surfaces are made when first needed."""
    if not isPresent(node) or node.GetDisplayNode() is None:
        return
    if shown and not node.GetSegmentation().ContainsRepresentation(SURFACE):
        node.CreateClosedSurfaceRepresentation()
    node.GetDisplayNode().SetVisibility3D(shown)


def copyLook(source: Any, target: Any) -> None:
    """Give a map the views of another one, its segments the visibility and opacity of the other's.

    Where the two have no segment in common, opacity stays as it is.
    """
    look, display = source.GetDisplayNode(), target.GetDisplayNode()
    if look is None or display is None:
        return
    change = display.StartModify()
    display.RemoveAllViewNodeIDs()
    for view in look.GetViewNodeIDs():
        display.AddViewNodeID(view)
    known = set(source.GetSegmentation().GetSegmentIDs())
    if known.intersection(target.GetSegmentation().GetSegmentIDs()):
        _copyTissues(look, display, known, target)
    display.EndModify(change)


def _copyTissues(look: Any, display: Any, known: set[str], target: Any) -> None:
    display.SetOpacity2DFill(look.GetOpacity2DFill())
    display.SetOpacity2DOutline(look.GetOpacity2DOutline())
    display.SetOpacity3D(look.GetOpacity3D())
    for name in target.GetSegmentation().GetSegmentIDs():
        if name in known:
            display.SetSegmentVisibility(name, look.GetSegmentVisibility(name))
            display.SetSegmentVisibility2DFill(name, look.GetSegmentVisibility2DFill(name))
            display.SetSegmentVisibility2DOutline(name, look.GetSegmentVisibility2DOutline(name))
            display.SetSegmentVisibility3D(name, look.GetSegmentVisibility3D(name))
            display.SetSegmentOpacity2DFill(name, look.GetSegmentOpacity2DFill(name))
            display.SetSegmentOpacity3D(name, look.GetSegmentOpacity3D(name))
