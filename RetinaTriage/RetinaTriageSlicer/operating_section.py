"""Section of the operating point: the verdict that other priorities would have given, live."""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageSlicer.operating_case import OperatingCase, keepPoint, operatingCase, triedPoint
from RetinaTriageSlicer.operating_words import (
    decisionColumns,
    decisionRows,
    decisionText,
    pointTitle,
)
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.penalty_table import PenaltyTable
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.shown_case import bundleName
from RetinaTriageSlicer.widgets import (
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


class OperatingSection:
    """Decides again from the mean scores of the scene; neither torch nor the worker is needed."""

    def __init__(self, parameters: Callable[[], RetinaTriageParameterNode | None]) -> None:
        self._parameters = parameters
        self._nodes: ResultNodes | None = None
        self._case: OperatingCase | None = None
        self._makeWidgets()

    def show(self, nodes: ResultNodes | None) -> None:
        """Show a result at the point that was tried last, or at its own."""
        self._nodes = nodes
        self._case = None if nodes is None else operatingCase(nodes, self._parameters())
        heads = () if self._case is None else self._case.heads
        fillBox(self.headBox, [head.title for head in heads])
        if nodes is not None:
            self.slider.blockSignals(True)
            self.slider.value = POINTS.index(triedPoint(nodes.consensus))
            self.slider.blockSignals(False)
        self._showHead()

    def problems(self) -> list[str]:
        """Every reason why no other operating point can be tried."""
        if self._nodes is None:
            return [_("There is no result.")]
        if self._case is None:
            return [
                _(
                    "Its calibration is needed to try another operating point: {bundle} made this "
                    "result and is not at hand. Choose it under Inputs."
                ).format(bundle=bundleName(self._nodes))
            ]
        return []

    @property
    def point(self) -> OperatingPoint:
        """Operating point that the slider shows."""
        return POINTS[self.slider.value]

    def reset(self) -> None:
        """Forget the penalties that were typed for the chosen question."""
        head = self._head()
        if self._case is not None and head is not None:
            self._case.forgetPenalties(head)
        self._showHead()

    def _onPoint(self, _value: int = 0) -> None:
        if self._nodes is not None:
            keepPoint(self._nodes.consensus, self.point)
        self._showHead()

    def _onPenalty(self, row: int, column: int, text: str) -> None:
        """Take a penalty that was typed, or put the old one back where it is none."""
        case, head = self._case, self._head()
        if case is None or head is None:
            return
        try:
            case.typePenalty(head, self.point, (row, column), text)
        except (ValueError, InputError):
            self._penalties.show(head, case.penalty(head, self.point))
            self.label.text = _("A penalty is a number from 0, and one of them is above 0.")
            return
        self._showDecision(case, head)

    def _showHead(self, _index: int = 0) -> None:
        """Show penalty matrix and scores of the chosen question."""
        found, case, head = self.problems(), self._case, self._head()
        for widget in (self.slider, self.headBox, self.penaltyTable, self.resetButton):
            widget.enabled = not found
        self.pointLabel.text = pointTitle(self.point)
        self.penaltyTable.setVisible(head is not None and head.exclusive)
        self.resetButton.setVisible(head is not None and head.exclusive)
        if case is None or head is None:
            fillTable(self.scoreTable, [])
            self.label.text = "" if self._nodes is None else "\n".join(found)
            return
        if head.exclusive:
            self._penalties.show(head, case.penalty(head, self.point))
        self._showDecision(case, head)

    def _showDecision(self, case: OperatingCase, head: OutcomeHead) -> None:
        decision = case.decide(head, self.point)
        fillTable(self.scoreTable, decisionRows(head, decision), shownRows=10)
        self.label.text = decisionText(head, decision, case.manifest.calibration, self.point)

    def _head(self) -> OutcomeHead | None:
        heads = () if self._case is None else self._case.heads
        at = max(0, self.headBox.currentIndex)
        return heads[at] if at < len(heads) else None

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
        self._penalties = PenaltyTable(self._onPenalty)
        self.penaltyTable = self._penalties.table
        self.resetButton = makeButton(
            "penaltyResetButton",
            _("Reset penalties"),
            _("Take the penalties of the bundle for the operating point again."),
        )
        self.scoreTable = makeTable(
            "operatingTable",
            _("Scores of the chosen question at the operating point of the slider."),
            decisionColumns(),
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
        self.resetButton.connect("clicked()", self.reset)
