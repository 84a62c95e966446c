"""Section of the maps: thickness of any tissue, the ETDRS grid around a fovea that can be moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.result import EnFaceArray, Fovea
from RetinaTriageSlicer import etdrs_overlay, shown_maps
from RetinaTriageSlicer.follow_up_part import FollowUpPart
from RetinaTriageSlicer.grid_numbers import COLUMNS, GridNumbers, gridNumbers, numberText
from RetinaTriageSlicer.map_nodes import RETINA_RANGE_UM, THICKNESS, UM, EnFaceMap
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.places import indexOf, pointOf
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.shown_case import readCase
from RetinaTriageSlicer.tissue_thickness import RETINA, CaseThickness, tissueChoices
from RetinaTriageSlicer.widgets import (
    Column,
    fillBox,
    fillTable,
    makeBox,
    makeButton,
    makeCheck,
    makeLabel,
    makeSection,
    makeTable,
)

MAP, TABLE = "chosen-map", "chosen-etdrs"
FOLLOW_MS = 40
CHANGED = ("PointModifiedEvent", "PointRemovedEvent")


class MapsSection(slicer.util.VTKObservationMixin):
    """Draws maps over the en-face projection; sector values follow the fovea."""

    def __init__(self, parameters: Callable[[], RetinaTriageParameterNode | None]) -> None:
        super().__init__()
        self._parameters = parameters
        self._nodes: ResultNodes | None = None
        self.thickness: CaseThickness | None = None
        self._fovea: Any = None
        self._map_um: EnFaceArray | None = None
        self._choices: list[tuple[str, str]] = []
        self._makeWidgets()
        self.followUp = FollowUpPart(self, parameters)
        self._timer = qt.QTimer()  # a fovea that is being dragged moves more often than is drawn
        self._timer.setSingleShot(True)
        self._timer.setInterval(FOLLOW_MS)
        self._timer.connect("timeout()", self.measure)

    @property
    def key(self) -> str:
        """Key of the chosen tissue."""
        at = max(0, self.tissueBox.currentIndex)
        return self._choices[at][0] if self._choices else RETINA

    def show(self, nodes: ResultNodes | None) -> None:
        """Show a result; its map is drawn when that is asked for."""
        self._observe(None)
        self._nodes, self.thickness, self._map_um = nodes, None, None
        fillTable(self.table, [])
        self.label.text = ""
        self.followUp.show(nodes)

    def problems(self) -> list[str]:
        """Every reason why there is no thickness."""
        if self._nodes is None:
            return [_("There is no result.")]
        try:
            self.read()
        except RetinaTriageError as error:
            return [forPanel(str(error))]
        return []

    def read(self) -> CaseThickness:
        """Read the tissue map that is measured, as it is now.

        Raises
        ------
        RetinaTriageError
            If it cannot be measured.
        """
        assert self._nodes is not None
        case = readCase(self._nodes, self._parameters())
        self.thickness = CaseThickness(case, self._nodes.consensus)
        if not self._choices:
            self._choices = tissueChoices(case)
            fillBox(self.tissueBox, [title for _key, title in self._choices])
        return self.thickness

    def draw(self) -> None:
        """Draw the chosen map with the grid, and measure it."""
        found = self.problems()
        if found or self._nodes is None or self.thickness is None:
            self.label.text = "\n".join(found)
            return
        case = self.thickness.case
        self._map_um = self.thickness.map_um(self.key)
        title = _("{tissue} thickness").format(tissue=self._title())
        node = shown_maps.replaceMap(
            case, MAP, f"{case.volumeNode.GetName()} {title}", _thicknessMap(title, self._map_um)
        )
        shown_maps.layOver(self._nodes.maps.get("enface"), node)
        self._onTissues()
        if self._fovea is None:
            self._observe(etdrs_overlay.foveaNode(self._nodes, self._automaticPoint))
        self.measure()

    def resetFovea(self) -> None:
        """Move the point to where the fovea is found automatically."""
        if self._fovea is None or self.thickness is None:
            self.draw()
        if self._fovea is not None and self._fovea.GetNumberOfControlPoints() > 0:
            self._fovea.SetNthControlPointPositionWorld(0, *self._automaticPoint())
            self.measure()

    def measure(self) -> None:
        """Measure the shown map around the point."""
        thickness, map_um = self.thickness, self._map_um
        if self._nodes is None or thickness is None or map_um is None:
            return
        fovea = self.center()
        if fovea is None:
            self.label.text = _("The fovea was deleted. Press Draw to have it found again.")
            self._observe(None)
            return
        case = thickness.case
        try:
            numbers = gridNumbers(case.volume, map_um, fovea)
        except RetinaTriageError as error:
            self.label.text = forPanel(str(error))
            return
        etdrs_overlay.drawGrid(
            etdrs_overlay.gridNode(self._nodes),
            case.grid,
            case.volume.shape,
            thickness.spacing,
            (fovea.bscan, fovea.width),
        )
        self._showNumbers(numbers)
        where = _("{tissue}, grid at B-scan {bscan:.1f}, A-scan {width:.0f} ({source}).").format(
            tissue=self._title(),
            bscan=fovea.bscan + 1,
            width=fovea.width + 1,
            source=fovea.source,
        )
        self.label.text = f"{where}\n{numbers.refused}" if numbers.refused else where

    def center(self) -> Fovea | None:
        """Fovea where the point is; None where there is no point."""
        if self._fovea is None or self.thickness is None:
            return None
        if self._fovea.GetNumberOfControlPoints() == 0:
            return None
        point = [0.0, 0.0, 0.0]
        self._fovea.GetNthControlPointPositionWorld(0, point)
        case = self.thickness.case
        bscan, _depth, width = indexOf(case.volumeNode, case.grid, case.volume.shape[1], point)
        return Fovea(bscan, width, 0.0, _("the point in the views"))

    def _showNumbers(self, numbers: GridNumbers) -> None:
        assert self._nodes is not None
        rows = numbers.rows
        texts = [[str(row[0]), *(numberText(cell) for cell in row[1:])] for row in rows]
        fillTable(self.table, texts, shownRows=len(texts))
        name = f"{self._nodes.volumeNode.GetName()} ETDRS grid, {self._title()}"
        shown_maps.writeTable(self._nodes, TABLE, name, COLUMNS, rows)

    def _automaticPoint(self) -> tuple[float, float, float]:
        assert self.thickness is not None
        case, fovea = self.thickness.case, self.thickness.fovea()
        depths = case.volume.shape[1]
        return pointOf(case.volumeNode, case.grid, depths, (fovea.bscan, depths / 2, fovea.width))

    def _title(self) -> str:
        return dict(self._choices).get(self.key, self.key).partition(":")[0]

    def _observe(self, node: Any) -> None:
        """Follow one point, or none."""
        self.removeObservers()
        self._fovea = node
        if node is not None:
            for name in CHANGED:
                self.addObserver(node, getattr(slicer.vtkMRMLMarkupsNode, name), self._onMoved)

    def _onMoved(self, _caller: Any, _event: str) -> None:
        self._timer.start()

    def _onTissue(self, _index: int = 0) -> None:
        if self._map_um is not None:
            self.draw()

    def _onTissues(self) -> None:
        if self._nodes is not None and self._map_um is not None:
            shown_maps.showTissuesOver(self._nodes, shown=self.tissuesCheck.checked)

    def _makeWidgets(self) -> None:
        self.button, form = makeSection(
            "mapsButton",
            _("Maps and follow-up"),
            _("Thickness of any tissue, sector values around the fovea, change since a visit."),
        )
        self.tissueBox = makeBox("mapTissueBox", _("Tissue whose thickness is drawn."))
        self._choices = []
        fillBox(self.tissueBox, [_("Retina: ILM to Bruch's membrane")])
        self.drawButton = makeButton(
            "mapDrawButton",
            _("Draw"),
            _(
                "Draw the thickness over the en-face projection, with the ETDRS grid and a point "
                "at the fovea. Drag the point: all values follow."
            ),
        )
        self.resetButton = makeButton(
            "mapResetButton",
            _("Find the fovea"),
            _("Move the point back to where the fovea is found automatically."),
        )
        self.tissuesCheck = makeCheck(
            "mapTissuesCheck",
            _("Show the tissues over the map"),
            _("Outlines of the tissues in the coronal view, which shows the map, too."),
            checked=False,
        )
        self.label = makeLabel("mapLabel", _("Where the grid lies, or why there is none."))
        self.table = makeTable(
            "mapTable",
            _("Mean thickness of the ETDRS sectors, and volumes in circles around the fovea."),
            (
                Column(
                    _("Region"),
                    _(
                        "C0 is the center; S, N, I, T are superior, nasal, inferior, temporal; "
                        "1 and 2 are the inner and outer ring. Circles go by their diameter."
                    ),
                ),
                Column(_("Mean (\u00b5m)"), _("Mean thickness of the sector.")),
                Column(_("Scanned (%)"), _("Share of the sector that was scanned.")),
                Column(_("Volume (nl)"), _("Volume in the circle; 1 nl is 0.001 mm3.")),
            ),
        )
        self.form = form
        form.addRow(_("Tissue:"), self.tissueBox)
        form.addRow(self.drawButton, self.resetButton)
        form.addRow(self.tissuesCheck)
        form.addRow(self.label)
        form.addRow(self.table)
        self.tissuesCheck.connect("toggled(bool)", lambda _shown: self._onTissues())
        self.drawButton.connect("clicked()", self.draw)
        self.resetButton.connect("clicked()", self.resetFovea)
        self.tissueBox.connect("currentIndexChanged(int)", self._onTissue)


def _thicknessMap(title: str, map_um: EnFaceArray) -> EnFaceMap:
    """Map in the colors of scanners; thinner tissues get a range of their own."""
    known = map_um[map_um == map_um]  # NaN is not
    most = float(known.max()) if known.size else 1.0
    low, high = RETINA_RANGE_UM
    shown = (low, high) if low < most <= 2 * high else (0.0, max(most, 1.0))
    return EnFaceMap("chosen", title, map_um, UM, THICKNESS, shown)
