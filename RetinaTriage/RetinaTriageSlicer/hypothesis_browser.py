"""The hypothesis browser: every tissue map of a result with what the classifiers say of it."""

from __future__ import annotations

from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from RetinaTriageSlicer import hierarchy
from RetinaTriageSlicer.browser_colors import legendText
from RetinaTriageSlicer.browser_compare import Comparison
from RetinaTriageSlicer.browser_grid import (
    NAME,
    choiceTitle,
    fillGrid,
    fillScores,
    makeGrid,
    setCurrent,
)
from RetinaTriageSlicer.browser_opinions import CaseOpinions, answerTitle, readOpinions
from RetinaTriageSlicer.browser_places import PlaceList
from RetinaTriageSlicer.browser_views import isPresent, shownMap, showOnly, showSurfaces
from RetinaTriageSlicer.scene import ResultNodes, findResults
from RetinaTriageSlicer.tissue_legend import TissueLegend
from RetinaTriageSlicer.widgets import (
    fillBox,
    makeBox,
    makeButton,
    makeCheck,
    makeLabel,
    makeSection,
    makeTable,
)

REFRESH_MS = 150


class HypothesisBrowser(slicer.util.VTKObservationMixin):
    """Collapsible section; what it shows is read from the scene, so it needs neither run nor torch.

    Attributes
    ----------
    button : the section
    result, case : what is shown; None where there is nothing
    """

    def __init__(self, onChoice: Any = None) -> None:
        super().__init__()
        self.result: ResultNodes | None = None
        self.case: CaseOpinions | None = None
        self.onChoice = onChoice or _ignore
        self._results: tuple[ResultNodes, ...] = ()
        self.button, form = makeSection(
            "browserButton",
            _("Hypotheses"),
            _("Every tissue map with what the classifiers say of it."),
        )
        self.resultBox = makeBox("browserResultBox", _("Result to look through."))
        self.outcomeBox = makeBox("browserOutcomeBox", _("Outcome whose scores the grid shows."))
        self.grid = makeGrid()
        self.legend = makeLabel("gridLegend", _("Colors of the scores."), legendText())
        self.legend.textFormat = qt.Qt.RichText
        self.previousButton = makeButton(
            "previousHypothesisButton",
            _("Previous"),
            _("Show the hypothesis above (Ctrl+Page Up)."),
        )
        self.nextButton = makeButton(
            "nextHypothesisButton", _("Next"), _("Show the hypothesis below (Ctrl+Page Down).")
        )
        self.previousButton.shortcut = qt.QKeySequence("Ctrl+PgUp")
        self.nextButton.shortcut = qt.QKeySequence("Ctrl+PgDown")
        self.surfacesCheck = makeCheck(
            "surfacesCheck",
            _("3D"),
            _("Show the chosen map in 3D views too; its surfaces take some seconds to make."),
            checked=False,
        )
        self.shownLabel = makeLabel("shownLabel", _("What the scores below are of."))
        self.tissues = makeLabel("tissueLegend", _("Colors of the tissues in the views."))
        self.tissues.textFormat = qt.Qt.RichText
        self._legend = TissueLegend()
        self.scores = makeTable("choiceScores", _("Scores of what is chosen in the grid."), ())
        self._layOut(form)
        self.comparison = Comparison(form, self._onLook)
        self.places = PlaceList(form, self._onLook)
        self._refreshTimer = qt.QTimer()
        self._refreshTimer.setSingleShot(True)
        self._refreshTimer.setInterval(REFRESH_MS)
        self._refreshTimer.connect("timeout()", self.refresh)
        self._connect()
        self.show(None)

    def show(self, result: ResultNodes | None) -> None:
        """Show a result; with None any other one that the scene holds."""
        self._results = findResults()
        known = [one.case for one in self._results]
        if result is None or result.case not in known:
            result = self._results[-1] if self._results else None
        else:
            result = self._results[known.index(result.case)]
        other = self.result is None or result is None or result.case != self.result.case
        self.result = result
        self._fillResults()
        self.case = None if result is None else readOpinions(result)
        self.button.setVisible(self.case is not None)
        self._fillOutcomes()
        if other:
            setCurrent(self.grid, -1, -1)
        self._fillGrid()
        self.comparison.show(result, self.case)
        self.places.show(result, self.case)
        if self.case is not None and (other or self.row < 0):
            setCurrent(self.grid, self._shownRow(), NAME)
        self._showChoice()

    def refresh(self) -> None:
        """Read the scene again, such as after a node was added or removed."""
        self.show(self.result)

    def forget(self) -> None:
        """Let go of the scene, which is being closed."""
        self._refreshTimer.stop()
        self.comparison.stop()
        self.places.forget()
        self.result = self.case = None
        self._results = ()
        self.button.setVisible(False)

    def cleanup(self) -> None:
        """Let go of everything, as the module goes."""
        self.forget()
        self.removeObservers()

    @property
    def row(self) -> int:
        """Row of the grid that is chosen; -1 where none is."""
        return int(self.grid.currentRow())

    @property
    def chosenMap(self) -> Any:
        """Segmentation node of the chosen row; None where it was removed."""
        if self.case is None or not 0 <= self.row < len(self.case.rows):
            return None
        node = self.case.rows[self.row].node
        return node if isPresent(node) else None

    def choose(self, row: int, column: int = NAME) -> None:
        """Choose a cell of the grid, as a click on it does."""
        self.grid.setCurrentCell(row, column)

    def chooseMap(self, node: Any) -> None:
        """Choose the row of a tissue map."""
        self.refresh()
        if self.case is not None:
            for at, row in enumerate(self.case.rows):
                if row.node is node:
                    self.choose(at)

    def step(self, by: int) -> None:
        """Choose the hypothesis some rows below, round and round."""
        if self.case is not None:
            self.choose((max(self.row, 0) + by) % len(self.case.rows), max(self.column, NAME))

    @property
    def column(self) -> int:
        """Column of the grid that is chosen; -1 where none is."""
        return int(self.grid.currentColumn())

    def _layOut(self, form: Any) -> None:
        form.addRow(
            makeLabel("browserResultTitle", _("Result to look through."), _("Result:")),
            self.resultBox,
        )
        form.addRow(
            makeLabel("browserOutcomeTitle", _("Outcome that colors show."), _("Colors show:")),
            self.outcomeBox,
        )
        form.addRow(self.grid)
        form.addRow(self.legend)
        row = qt.QHBoxLayout()
        for widget in (self.previousButton, self.nextButton, self.surfacesCheck):
            row.addWidget(widget)
        form.addRow(row)
        form.addRow(self.shownLabel)
        form.addRow(self.tissues)
        form.addRow(self.scores)

    def _connect(self) -> None:
        self.resultBox.connect("currentIndexChanged(int)", self._onResult)
        self.outcomeBox.connect("currentIndexChanged(int)", lambda _at: self._fillGrid())
        self.grid.connect("currentCellChanged(int,int,int,int)", self._onCell)
        self.grid.connect("cellClicked(int,int)", self._onClick)
        self.previousButton.connect("clicked()", lambda: self.step(-1))
        self.nextButton.connect("clicked()", lambda: self.step(1))
        self.surfacesCheck.connect("toggled(bool)", self._onSurfaces)
        scene, events = slicer.mrmlScene, slicer.vtkMRMLScene
        for event in (events.NodeAddedEvent, events.NodeRemovedEvent, events.EndImportEvent):
            self.addObserver(scene, event, self._onScene)
        self.addObserver(scene, events.StartCloseEvent, lambda _caller, _event: self.forget())

    def _onScene(self, _caller: Any, _event: str) -> None:
        if not slicer.mrmlScene.IsClosing():
            self._refreshTimer.start()  # again with each node: once, after the last of many

    def _onResult(self, at: int) -> None:
        if 0 <= at < len(self._results):
            self.show(self._results[at])

    def _onCell(self, row: int, column: int, _row: int, _column: int) -> None:
        if row >= 0 and column >= 0:
            self._look()

    def _onClick(self, _row: int, _column: int) -> None:
        if shownMap() is not self.chosenMap:  # the current cell, clicked again
            self._look()

    def _look(self) -> None:
        """Show the chosen map in the views, and its scores."""
        node = self.chosenMap
        if node is not None and not self.comparison.differing:
            showOnly(node)
            showSurfaces(node, shown=bool(self.surfacesCheck.checked))
        self._showChoice()

    def _onSurfaces(self, on: bool) -> None:  # noqa: FBT001 - a Qt slot
        node = shownMap()
        if node is not None:
            showSurfaces(node, shown=on)

    def _onLook(self) -> None:
        node = shownMap()
        if node is not None and self.surfacesCheck.checked:
            showSurfaces(node, shown=True)
        self._nameShown()
        self.onChoice()

    def _showChoice(self) -> None:
        self._nameShown()
        case = self.case
        if case is not None and 0 <= self.row < len(case.rows):
            fillScores(self.scores, case, self.row, max(self.column, NAME))
        else:
            self.scores.setRowCount(0)
        self.comparison.choose(self.chosenMap)
        self.places.choose(self.chosenMap)
        self.onChoice()

    def _nameShown(self) -> None:
        case = self.case
        if case is None or not 0 <= self.row < len(case.rows):
            self.shownLabel.text = self.tissues.text = ""
            return
        text = choiceTitle(case, self.row, max(self.column, NAME))
        seen = shownMap()
        if seen is not None and seen is not self.chosenMap:
            text += "\n" + _("The views show {map}.").format(map=seen.GetName())
        self.shownLabel.text = text
        differing = self.comparison.differing  # it has a legend of its own
        self.tissues.text = "" if differing else self._legend.text(seen)

    def _shownRow(self) -> int:
        """Row of the map that the views show; the verdict where they show none of them."""
        assert self.case is not None
        seen = shownMap()
        return next((at for at, row in enumerate(self.case.rows) if row.node is seen), 0)

    def _fillResults(self) -> None:
        tree = hierarchy.subjectHierarchy()
        self.resultBox.blockSignals(True)
        self.resultBox.clear()
        for one in self._results:
            folder = tree.GetItemParent(tree.GetItemByDataNode(one.consensus))
            self.resultBox.addItem(tree.GetItemName(folder) or one.consensus.GetName())
            if self.result is not None and one.case == self.result.case:
                self.resultBox.setCurrentIndex(self.resultBox.count - 1)
        self.resultBox.blockSignals(False)

    def _fillOutcomes(self) -> None:
        titles = [] if self.case is None else [answerTitle(one) for one in self.case.answers]
        fillBox(self.outcomeBox, titles)

    def _fillGrid(self) -> None:
        fillGrid(self.grid, self.case, max(0, int(self.outcomeBox.currentIndex)))


def _ignore() -> None:
    """Do nothing about a choice."""
