"""Section of the reading session: a cohort's cases one after the other, each with a decision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.cohort.reading_list import QueueEntry
from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageSlicer.reading_agreement import showAgreement
from RetinaTriageSlicer.reading_decision import DecisionWidgets
from RetinaTriageSlicer.reading_queue import QueueWidgets, answerText, patientText
from RetinaTriageSlicer.reading_session import Decision, ReadingSession
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.widgets import makeButton, makeCheck, makeLabel, makeSection


class ReadingSection(slicer.util.VTKObservationMixin):
    """Opens a cohort, loads its cases, records what the reader decides.

    Parameters
    ----------
    ui : widgets of the panel
    onLoad : called with the volume node of a case, None where its scan is not at hand, and with
        its result
    """

    def __init__(self, ui: Any, onLoad: Callable[[Any, Any], object]) -> None:
        super().__init__()
        self._onLoad = onLoad
        self.session: ReadingSession | None = None
        self._asked = ""
        self._makeWidgets()
        layout = ui.inputsButton.parentWidget().layout()
        layout.insertWidget(layout.indexOf(ui.inputsButton), self.button)
        self.button.collapsed = True
        self.addObserver(
            slicer.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self._onSceneStartClose
        )

    def open(self) -> None:
        """Open the cohort whose folder is chosen."""
        self.close()
        folder, scans = (edit.currentPath.strip() for edit in (self.folderEdit, self.scansEdit))
        if not folder:
            self._say(_("Choose the folder that retina-triage cohort has written."))
            return
        try:
            self.session = ReadingSession(
                Path(folder),
                self.readerEdit.text,
                Path(scans) if scans else None,
                blind=self.blindCheck.checked,
            )
        except RetinaTriageError as error:
            self._say(forPanel(str(error)))
            return
        self.queue.offer(self.session.list.cohort)
        self.decision.offer(self.session.list.cohort)
        self.showQueue()
        self._say("")

    def load(self, entry: QueueEntry | None) -> None:
        """Load a case in place of the one before it."""
        session = self.session
        if session is None or entry is None:
            return
        slicer.app.setOverrideCursor(qt.Qt.WaitCursor)
        try:
            case = session.load(entry)
        except RetinaTriageError as error:
            self._say(forPanel(str(error)))
        else:
            self._say(forPanel(case.missing))
            self._onLoad(case.volumeNode, case.nodes)
        finally:
            slicer.app.restoreOverrideCursor()
        self.showQueue()

    def loadNext(self) -> None:
        """Load the next unread case."""
        if self.session is None:
            self.open()
        if self.session is None:
            return
        entry = self.session.following()
        if entry is None:
            self._say(_("All of these cases are read. Agreement shows how the answers compare."))
        else:
            self.load(entry)

    def decide(self, decision: Decision) -> None:
        """Record a decision on the loaded case and go on."""
        if self.session is None:
            return
        try:
            self.session.decide(decision)
        except RetinaTriageError as error:
            self._say(forPanel(str(error)))
            return
        if self.session.following() is None:
            self.session.unload()
            self.showQueue()
        self.loadNext()

    def showQueue(self) -> None:
        """Show the queue and the case that is loaded."""
        session = self.session
        self.decision.enable(ready=session is not None and session.loaded is not None)
        if session is None:
            return
        session.filter = self.queue.filter()
        entry = session.entry
        patient = self.patientCheck.checked
        self.queue.show(session.queue, entry, model=not session.blind, patient=patient)
        name = "" if entry is None else entry.row.case_id
        if name != self._asked:  # what is being typed stays where a filter is changed
            self._asked = name
            self.decision.show(None if entry is None else entry.reading)
        total = len(session.list.entries)
        lines = [
            _("{read} of {total} cases read.").format(read=total - session.list.unread, total=total)
        ]
        if entry is not None:
            lines.append(_("Now: {case}.").format(case=f"{entry.place}, {entry.row.alias}"))
            if not session.blind:
                lines.append(answerText(entry))
            if patient and patientText(entry):
                lines.append(patientText(entry))
        if session.kept:
            kept = ", ".join(session.kept)
            lines.append(
                _("Left in the scene, as their maps were edited: {kept}.").format(kept=kept)
            )
        self.stateLabel.text = "\n".join(lines)

    def showAgreement(self) -> None:
        """Compare all readers with the model and among each other; as a table, files and text."""
        if self.session is None:
            self._say(_("Open a cohort first."))
            return
        try:
            self._say(showAgreement(self.session.folder))
        except RetinaTriageError as error:
            self._say(forPanel(str(error)))

    def close(self) -> None:
        """Take the loaded case out of the scene and end the session."""
        if self.session is not None:
            self.session.unload()
        self.session = None
        self.stateLabel.text = ""
        self.showQueue()

    def cleanup(self) -> None:
        """Let go of the scene, as the module goes."""
        self.removeObservers()

    def _onSceneStartClose(self, _caller: Any, _event: str) -> None:
        if self.session is not None:
            self.session.forget()
            self.showQueue()

    def _say(self, text: str) -> None:
        self.label.text = text
        self.label.setVisible(bool(text))

    def _makeWidgets(self) -> None:
        self.button, form = makeSection(
            "readingButton",
            _("Reading session"),
            _("The cases of a cohort, most urgent first: read, decide, go on."),
        )
        self.folderEdit = _folderEdit(
            "readingFolder", _("Folder that retina-triage cohort has written.")
        )
        self.scansEdit = _folderEdit(
            "readingScans",
            _("Folder that the scans of the cohort lie in, as it was given to the command."),
        )
        self.readerEdit = qt.QLineEdit()
        self.readerEdit.objectName = "readingReader"
        self.readerEdit.toolTip = _("Your name or initials; they stand beside your decisions.")
        self.blindCheck = makeCheck(
            "readingBlind",
            _("Hide the model's answer"),
            _("Show the scan alone, in an order that tells nothing; it is noted beside decisions."),
            checked=False,
        )
        self.patientCheck = makeCheck(
            "readingPatient",
            _("Show patient data"),
            _("Identifier, age, sex, date and file name, where the table of the cohort has them."),
            checked=False,
        )
        self.openButton = makeButton("readingOpen", _("Open"), _("Show the queue of the cohort."))
        self.nextButton = makeButton(
            "readingNext", _("Next unread"), _("Load the next case that you have not read (Alt+N).")
        )
        self.nextButton.shortcut = qt.QKeySequence("Alt+N")
        self.loadButton = makeButton(
            "readingLoad", _("Load chosen"), _("Load the case whose row is chosen.")
        )
        self.agreementButton = makeButton(
            "readingAgreement",
            _("Agreement"),
            _("Kappa and penalty of all readers and the model, as a table and in the folder."),
        )
        self.stateLabel = makeLabel("readingState", _("How much is read, and what is shown."))
        self.label = makeLabel("readingLabel", _("What was found, or why not."))
        grid = qt.QGridLayout()
        for at, widget in enumerate(
            (
                self.blindCheck,
                self.patientCheck,
                self.openButton,
                self.nextButton,
                self.loadButton,
                self.agreementButton,
            )
        ):
            grid.addWidget(widget, at // 2, at % 2)
        form.addRow(_("Cohort:"), self.folderEdit)
        form.addRow(_("Scans:"), self.scansEdit)
        form.addRow(_("Reader:"), self.readerEdit)
        form.addRow(grid)
        form.addRow(self.stateLabel)
        self.queue = QueueWidgets(form, self.showQueue, self.load)
        self.decision = DecisionWidgets(form, self.decide)
        form.addRow(self.label)
        self.label.setVisible(False)
        self.openButton.connect("clicked()", self.open)
        self.nextButton.connect("clicked()", self.loadNext)
        self.loadButton.connect("clicked()", lambda: self.load(self.queue.chosen))
        self.agreementButton.connect("clicked()", self.showAgreement)
        self.patientCheck.connect("toggled(bool)", lambda _shown: self.showQueue())


def _folderEdit(name: str, toolTip: str) -> Any:
    edit = ctk.ctkPathLineEdit()
    edit.objectName = name
    edit.filters = ctk.ctkPathLineEdit.Dirs
    edit.toolTip = toolTip
    return edit
