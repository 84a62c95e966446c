"""Two tissue maps against each other: swapped, blinking, or only where maps differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from RetinaTriageSlicer.browser_disagreement import (
    levelColor,
    removeDisagreement,
    showDisagreement,
)
from RetinaTriageSlicer.browser_opinions import CaseOpinions, HypothesisRow
from RetinaTriageSlicer.browser_scan import mapScan
from RetinaTriageSlicer.browser_views import copyLook, isPresent, showOnly
from RetinaTriageSlicer.edited_map import editTime, readTissueMap
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.widgets import makeBox, makeButton, makeLabel

BLINK_MS = 600
EVERY = 0
"""Entry of the list that stands for all hypotheses; the others follow it."""


class Comparison:
    """Controls that compare the chosen hypothesis with another one, or all of them.

    Parameters
    ----------
    onLook : called when the views show another map than the chosen one, or it again
    """

    def __init__(self, form: Any, onLook: Callable[[], object]) -> None:
        self._onLook = onLook
        self._result: ResultNodes | None = None
        self._rows: tuple[HypothesisRow, ...] = ()
        self._chosen: Any = None
        self._other = False
        self._differKey: tuple[Any, ...] = ()
        self._differMap: Any = None
        self.compareBox = makeBox("compareBox", _("Hypothesis to compare the chosen one with."))
        self.swapButton = makeButton(
            "swapButton", _("Swap"), _("Show the other one of the two (Ctrl+Shift+X).")
        )
        self.swapButton.shortcut = qt.QKeySequence("Ctrl+Shift+X")
        self.blinkButton = makeButton(
            "blinkButton", _("Blink"), _("Show the two in turns (Ctrl+Shift+B).")
        )
        self.blinkButton.checkable = True
        self.blinkButton.shortcut = qt.QKeySequence("Ctrl+Shift+B")
        self.differButton = makeButton(
            "differButton",
            _("Only where they differ"),
            _("Hide the maps and show where they disagree; a segmentation of it is added."),
        )
        self.differButton.checkable = True
        self.differLabel = makeLabel("differLabel", _("Colors of where maps differ."))
        self.differLabel.textFormat = qt.Qt.RichText
        title = makeLabel("compareTitle", _("Hypothesis to compare with."), _("Compare:"))
        form.addRow(title, self.compareBox)
        row = qt.QHBoxLayout()
        for button in (self.swapButton, self.blinkButton, self.differButton):
            row.addWidget(button)
        form.addRow(row)
        form.addRow(self.differLabel)
        self._timer = qt.QTimer()
        self._timer.setInterval(BLINK_MS)
        self._timer.connect("timeout()", self._blink)
        self.swapButton.connect("clicked()", self.swap)
        self.blinkButton.connect("toggled(bool)", self._onBlink)
        self.differButton.connect("toggled(bool)", self._onDiffer)
        self.compareBox.connect("currentIndexChanged(int)", self._onOther)

    def show(self, result: ResultNodes | None, case: CaseOpinions | None) -> None:
        """Offer the hypotheses of a case."""
        if result is None or self._result is None or result.case != self._result.case:
            self.stop()
        self._result = result
        self._rows = () if case is None else tuple(one for one in case.rows[1:] if one.node)
        chosen = self.compareBox.currentText
        self.compareBox.blockSignals(True)
        self.compareBox.clear()
        for title in (_("All hypotheses"), *(one.title for one in self._rows)):
            self.compareBox.addItem(title)
        self.compareBox.setCurrentIndex(max(0, self.compareBox.findText(chosen)))
        self.compareBox.blockSignals(False)
        self._enable()

    def choose(self, node: Any) -> None:
        """Compare this map from now on."""
        self._chosen, self._other = node, False
        if self.differButton.checked:
            self._differ()
        self._enable()

    def stop(self) -> None:
        """Stop blinking, and forget where maps differ."""
        self._timer.stop()
        for button in (self.blinkButton, self.differButton):
            button.blockSignals(True)
            button.setChecked(False)
            button.blockSignals(False)
        self.differLabel.text = ""
        self._other = False

    @property
    def differing(self) -> bool:
        """Tell whether only differences are shown."""
        return bool(self.differButton.checked)

    def swap(self) -> None:
        """Show the other one of the two maps."""
        pair = self._pair()
        if pair is not None:
            self._other = not self._other
            showOnly(pair[int(self._other)])
            self._onLook()

    def _pair(self) -> tuple[Any, Any] | None:
        at = self.compareBox.currentIndex - 1
        if not 0 <= at < len(self._rows):
            return None
        other = self._rows[at].node
        if not (isPresent(self._chosen) and isPresent(other)) or other is self._chosen:
            return None
        return self._chosen, other

    def _blink(self) -> None:
        if self._pair() is None:
            self.blinkButton.setChecked(False)
        else:
            self.swap()

    def _onBlink(self, on: bool) -> None:  # noqa: FBT001 - a Qt slot
        if on and self._pair() is not None:
            self._timer.start()
            return
        self._timer.stop()
        self.blinkButton.setChecked(False)
        if self._other:
            self.swap()

    def _onOther(self, _index: int) -> None:
        self._other = False
        if self.differButton.checked:
            self._differ()
        elif isPresent(self._chosen):
            showOnly(self._chosen)
        self._enable()

    def _onDiffer(self, on: bool) -> None:  # noqa: FBT001 - a Qt slot
        if on:
            self.blinkButton.setChecked(False)
            self._differ()
            return
        self.differLabel.text = ""
        if self._result is not None:
            removeDisagreement(self._result)
        if isPresent(self._chosen):
            showOnly(self._chosen)
        self._onLook()

    def _differ(self) -> None:
        nodes = self._compared()
        if self._result is None or len(nodes) < 2:
            self.differButton.setChecked(False)
            return
        key = tuple((node.GetID(), editTime(node)) for node in nodes)
        if key == self._differKey and isPresent(self._differMap):
            return  # the scene was read again because this map was added to it
        scan = mapScan(self._result.consensus)
        maps = [readTissueMap(node, scan) for node in nodes]
        self._differKey = key
        self._differMap = showDisagreement(self._result, maps, scan)
        if isPresent(self._chosen):
            copyLook(self._chosen, self._differMap)
        showOnly(self._differMap)
        self.differLabel.text = _legend(len(maps))
        self._onLook()

    def _compared(self) -> Sequence[Any]:
        if self.compareBox.currentIndex > EVERY:
            return self._pair() or ()
        return [one.node for one in self._rows if isPresent(one.node) and not one.edited]

    def _enable(self) -> None:
        pair = self._pair() is not None
        for button in (self.swapButton, self.blinkButton):
            button.enabled = pair
        self.differButton.enabled = len(self._compared()) > 1
        self.compareBox.enabled = bool(self._rows)


def _legend(maps: int) -> str:
    patches = []
    for count in range(1, maps):
        red, green, blue = levelColor(count, maps)
        patches.append(
            f'<span style="background-color:#{red:02x}{green:02x}{blue:02x};color:#000000">'
            f"&nbsp;&nbsp;{count}&nbsp;&nbsp;</span>"
        )
    return "".join(patches) + " " + _("of {maps} maps outvoted").format(maps=maps)
