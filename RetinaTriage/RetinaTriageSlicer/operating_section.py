"""Section of the operating point: the verdict that other priorities would have given, live."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.bundle_manifest import Manifest
from RetinaTriageLib.decision import rescored
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.penalties import FloatMatrix, default_penalty, expected_penalties, penalty_for
from RetinaTriageLib.stated_rates import StatedRates, stated_rates
from RetinaTriageSlicer.bundle_of_result import readBundleManifest
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.shown_case import bundleOf
from RetinaTriageSlicer.widgets import (
    Column,
    fillBox,
    fillTable,
    makeBox,
    makeButton,
    makeLabel,
    makeSection,
    makeTable,
)

POINTS = (
    OperatingPoint.HIGH_SENSITIVITY,
    OperatingPoint.BALANCED,
    OperatingPoint.HIGH_SPECIFICITY,
)
CHOSEN = PREFIX + "TriedOperatingPoint"
PENALTY = PREFIX + "TriedPenalty."


class OperatingSection:
    """Decides again from the mean scores of the scene; neither torch nor the worker is needed."""

    def __init__(self, parameters: Callable[[], RetinaTriageParameterNode | None]) -> None:
        self._parameters = parameters
        self._nodes: ResultNodes | None = None
        self._manifest: Manifest | None = None
        self._raw: dict[str, dict[str, float]] = {}
        self._heads: tuple[OutcomeHead, ...] = ()
        self._filling = False
        self._makeWidgets()

    def show(self, nodes: ResultNodes | None) -> None:
        """Show a result at the point that was tried last, or at its own."""
        self._nodes, self._manifest, self._raw, self._heads = nodes, None, {}, ()
        table = None if nodes is None else nodes.tables.get("scores")
        if nodes is not None and table is not None and slicer.mrmlScene.IsNodePresent(table):
            self._raw = _rawScores(table)
            path = bundleOf(nodes, self._parameters())
            self._manifest = None if path is None else readBundleManifest(path)
        if self._manifest is not None:
            heads = self._manifest.vocabulary.heads
            self._heads = tuple(
                head for head in heads if set(head.names) == set(self._raw.get(head.name, ()))
            )
        fillBox(self.headBox, [head.title for head in self._heads])
        if nodes is not None:
            own = nodes.consensus.GetAttribute(PREFIX + "OperatingPoint")
            tried = nodes.consensus.GetAttribute(CHOSEN) or own
            values = [point.value for point in POINTS]
            self.slider.blockSignals(True)
            self.slider.value = values.index(tried) if tried in values else 1
            self.slider.blockSignals(False)
        self._showHead()

    def problems(self) -> list[str]:
        """Every reason why no other operating point can be tried."""
        if self._nodes is None:
            return [_("There is no result.")]
        if self._manifest is None or not self._heads:
            name = self._nodes.consensus.GetAttribute(PREFIX + "Bundle") or _("unknown")
            return [
                _(
                    "Its calibration is needed to try another operating point: {bundle} made this "
                    "result and is not at hand. Choose it under Inputs."
                ).format(bundle=name)
            ]
        return []

    @property
    def point(self) -> OperatingPoint:
        """Operating point that the slider shows."""
        return POINTS[self.slider.value]

    def _onPoint(self, _value: int = 0) -> None:
        if self._nodes is not None:
            self._nodes.consensus.SetAttribute(CHOSEN, self.point.value)
        self._showHead()

    def _showHead(self, _index: int = 0) -> None:
        """Show penalty matrix and scores of the chosen question."""
        found = self.problems()
        for widget in (self.slider, self.headBox, self.penaltyTable, self.resetButton):
            widget.enabled = not found
        self.pointLabel.text = _pointTitle(self.point)
        head = self._head()
        self.penaltyTable.setVisible(head is not None and head.exclusive)
        self.resetButton.setVisible(head is not None and head.exclusive)
        if found or head is None:
            fillTable(self.scoreTable, [])
            self.label.text = "" if self._nodes is None else "\n".join(found)
            return
        if head.exclusive:
            self._fillPenalty(head)
        self._showScores()

    def _fillPenalty(self, head: OutcomeHead) -> None:
        titles = [outcome.title for outcome in head.outcomes]
        matrix = self._penalty(head)
        self._filling = True
        self.penaltyTable.setRowCount(len(titles))
        self.penaltyTable.setColumnCount(len(titles))
        for at, title in enumerate(titles):
            predicted = qt.QTableWidgetItem(title)
            predicted.setToolTip(_("Answered: {outcome}").format(outcome=title))
            actual = qt.QTableWidgetItem(title)
            actual.setToolTip(_("In truth: {outcome}").format(outcome=title))
            self.penaltyTable.setHorizontalHeaderItem(at, predicted)
            self.penaltyTable.setVerticalHeaderItem(at, actual)
        for row in range(len(titles)):
            for column in range(len(titles)):
                item = qt.QTableWidgetItem(f"{matrix[row, column]:g}")
                if row == column:  # a right answer costs nothing
                    item.setFlags(qt.Qt.ItemIsSelectable | qt.Qt.ItemIsEnabled)
                self.penaltyTable.setItem(row, column, item)
        self.penaltyTable.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)
        height = self.penaltyTable.verticalHeader().defaultSectionSize
        self.penaltyTable.setFixedHeight((len(titles) + 1) * height + 4)
        self._filling = False

    def _onPenalty(self, row: int, column: int) -> None:
        """Take a penalty that was typed, or put the old one back where it is none."""
        head = self._head()
        if self._filling or head is None or self._nodes is None:
            return
        matrix = self._penalty(head).copy()
        try:
            matrix[row, column] = float(
                self.penaltyTable.item(row, column).text().replace(",", ".")
            )
            expected_penalties(self._rawOf(head), matrix)
        except (ValueError, InputError):
            self._fillPenalty(head)
            self.label.text = _("A penalty is a number from 0, and one of them is above 0.")
            return
        self._nodes.consensus.SetAttribute(PENALTY + head.name, json.dumps(matrix.tolist()))
        self._showScores()

    def reset(self) -> None:
        """Forget the penalties that were typed for the chosen question."""
        head = self._head()
        if self._nodes is not None and head is not None:
            self._nodes.consensus.RemoveAttribute(PENALTY + head.name)
        self._showHead()

    def _showScores(self) -> None:
        head, manifest = self._head(), self._manifest
        if head is None or manifest is None:
            return
        raw = self._rawOf(head)
        scores, decided = rescored(raw, head, manifest.calibration, self.point)
        edited = self._edited(head)
        cost = expected_penalties(raw, self._penalty(head)) if head.exclusive else None
        if edited is not None and cost is not None:
            decided = (head.names[int(cost.argmin())],)
        rates = [
            StatedRates()  # what the bundle states is not about penalties of one's own
            if edited is not None
            else stated_rates(manifest.measured, head.name, name, self.point)
            for name in head.names
        ]
        rows = [
            [
                outcome.title,
                f"{raw[at]:.2f}",
                f"{scores[at]:.2f}",
                "" if cost is None else f"{cost[at]:.2f}",
                _("yes") if outcome.name in decided else "",
                _percent(rates[at].sensitivity),
                _percent(rates[at].specificity),
            ]
            for at, outcome in enumerate(head.outcomes)
        ]
        fillTable(self.scoreTable, rows, shownRows=10)
        self.label.text = self._meaning(head, decided, rates, edited=edited is not None)

    def _meaning(
        self,
        head: OutcomeHead,
        decided: Sequence[str],
        rates: Sequence[StatedRates],
        *,
        edited: bool,
    ) -> str:
        named = ", ".join(one.title for one in head.outcomes if one.name in decided) or _("none")
        lines = [_("{question}: {answer}.").format(question=head.title, answer=named)]
        if edited:
            lines.append(
                _(
                    "Decided for the least expected penalty, with the mean scores taken as "
                    "probabilities. No sensitivity was measured for penalties of your own."
                )
            )
            return "\n".join(lines)
        assert self._manifest is not None
        rests = self._manifest.calibration.describe((head,), self.point)
        lines.append(_("Re-weighting: {calibration}.").format(calibration=rests))
        data = "; ".join(dict.fromkeys(one.data for one in rates if one.data))
        lines.append(
            _("Sensitivity and specificity as the bundle states them, on {data}.").format(data=data)
            if data
            else _("The bundle states no sensitivity and specificity for this operating point.")
        )
        return "\n".join(lines)

    def _head(self) -> OutcomeHead | None:
        at = max(0, self.headBox.currentIndex)
        return self._heads[at] if at < len(self._heads) else None

    def _rawOf(self, head: OutcomeHead) -> Any:
        return np.array([self._raw[head.name][name] for name in head.names])

    def _edited(self, head: OutcomeHead) -> FloatMatrix | None:
        """Penalty matrix (actual, predicted) that was typed for a question; None for none."""
        assert self._nodes is not None
        text = self._nodes.consensus.GetAttribute(PENALTY + head.name)
        if not text:
            return None
        matrix = np.array(json.loads(text), np.float64)
        return matrix if matrix.shape == (len(head.outcomes),) * 2 else None

    def _penalty(self, head: OutcomeHead) -> FloatMatrix:
        edited = self._edited(head)
        if edited is not None:
            return edited
        assert self._manifest is not None
        own = self._manifest.penalties.get(head.name)
        balanced = default_penalty(head) if own is None else np.array(own, np.float64)
        return penalty_for(balanced, self.point)

    def _makeWidgets(self) -> None:
        self.button, form = makeSection(
            "operatingButton",
            _("Operating point"),
            _("What the verdict would be if other mistakes mattered more; nothing is run again."),
        )
        self.slider = qt.QSlider(qt.Qt.Horizontal)
        self.slider.objectName = "operatingSlider"
        self.slider.minimum, self.slider.maximum = 0, len(POINTS) - 1
        self.slider.tickPosition = qt.QSlider.TicksBelow
        self.slider.pageStep = 1
        self.slider.value = 1
        self.slider.toolTip = _(
            "Left: miss as little as possible. Right: as few false alarms as possible. The bundle "
            "was calibrated for these three points."
        )
        self.pointLabel = makeLabel("operatingPointLabel", _("Operating point of the slider."))
        self.headBox = makeBox("operatingHeadBox", _("Question whose answers are shown."))
        self.penaltyTable = qt.QTableWidget()
        self.penaltyTable.objectName = "penaltyTable"
        self.penaltyTable.toolTip = _(
            "Penalty of each mistake, without unit: rows are the truth, columns the answer. Type "
            "another number, and the answer of the least expected penalty is decided for."
        )
        self.resetButton = makeButton(
            "penaltyResetButton",
            _("Reset penalties"),
            _("Take the penalties of the bundle for the operating point again."),
        )
        self.scoreTable = makeTable(
            "operatingTable",
            _("Scores of the chosen question at the operating point of the slider."),
            (
                Column(_("Outcome"), _("Possible answer.")),
                Column(_("Mean"), _("Mean of all opinions as the networks gave it, 0 to 1.")),
                Column(_("Score"), _("Mean, re-weighted for the operating point, 0 to 1.")),
                Column(
                    _("Penalty"),
                    _("Penalty to expect of this answer, in the unit of the matrix above."),
                ),
                Column(_("Named"), _("Whether the verdict would name this outcome.")),
                Column(
                    _("Sens. (%)"),
                    _("Sensitivity: share of cases with it that validation found; - is unknown."),
                ),
                Column(
                    _("Spec. (%)"),
                    _("Specificity: share of the cases without it left alone; - is unknown."),
                ),
            ),
        )
        self.label = makeLabel(
            "operatingLabel", _("What would be decided, and what that rests on.")
        )
        form.addRow(_("Priority:"), self.slider)
        form.addRow("", self.pointLabel)
        form.addRow(_("Question:"), self.headBox)
        form.addRow(self.penaltyTable)
        form.addRow(self.resetButton)
        form.addRow(self.scoreTable)
        form.addRow(self.label)
        self.slider.connect("valueChanged(int)", self._onPoint)
        self.headBox.connect("currentIndexChanged(int)", self._showHead)
        self.penaltyTable.connect("cellChanged(int,int)", self._onPenalty)
        self.resetButton.connect("clicked()", self.reset)


def _rawScores(table: Any) -> dict[str, dict[str, float]]:
    """Head to outcome to mean score, of a score table node."""
    names = ("head", "outcome", "raw")
    columns = [table.GetTable().GetColumnByName(name) for name in names]
    found: dict[str, dict[str, float]] = {}
    for row in range(table.GetNumberOfRows()):
        head, outcome, raw = (column.GetValue(row) for column in columns)
        found.setdefault(head, {})[outcome] = float(raw)
    return found


def _pointTitle(point: OperatingPoint) -> str:
    return {
        OperatingPoint.HIGH_SENSITIVITY: _("High sensitivity: miss as little as possible"),
        OperatingPoint.BALANCED: _("Balanced: sensitivity and specificity count alike"),
        OperatingPoint.HIGH_SPECIFICITY: _("High specificity: few false alarms"),
    }[point]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
