"""Section that explains a score: what it would be without each region of the tissue map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.explain.explanation import (
    Explanation,
    RegionEffect,
    ranked_effects,
)
from RetinaTriageLib.volume import LabelArray, VoxelSpacing
from RetinaTriageLib.worker.messages import ExplainRequest, PatientFacts
from RetinaTriageSlicer import explain_table
from RetinaTriageSlicer.edited_map import isEdited
from RetinaTriageSlicer.explain_words import (
    ExplainedScore,
    effectRow,
    explainedHeads,
    explainedScores,
    explanationText,
)
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.places import jumpTo, pointOf
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.run_settings import patientFacts
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.section_job import SectionJob
from RetinaTriageSlicer.shown_case import ShownCase, bundleName, readCase
from RetinaTriageSlicer.widgets import (
    Column,
    fillBox,
    fillTable,
    makeBox,
    makeButton,
    makeLabel,
    makeProgress,
    makeSection,
    makeTable,
)


class ExplainSection:
    """Lists the regions of one map by what the chosen score owes them."""

    def __init__(
        self,
        logic: Callable[[], Any],
        parameters: Callable[[], RetinaTriageParameterNode | None],
    ) -> None:
        self._logic, self._parameters = logic, parameters
        self._nodes: ResultNodes | None = None
        self._case: ShownCase | None = None
        self._explanation: Explanation | None = None
        self._scores: tuple[ExplainedScore, ...] = ()
        self._shown: tuple[tuple[RegionEffect, float], ...] = ()
        self._makeWidgets()

    @property
    def job(self) -> Any:
        """What the worker is at; None while nothing was asked."""
        return self._work.job

    def show(self, nodes: ResultNodes | None) -> None:
        """Show a result: its maps to choose from, and what was explained before."""
        self._work.stop()
        self._nodes, self._case = nodes, None
        self.showMaps()

    def showMaps(self) -> None:
        """Offer the maps that the scene has now, and show the chosen one."""
        maps = () if self._nodes is None else self._nodes.tissueMaps
        fillBox(self.mapBox, [one.GetName() for one in maps])
        self._onMap()

    def problems(self) -> list[str]:
        """Every reason why the chosen map cannot be explained."""
        if self._nodes is None:
            return [_("There is no result to explain.")]
        try:
            case = self._readCase()
        except RetinaTriageError as error:
            return [forPanel(str(error))]
        if case.bundle is None:
            return [
                _("{bundle} made this result and is not at hand: choose it under Inputs.").format(
                    bundle=bundleName(self._nodes)
                )
            ]
        return []

    def start(self) -> None:
        """Have the chosen map judged again without each of its regions; or stop that."""
        if self.job is not None:
            self._work.stop()
            return
        self._case = None  # what is stated under Inputs may have changed
        found = self.problems()
        if found:
            self.status.text = "\n".join(found)
            return
        case, parameters, mapNode = self._readCase(), self._parameters(), self._map()
        request = ExplainRequest(
            case.labels(mapNode),
            case.volume.spacing,
            case.bundle,
            compute="auto" if parameters is None else parameters.compute.value,
            operating_point=mapNode.GetAttribute(PREFIX + "OperatingPoint") or "balanced",
            patient=PatientFacts() if parameters is None else patientFacts(parameters),
        )
        self._work.start(
            request,
            _("Looking for regions ..."),
            lambda answer: self._onResult(answer, mapNode, case, request.tissue_map),
        )

    def _onResult(
        self, answer: Explanation, mapNode: Any, case: ShownCase, explained: LabelArray
    ) -> None:
        if slicer.mrmlScene.IsNodePresent(mapNode) and case.volumeNode is not None:
            heads = explainedHeads(answer)
            table = explain_table.writeExplanation(answer, heads, mapNode, case.nodes)
            explain_table.markExplained(table, explained)
        self._onMap()

    def _onMap(self, _index: int = 0) -> None:
        """Show what is known of the chosen map."""
        mapNode = self._map()
        table = None
        if mapNode is not None and self._nodes is not None:
            table = explain_table.findExplanation(mapNode, self._nodes)
        if table is not None and isEdited(mapNode) and not self._isOf(table, mapNode):
            self.status.text = _("The map was edited since it was explained; explain it again.")
            table = None
        self._explanation = None if table is None else explain_table.readExplanation(table)
        self._scores = () if self._explanation is None else explainedScores(self._explanation)
        fillBox(self.scoreBox, [score.text for score in self._scores])
        self.scoreBox.enabled = bool(self._scores)
        self._onScore()

    def _isOf(self, table: Any, mapNode: Any) -> bool:
        """Tell whether a map is still the one that was explained."""
        try:
            return explain_table.isOf(table, self._readCase().labels(mapNode))
        except RetinaTriageError:
            return False

    def _onScore(self, _index: int = 0) -> None:
        """List the regions by what the chosen score owes them."""
        self._shown = ()
        explanation = self._explanation
        if explanation is None or not self._scores:
            fillTable(self.table, [])
            return
        score = self._scores[max(0, self.scoreBox.currentIndex)]
        self._shown = ranked_effects(explanation, score.head, score.outcome)
        spacing = self._spacing()
        fillTable(self.table, [effectRow(score, *one, spacing) for one in self._shown])
        self.status.text = explanationText(explanation, score, self._shown)

    def _spacing(self) -> VoxelSpacing | None:
        try:
            return self._readCase().volume.spacing
        except RetinaTriageError:
            return None

    def _onRow(self) -> None:
        """Show the place of the chosen region in the views."""
        row = self.table.currentRow()
        if not 0 <= row < len(self._shown) or self._nodes is None:
            return
        region = self._shown[row][0].region
        case = self._readCase()
        index = (region.bscan, region.depth, region.width)
        jumpTo(pointOf(case.volumeNode, case.grid, case.volume.shape[1], index))

    def _readCase(self) -> ShownCase:
        assert self._nodes is not None
        if self._case is None:
            self._case = readCase(self._nodes, self._parameters())
        return self._case

    def _map(self) -> Any:
        if self._nodes is None:
            return None
        maps = self._nodes.tissueMaps
        return maps[max(0, min(self.mapBox.currentIndex, len(maps) - 1))] if maps else None

    def _makeWidgets(self) -> None:
        self.button, form = makeSection(
            "explainButton",
            _("What the scores rest on"),
            _("Takes one region out of a tissue map at a time and has the map judged again."),
        )
        self.mapBox = makeBox("explainMapBox", _("Tissue map whose regions are taken out."))
        self.runButton = makeButton(
            "explainRunButton",
            _("Explain"),
            _(
                "Judge the map again without each of its largest regions, such as a pocket of "
                "fluid, which is set to the tissue that surrounds it."
            ),
        )
        self.progress = makeProgress("explainProgress", _("How many of the maps have been judged."))
        self.scoreBox = makeBox("explainScoreBox", _("Score that the regions are sorted by."))
        self.status = makeLabel(
            "explainLabel", _("What the chosen score owes most, or why nothing can be explained.")
        )
        self._work = SectionJob(
            self._logic,
            self.runButton,
            self.progress,
            self.status,
            _("Judged {done} of {total} maps."),
        )
        self.table = makeTable(
            "explainTable",
            _("Regions by the change of the score without them; choose one to go there."),
            (
                Column(
                    _("Region"), _("Tissue of the region, or all regions of a tissue together.")
                ),
                Column(_("Score without"), _("The score, 0 to 1, of the map without the region.")),
                Column(_("Change"), _("Score without the region, less that of the whole map.")),
                Column(_("Volume (nl)"), _("Volume of the region; 1 nl is 0.001 mm3.")),
                Column(_("B-scans"), _("First and last B-scan of the region, counted from 1.")),
            ),
        )
        form.addRow(_("Map:"), self.mapBox)
        form.addRow(self.runButton)
        form.addRow(self.progress)
        form.addRow(_("Score:"), self.scoreBox)
        form.addRow(self.status)
        form.addRow(self.table)
        self.runButton.connect("clicked()", self.start)
        self.mapBox.connect("currentIndexChanged(int)", self._onMap)
        self.scoreBox.connect("currentIndexChanged(int)", self._onScore)
        self.table.connect("itemSelectionChanged()", self._onRow)
