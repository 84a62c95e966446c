"""Section of the result: a new one, or one that takes the place of another and can be undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from RetinaTriageSlicer import provenance
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.replacement import Replacement
from RetinaTriageSlicer.scene import ResultNodes, findResults


class OutputSection:
    """Asks before a result is replaced, and keeps what was replaced."""

    def __init__(self, ui: Any, onSwap: Callable[[ResultNodes], object]) -> None:
        self._ui = ui
        self._onSwap = onSwap
        self._replacement: Replacement | None = None
        self._undone = False
        ui.outputSelector.addAttribute("vtkMRMLSegmentationNode", provenance.ROLE, "consensus")
        ui.undoButton.connect("clicked()", self.undo)

    def forget(self) -> None:
        """Let go of what was replaced, as the scene is closed."""
        self._replacement = None
        self._undone = False
        self.showUndo()

    def show(self, _parameters: RetinaTriageParameterNode) -> None:
        """Show whether there is something to undo."""
        self.showUndo()

    def problems(self, parameters: RetinaTriageParameterNode) -> list[str]:
        """Every reason why the chosen result cannot be replaced."""
        chosen = resultOf(parameters.outputSegmentation)
        if parameters.outputSegmentation is None or chosen is None:
            return []
        volumeNode = chosen.volumeNode
        if volumeNode is parameters.inputVolume:
            return []
        return [
            _("{result} is of another volume: choose one of this volume, or a new result.").format(
                result=parameters.outputSegmentation.GetName()
            )
        ]

    def mayStart(self, parameters: RetinaTriageParameterNode) -> bool:
        """Ask whether the chosen result may be replaced; nothing is asked for a new one."""
        if parameters.outputSegmentation is None:
            return True
        text = _(
            "{result} and the tables and maps that belong to it will be replaced.\n\nThey stay "
            "until the new result is complete, and Undo brings them back as long as this scene "
            "is open. What you edited in them is not part of the new result. Go on?"
        ).format(result=parameters.outputSegmentation.GetName())
        return bool(slicer.util.confirmYesNoDisplay(text, windowTitle=_("Replace a result")))

    def finish(self, replaced: ResultNodes | None, made: ResultNodes) -> None:
        """Take out what the complete result replaces."""
        if replaced is not None and slicer.mrmlScene.IsNodePresent(replaced.consensus):
            self._replacement = Replacement(replaced, made)
            self._undone = False
        self.showUndo()

    def undo(self) -> None:
        """Bring back what was replaced, or the replacement if that was undone."""
        if self._replacement is None or not self._replacement.possible:
            self.showUndo()
            return
        shown = self._replacement.swap()
        self._undone = not self._undone
        self.showUndo()
        self._onSwap(shown)

    def showUndo(self) -> None:
        """Enable the button where there is something to undo, and say what."""
        button = self._ui.undoButton
        replacement = self._replacement
        button.enabled = replacement is not None and replacement.possible
        button.text = _("Redo") if self._undone else _("Undo")
        if replacement is None:
            button.toolTip = _(
                "Nothing to undo: no result was replaced since the scene was opened."
            )
        elif not replacement.possible:
            button.toolTip = _("Nothing to undo: the volume of the replaced result was removed.")
        elif self._undone:
            button.toolTip = _("Show the newer result again, and keep the older one.")
        else:
            button.toolTip = _("Bring back the result that was replaced last, and keep this one.")


def resultOf(consensus: Any) -> ResultNodes | None:
    """Find the result that a consensus segmentation belongs to."""
    if consensus is None:
        return None
    return next((result for result in findResults() if result.consensus is consensus), None)
