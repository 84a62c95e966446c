"""The fovea that the user has put somewhere: what is measured around it follows the point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.result import Fovea
from RetinaTriageSlicer.browser_scan import MapScan, mapScan
from RetinaTriageSlicer.etdrs_overlay import findFovea
from RetinaTriageSlicer.places import indexOf
from RetinaTriageSlicer.scene import ResultNodes

SETTLED_MS = 400
MOVED = ("PointModifiedEvent", "PointRemovedEvent")


def placedScan(node: Any, result: ResultNodes) -> MapScan:
    """Scan of a tissue map, measured around the point of its result where there is one."""
    scan = mapScan(node)
    point = findFovea(result)
    if point is None:
        return scan
    position = [0.0, 0.0, 0.0]
    point.GetNthControlPointPositionWorld(0, position)
    bscan, _depth, width = indexOf(node, scan.grid, scan.shape[1], position)
    fovea = Fovea(bscan, width, 0.0, _("the point in the views"))
    return replace(scan, place=replace(scan.place, fovea=fovea))


class FoveaWatch(slicer.util.VTKObservationMixin):
    """Tells when the point of a result has moved, once it stays where it is."""

    def __init__(self, onMoved: Callable[[], object]) -> None:
        super().__init__()
        self._point: Any = None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLED_MS)
        self._timer.connect("timeout()", onMoved)

    def follow(self, result: ResultNodes | None) -> None:
        """Follow the point of this result, if it has one; nothing else any more."""
        point = None if result is None else findFovea(result)
        if point is self._point:
            return
        self.removeObservers()
        self._timer.stop()
        self._point = point
        if point is not None:
            for name in MOVED:
                self.addObserver(point, getattr(slicer.vtkMRMLMarkupsNode, name), self._onMoved)

    def _onMoved(self, _caller: Any, _event: str) -> None:
        self._timer.start()
