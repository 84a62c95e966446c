"""Edit a tissue map and have it judged again: what changes, against the map it was made from."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageSlicer.browser_scan import mapScan
from RetinaTriageSlicer.browser_views import isPresent
from RetinaTriageSlicer.change_tables import ChangeTables, largestChange
from RetinaTriageSlicer.chosen_fovea import FoveaWatch
from RetinaTriageSlicer.edited_map import isEdited, makeEditedCopy, readTissueMap
from RetinaTriageSlicer.edited_map_tables import scoreChanges, sizeChanges
from RetinaTriageSlicer.hypothesis_browser import HypothesisBrowser
from RetinaTriageSlicer.judge_again_jobs import EditedCase, Judging
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.run_settings import RunSettings, bundlePath, patientFacts
from RetinaTriageSlicer.segment_editor import editEvents, openSegmentEditor
from RetinaTriageSlicer.shown_case import bundleOf
from RetinaTriageSlicer.widgets import makeButton, makeCheck, makeLabel, makeSection

AFTER_EDIT_MS = 700
STATUS_MS = 6000


class JudgeAgain(slicer.util.VTKObservationMixin):
    """Collapsible section below the browser; works on the map that is chosen there."""

    def __init__(self, browser: HypothesisBrowser, logic: Any, parameters: Any) -> None:
        super().__init__()
        self._browser, self._logic, self._parameters = browser, logic, parameters
        self._judging = Judging(logic, self._onJudged, self._onError)
        self._observed: Any = None
        self._fovea = FoveaWatch(self._onFovea)
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(AFTER_EDIT_MS)
        self._timer.connect("timeout()", self._onSettled)
        self.button, form = makeSection(
            "judgeAgainButton",
            _("Edit and judge again"),
            _("Correct a copy of a tissue map and see what the classifiers say of it then."),
        )
        self.editButton = makeButton("editMapButton", _("Edit a copy"), "")
        self.removeButton = makeButton("removePocketButton", _("Remove the chosen pocket"), "")
        self.judgeButton = makeButton("judgeButton", _("Judge again"), "")
        self.judgeButton.shortcut = qt.QKeySequence("Ctrl+Shift+J")
        self.autoCheck = makeCheck(
            "autoJudgeCheck",
            _("Judge after every edit"),
            _("Judge the edited map by itself, as soon as an edit is done."),
            checked=False,
        )
        self.holesCheck = makeCheck(
            "closeHolesCheck",
            _("Erased holes become what surrounds them"),
            _(
                "What was erased inside the tissues takes the nearest tissue of its B-scan before "
                "the map is judged; otherwise it counts as vitreous."
            ),
            checked=True,
        )
        self.statusLabel = makeLabel("judgeStatus", _("What became of the last judgement."))
        self._changes = ChangeTables()
        self.scoreTable, self.sizeTable = self._changes.tables
        for widgets in ((self.editButton, self.removeButton), (self.judgeButton, self.autoCheck)):
            row = qt.QHBoxLayout()
            for widget in widgets:
                row.addWidget(widget)
            form.addRow(row)
        for widget in (self.holesCheck, self.statusLabel, self.scoreTable, self.sizeTable):
            form.addRow(widget)
        self.editButton.connect("clicked()", self.edit)
        self.removeButton.connect("clicked()", self.removePocket)
        self.judgeButton.connect("clicked()", self.judge)
        self.button.connect("contentsCollapsed(bool)", lambda _collapsed: self.refresh())
        browser.onChoice = self.refresh
        self.addObserver(
            slicer.mrmlScene,
            slicer.vtkMRMLScene.StartCloseEvent,
            lambda _caller, _event: self.forget(),
        )
        self.refresh()

    @property
    def busy(self) -> bool:
        """Tell whether a map is being judged."""
        return self._judging.busy

    @property
    def waiting(self) -> bool:
        """Tell whether an edit is to be judged as soon as it has settled."""
        return bool(self._timer.active)

    def refresh(self) -> None:
        """Show what is known of the chosen map."""
        node = self._browser.chosenMap
        self.button.setVisible(self._browser.case is not None)
        self._observe(node if isEdited(node) else None)
        self._fovea.follow(self._browser.result)
        self._showButtons(node)
        edited = isEdited(node)
        scores = scoreChanges(node) if edited else {}
        sizes = sizeChanges(node) if edited else {}
        self._changes.show(scores, sizes, visible=not self.button.collapsed)

    def forget(self) -> None:
        """Let go of the scene, which is being closed."""
        self._timer.stop()
        self._observe(None)
        self._fovea.follow(None)
        self._judging.forget()
        self.statusLabel.text = ""
        self.button.setVisible(False)

    def cleanup(self) -> None:
        """Let go of everything, as the module goes."""
        self.forget()
        self.removeObservers()

    def edit(self) -> None:
        """Open the chosen map in the Segment Editor: a copy of it, unless it is one already."""
        node = self.copyChosen()
        if node is None:
            return
        try:
            openSegmentEditor(node, self._result().volumeNode)
        except RuntimeError as error:
            self._say(_("The Segment Editor cannot be opened: {why}").format(why=error))
            return
        self._say(_("Edit {map}, then come back and judge it again.").format(map=node.GetName()))
        self._try(lambda: self._judging.prepare(self._case(node)))

    def removePocket(self) -> None:
        """Give the chosen pocket the tissue around it, in a copy, and judge that."""
        from RetinaTriageLib.labels.surroundings import fill_from_around
        from RetinaTriageLib.measures.places import region_at

        place, node = self._browser.places.current, self.copyChosen()
        if place is None or node is None:
            return
        scan = mapScan(node)
        labels = readTissueMap(node, scan)
        if labels[place.at] != place.label:
            self._browser.places.refresh()
            self._say(_("The pocket is not in {map} any more.").format(map=node.GetName()))
            return
        self._judging.write(node, fill_from_around(labels, region_at(labels, place.at)), scan)
        self._browser.places.refresh()
        self.judge()

    def judge(self) -> None:
        """Judge the chosen map, if it is an edited one; the views stay as they are."""
        node = self._browser.chosenMap
        if isEdited(node):
            self._say(_("Judging {map} ...").format(map=node.GetName()))
            self._try(lambda: self._judging.judge(self._case(node)))
            self._showButtons(node)

    def copyChosen(self) -> Any:
        """Chosen map if it is a copy, else a new copy of it, which is then chosen."""
        source = self._browser.chosenMap
        if source is None or isEdited(source):
            return source
        node = makeEditedCopy(self._result(), source)
        self._browser.chooseMap(node)
        return node

    def _result(self) -> Any:
        assert self._browser.result is not None  # a map is chosen
        return self._browser.result

    def _case(self, node: Any) -> EditedCase:
        parameters = self._parameters() or self._logic().getParameterNode()
        result = self._result()
        bundle = bundleOf(result, parameters) or bundlePath(parameters)
        settings = RunSettings(bundle, parameters.compute.value, patient=patientFacts(parameters))
        return EditedCase(node, result, settings, bool(self.holesCheck.checked))

    def _try(self, work: Any) -> None:
        try:
            work()
        except RetinaTriageError as error:
            self._onError(error)

    def _onJudged(self, node: Any) -> None:
        text = _("Judged again: {what}").format(what=largestChange(scoreChanges(node)))
        slicer.util.showStatusMessage(text, STATUS_MS)  # seen in the Segment Editor too
        self._browser.refresh()
        self.refresh()
        self._say(text)

    def _onError(self, error: RetinaTriageError) -> None:
        self._say(forPanel(str(error)))
        self._showButtons(self._browser.chosenMap)

    def _onEdit(self, _caller: Any, _event: str) -> None:
        if not self._judging.writing and self.autoCheck.checked:
            self._timer.start()

    def _onSettled(self) -> None:
        node = self._browser.chosenMap
        if not isEdited(node) or not isPresent(node):
            return
        self._try(lambda: self._judging.changed(node) and self.judge())

    def _onFovea(self) -> None:
        """Measure around the point that was moved, and so judge, what was judged before."""
        node = self._browser.chosenMap
        if isEdited(node) and scoreChanges(node):
            self.judge()

    def _observe(self, node: Any) -> None:
        """Follow the edits of one map."""
        if node is self._observed:
            return
        for event in editEvents():
            if self._observed is not None:
                self.removeObserver(self._observed.GetSegmentation(), event, self._onEdit)
            if node is not None:
                self.addObserver(node.GetSegmentation(), event, self._onEdit)
        self._observed = node

    def _showButtons(self, node: Any) -> None:
        """Enable what can be done; the tooltips say why something cannot."""
        edited, place = isEdited(node), self._browser.places.current
        self.editButton.enabled = node is not None
        self.editButton.text = _("Go on editing") if edited else _("Edit a copy")
        self.editButton.toolTip = (
            _("Open the map in the Segment Editor; the original is never changed.")
            if node is not None
            else _("Choose a hypothesis whose map is in the scene.")
        )
        self.removeButton.enabled = node is not None and place is not None
        self.removeButton.toolTip = (
            _("Give the pocket the tissue around it, in a copy of the map, and judge that.")
            if place is not None
            else _("Choose a fluid pocket in the list of places.")
        )
        self.judgeButton.enabled = edited
        self.judgeButton.toolTip = (
            _("Have all classifiers judge the edited map alone (Ctrl+Shift+J).")
            if edited
            else _("Choose an edited map, or edit a copy of one.")
        )

    def _say(self, text: str) -> None:
        self.statusLabel.text = text
