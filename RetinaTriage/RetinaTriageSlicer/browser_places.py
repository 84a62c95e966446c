"""Places worth a look: fluid pockets of the chosen map, and where hypotheses disagree most."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import qt
from slicer.i18n import tr as _

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.measures.volumes import NL_PER_MM3
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.tissues import TISSUES, TissueGroup
from RetinaTriageSlicer.browser_opinions import CaseOpinions
from RetinaTriageSlicer.browser_scan import MapScan, foveaText, mapScan
from RetinaTriageSlicer.browser_views import isPresent
from RetinaTriageSlicer.chosen_fovea import FoveaWatch, placedScan
from RetinaTriageSlicer.edited_map import editTime, readTissueMap
from RetinaTriageSlicer.places import jumpTo, pointOf
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.widgets import (
    Column,
    fillTable,
    makeBox,
    makeLabel,
    makeTable,
    stretchNames,
)

if TYPE_CHECKING:  # it loads SciPy
    from RetinaTriageLib.measures.places import Frame, Place

POCKETS, DISAGREEMENTS = 0, 1
FLUIDS = tuple(
    tissue.label
    for tissue in TISSUES
    if tissue.group is TissueGroup.FLUID or tissue.name == "serous_ped"
)
TITLES = {tissue.label: tissue.title for tissue in TISSUES}
OUTSIDE = (TissueGroup.VITREOUS, TissueGroup.CHOROID, TissueGroup.ARTIFACT)
SAME_OUTSIDE = np.array(
    [0 if tissue.group in OUTSIDE else tissue.label for tissue in TISSUES], np.uint8
)
"""Label to label; what maps call the vitreous, the choroid and artifacts is one to them here."""

SETTLED_MS = 200
SMALLEST_VOXELS = 8
MOST_ROWS = 100


class PlaceList:
    """Table of places; the views jump to the current one."""

    def __init__(self, form: Any, onPlace: Callable[[], object]) -> None:
        self._onPlace = onPlace
        self._result: ResultNodes | None = None
        self._nodes: tuple[Any, ...] = ()
        self._chosen: Any = None
        self._places: tuple[Place, ...] = ()
        self._key: tuple[Any, ...] = ()
        self._fovea = FoveaWatch(self.refresh)
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLED_MS)
        self._timer.connect("timeout()", self.refresh)
        self.kindBox = makeBox("placesBox", _("What the list below holds."))
        for title in (
            _("Fluid pockets of the chosen map"),
            _("Where hypotheses disagree on the retina"),
        ):
            self.kindBox.addItem(title)
        self.table = makeTable(
            "placesTable",
            _(
                "Choose a row to move all slice views there; arrow keys work. Regions of fewer "
                "than {count} voxels are left out."
            ).format(count=SMALLEST_VOXELS),
            (
                Column(_("Tissue"), _("Tissue of the pocket, or what maps disagree on.")),
                Column(_("Volume (nL)"), _("Volume; voxels (vx) where spacing is unknown.")),
                Column(_("B-scan"), _("B-scan that shows most of it, from 1; and its range.")),
                Column(_("ETDRS"), _("Sector that most of it lies in: ring 1 or 2 of S, N, I, T.")),
            ),
        )
        self.label = makeLabel("placesLabel", _("What the list holds."))
        form.addRow(makeLabel("placesTitle", _("What to list."), _("Places:")), self.kindBox)
        form.addRow(self.table)
        form.addRow(self.label)
        self.kindBox.connect("currentIndexChanged(int)", lambda _at: self.refresh())
        self.table.connect("currentCellChanged(int,int,int,int)", self._onCell)
        self.table.connect("cellClicked(int,int)", lambda row, _column: self._jump(row))

    @property
    def current(self) -> Place | None:
        """Pocket that is chosen in the list; None where none is."""
        row = self.table.currentRow()
        if self.kindBox.currentIndex != POCKETS or not 0 <= row < len(self._places):
            return None
        return self._places[row]

    def show(self, result: ResultNodes | None, case: CaseOpinions | None) -> None:
        """List places of a case."""
        self._result = result
        rows = () if case is None else case.rows[1:]
        self._nodes = tuple(one.node for one in rows if one.node is not None and not one.edited)
        self._fovea.follow(result)
        self._timer.start()

    def forget(self) -> None:
        """Let go of the scene, which is being closed."""
        self._timer.stop()
        self._fovea.follow(None)
        self._result = self._chosen = None
        self._nodes = ()

    def choose(self, node: Any) -> None:
        """List the pockets of this map, once the user stays with it."""
        self._chosen = node
        self._timer.start()

    def refresh(self) -> None:
        """Find the places again where the maps have changed."""
        nodes = self._sources()
        self._timer.stop()
        key = (
            self.kindBox.currentIndex,
            [foveaText(one) for one in self._foveas(nodes)],
            *((one.GetID(), editTime(one)) for one in nodes),
        )
        if key == self._key:
            return
        self._key = key
        self._places, note = self._find(nodes)
        self.table.blockSignals(True)
        fillTable(self.table, [_cells(one) for one in self._places[:MOST_ROWS]], 6)
        stretchNames(self.table)
        self.table.setCurrentCell(-1, -1)
        self.table.blockSignals(False)
        self.label.text = note or self._summary()

    def _sources(self) -> list[Any]:
        pockets = self.kindBox.currentIndex == POCKETS
        nodes = (self._chosen,) if pockets else self._nodes
        return [one for one in nodes if isPresent(one)] if self._result is not None else []

    def _foveas(self, nodes: list[Any]) -> list[Fovea]:
        """Fovea that the sectors lie around, if it is known."""
        if not nodes or self._result is None:
            return []
        fovea = placedScan(nodes[0], self._result).place.fovea
        return [] if fovea is None else [fovea]

    def _find(self, nodes: list[Any]) -> tuple[tuple[Place, ...], str]:
        from RetinaTriageLib.measures.places import find_disagreements, find_pockets

        if not nodes or self._result is None:
            return (), ""
        try:
            scan = placedScan(nodes[0], self._result)
            maps = [readTissueMap(one, scan) for one in nodes]
        except RetinaTriageError as error:
            return (), forPanel(str(error))
        if self.kindBox.currentIndex == POCKETS:
            return find_pockets(maps[0], FLUIDS, frameOf(scan), SMALLEST_VOXELS), ""
        quiet = [SAME_OUTSIDE[one] for one in maps]
        return find_disagreements(quiet, frameOf(scan), SMALLEST_VOXELS), ""

    def _summary(self) -> str:
        if not self._sources():
            return ""
        count = len(self._places)
        if self.kindBox.currentIndex == DISAGREEMENTS:
            if len(self._nodes) < 2:
                return _("There is one hypothesis only, so none disagrees.")
            return _("Regions: {count}, those of most disagreement first.").format(count=count)
        total = sum(one.volume_mm3 or 0.0 for one in self._places) * NL_PER_MM3
        if any(one.volume_mm3 is None for one in self._places) or not count:
            return _("Pockets: {count}.").format(count=count)
        return _("Pockets: {count}, {total:.1f} nL together.").format(count=count, total=total)

    def _onCell(self, row: int, _column: int, before: int, _beforeColumn: int) -> None:
        if row != before:
            self._jump(row)

    def _jump(self, row: int) -> None:
        if not 0 <= row < len(self._places) or self._result is None:
            return
        node = next(iter(self._sources()), None)
        if node is not None:
            scan = mapScan(node)
            jumpTo(pointOf(node, scan.grid, scan.shape[1], self._places[row].at))
        self._onPlace()


def frameOf(scan: MapScan) -> Frame:
    """Turn what is known of a scan into what places are measured with."""
    from RetinaTriageLib.measures.etdrs_grid import etdrs_grid
    from RetinaTriageLib.measures.map_measures import map_scan
    from RetinaTriageLib.measures.places import Frame

    sectors = None
    if scan.place.fovea is not None and scan.spacing is not None:
        try:
            volume = map_scan(scan.shape, scan.spacing, scan.place)
            sectors = etdrs_grid(volume, scan.place.fovea).sectors
        except RetinaTriageError:  # no eye side, or no raster: places have no sector then
            sectors = None
    return Frame(scan.spacing, sectors)


def _cells(place: Place) -> tuple[str, str, str, str]:
    if place.label is None:
        what = _("disagreement {entropy:.2f} bit").format(entropy=place.entropy / np.log(2))
    else:
        what = TITLES.get(place.label, str(place.label))
    size = (
        _("{count} vx").format(count=place.voxels)
        if place.volume_mm3 is None
        else f"{place.volume_mm3 * NL_PER_MM3:.2f}"
    )
    bscan, first, last = place.at[0] + 1, place.first_bscan + 1, place.last_bscan + 1
    reach = f"{bscan}" if first == last else f"{bscan} ({first}-{last})"
    return what, size, reach, place.sector
