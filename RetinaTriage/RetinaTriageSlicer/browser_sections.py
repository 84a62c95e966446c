"""The browser and its editing in the panel: below the verdict, following the chosen volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from RetinaTriageSlicer.hypothesis_browser import HypothesisBrowser
from RetinaTriageSlicer.judge_again import JudgeAgain
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.scene import findResults


class BrowserSections:
    """Sections of the browser; they go on showing a result whose volume was removed.

    Parameters
    ----------
    ui : widgets of the panel
    logic, parameters : give the logic and the parameters of the moment
    """

    def __init__(
        self,
        ui: Any,
        logic: Callable[[], Any],
        parameters: Callable[[], RetinaTriageParameterNode | None],
    ) -> None:
        self.browser = HypothesisBrowser()
        self.judgeAgain = JudgeAgain(self.browser, logic, parameters)
        layout = ui.verdictButton.parentWidget().layout()
        place = layout.indexOf(ui.verdictButton) + 1
        for section in (self.judgeAgain, self.browser):
            layout.insertWidget(place, section.button)
        self.judgeAgain.button.collapsed = True
        ui.inputSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.showVolume)

    def showVolume(self, volumeNode: Any) -> None:
        """Show the newest result of a volume; what is shown stays where it has none."""
        own = [one for one in findResults() if one.volumeNode is volumeNode]
        if volumeNode is not None and own:
            self.browser.show(own[-1])

    def cleanup(self) -> None:
        """Let go of the scene, as the module goes."""
        self.browser.cleanup()
        self.judgeAgain.cleanup()
