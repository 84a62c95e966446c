"""Part of the maps section that compares the shown scan with another visit of the same eye."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.measures.enface import enface_projection
from RetinaTriageLib.measures.etdrs import sector_means
from RetinaTriageLib.measures.etdrs_grid import etdrs_grid
from RetinaTriageLib.measures.follow_up import FollowUp, Visit, follow_up
from RetinaTriageSlicer import shown_maps
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.scene import ResultNodes, findResults
from RetinaTriageSlicer.shown_case import readCase
from RetinaTriageSlicer.tissue_thickness import CaseThickness
from RetinaTriageSlicer.widgets import (
    Column,
    fillBox,
    fillTable,
    makeBox,
    makeButton,
    makeLabel,
    makeTable,
)

CHANGE, TABLE, CHART = "change-map", "change-table", "change-chart"
BEFORE, NOW, CHANGED = "earlier_um", "shown_um", "change_um"


class FollowUpPart:
    """Change since an earlier visit, on the lattice of the shown scan.

    Parameters
    ----------
    maps : the section, whose tissue, fovea and tissue map count
    """

    def __init__(
        self, maps: Any, parameters: Callable[[], RetinaTriageParameterNode | None]
    ) -> None:
        self._maps, self._parameters = maps, parameters
        self._nodes: ResultNodes | None = None
        self._visits: list[ResultNodes] = []
        self.visitBox = makeBox(
            "visitBox", _("Result of an earlier scan of the same eye in this scene.")
        )
        self.compareButton = makeButton(
            "compareButton",
            _("Compare"),
            _(
                "Lay the earlier scan on the shown one by fovea and rotation, and draw what has "
                "changed in the tissue that is chosen above."
            ),
        )
        self.label = makeLabel("compareLabel", _("How the scans were laid on one another."))
        self.table = makeTable(
            "compareTable",
            _("Change from the earlier scan to the shown one, where both show the retina."),
            (
                Column(_("Region"), _("ETDRS sector, or circle by its diameter.")),
                Column(_("Earlier"), _("Value of the earlier scan, in the unit of the row.")),
                Column(_("Shown"), _("Value of the shown scan, in the unit of the row.")),
                Column(_("Change"), _("Shown less earlier, in the unit of the row.")),
                Column(_("Unit"), _("um is the mean thickness, nl the volume.")),
            ),
        )
        form = maps.form
        form.addRow(_("Earlier visit:"), self.visitBox)
        form.addRow(self.compareButton)
        form.addRow(self.label)
        form.addRow(self.table)
        self.compareButton.connect("clicked()", self.compare)

    def show(self, nodes: ResultNodes | None) -> None:
        """Offer the results of other scans."""
        self._nodes = nodes
        self._visits = (
            []
            if nodes is None
            else [
                one
                for one in findResults()
                if one.volumeNode is not None and one.volumeNode is not nodes.volumeNode
            ]
        )
        fillBox(self.visitBox, [one.consensus.GetName() for one in self._visits])
        self.visitBox.enabled = self.compareButton.enabled = bool(self._visits)
        self.label.text = (
            "" if self._visits else _("There is no result of another scan in this scene.")
        )
        fillTable(self.table, [])

    def compare(self) -> None:
        """Draw and list what has changed since the chosen visit."""
        if not self._visits or self._nodes is None:
            return
        earlier = self._visits[max(0, self.visitBox.currentIndex)]
        try:
            self._maps.draw()
            now: CaseThickness | None = self._maps.thickness
            fovea = self._maps.center()
            if now is None or fovea is None:
                self.label.text = self._maps.label.text
                return
            before = CaseThickness(readCase(earlier, self._parameters()), earlier.consensus)
            key = self._maps.key
            first = Visit(now.case.volume, fovea, enface_projection(now.case.volume.voxels))
            second = Visit(
                before.case.volume, before.fovea(), enface_projection(before.case.volume.voxels)
            )
            now_um = now.map_um(key)
            found = follow_up(first, second, now_um, before.map_um(key))
            rows = _rows(found, first, now_um)
        except RetinaTriageError as error:
            self.label.text = forPanel(str(error))
            return
        self._showMap(now, found)
        self._showRows(rows)
        turned, match = found.registration.rotation_degrees, found.registration.correlation
        self.label.text = (
            (
                _("The scans share too little to find a rotation; laid by the fovea alone.")
                if math.isnan(match)
                else _(
                    "Turned by {degrees:.1f} degrees; the pictures correlate by {match:.2f}."
                ).format(degrees=turned, match=match)
            )
            + " "
            + _("{share:.0f} % of the shown scan is compared.").format(
                share=100 * found.shared["all"]
            )
        )

    def _showMap(self, now: CaseThickness, found: FollowUp) -> None:
        assert self._nodes is not None
        title = _("Change of thickness")
        name = f"{now.case.volumeNode.GetName()} {title}"
        one = shown_maps.changeMap(title, -found.change_um)  # ours goes from earlier to shown
        node = shown_maps.replaceMap(now.case, CHANGE, name, one)
        shown_maps.layOver(self._nodes.maps.get("enface"), node)

    def _showRows(self, rows: list[tuple[str, float, float, str]]) -> None:
        assert self._nodes is not None
        texts = [
            [name, f"{before:.1f}", f"{after:.1f}", f"{after - before:+.1f}", unit]
            for name, before, after, unit in rows
        ]
        fillTable(self.table, texts, shownRows=len(texts))
        columns = (("region", ""), (BEFORE, "um"), (NOW, "um"), (CHANGED, "um"))
        sectors = [
            [name, before, after, after - before]
            for name, before, after, unit in rows
            if unit != "nl"
        ]
        circles = [
            [name, before, after, after - before]
            for name, before, after, unit in rows
            if unit == "nl"
        ]
        base = self._nodes.volumeNode.GetName()
        table = shown_maps.writeTable(
            self._nodes, TABLE, f"{base} change of thickness", columns, sectors
        )
        shown_maps.writeTable(
            self._nodes,
            TABLE + "-volumes",
            f"{base} change of volume",
            (("region", ""), ("earlier_nl", "nL"), ("shown_nl", "nL"), ("change_nl", "nL")),
            circles,
        )
        shown_maps.makeChart(self._nodes, CHART, f"{base} change", table, "region", (BEFORE, NOW))


def _rows(found: FollowUp, first: Visit, now_um: Any) -> list[tuple[str, float, float, str]]:
    """Region, earlier and shown value, and unit; only places that both scans show count."""
    rows = []
    if found.sectors_um:
        both = found.change_um + now_um  # the earlier map where both are known, else NaN
        grid = etdrs_grid(first.volume, first.fovea)
        earlier, shown = sector_means(grid, both), sector_means(grid, both - found.change_um)
        rows = [(name, earlier[name], shown[name], "\u00b5m") for name in found.sectors_um]
    return rows + [
        (name, before, after, "nl") for name, (after, before) in found.volumes_nl.items()
    ]
