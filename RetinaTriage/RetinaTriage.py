"""RetinaTriage for 3D Slicer: tissue hypotheses, opinions and measurements of retinal OCT."""

from __future__ import annotations

from typing import Any

import slicer
from RetinaTriageSlicer.logic import RetinaTriageLogic
from RetinaTriageSlicer.self_test import RetinaTriageTest
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget

__all__ = ["RetinaTriage", "RetinaTriageLogic", "RetinaTriageTest", "RetinaTriageWidget"]


class RetinaTriage(ScriptedLoadableModule):
    """Name, category and help of the module."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        parent.title = _("Retina Triage")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["Segmentations", "Terminologies", "Colors"]
        parent.contributors = ["RetinaTriage contributors"]
        parent.helpText = _(
            "Segments retinal OCT volumes into 15 tissue classes with several networks, lets "
            "further networks judge every tissue map, and measures the tissues. Research use "
            "only: not a medical device, not for diagnosis or treatment decisions."
        )
        parent.acknowledgementText = _(
            "Restates the system of De Fauw et al., Nature Medicine 2018 (US 11,954,902 B2)."
        )
        slicer.app.connect("startupCompleted()", lambda: _onStartup(parent))


class RetinaTriageWidget(ScriptedLoadableModuleWidget):
    """The panel: made and let go here, wired in `RetinaTriageSlicer.panel`."""

    def setup(self) -> None:
        """Build the panel."""
        super().setup()
        self.logic = RetinaTriageLogic()
        from RetinaTriageSlicer.panel import Panel

        ui = slicer.util.loadUI(self.resourcePath("UI/RetinaTriage.ui"))
        ui.setMRMLScene(slicer.mrmlScene)
        self.layout.addWidget(ui)
        self.panel = Panel(ui, self.logic)

    def enter(self) -> None:
        """Show the parameters of the scene."""
        self.panel.enter()

    def exit(self) -> None:
        """Leave the scene alone while another module is shown."""
        self.panel.exit()

    def cleanup(self) -> None:
        """Let go of the scene and of the worker."""
        self.panel.exit()
        self.panel.removeObservers()
        self.logic.close()


def _onStartup(module: Any) -> None:
    """Offer the sample scan, and the logic's methods where Slicer's console looks for them.

    ``slicer.modules.retinatriage.logic()`` of a scripted module is an empty object of C++.
    """
    from RetinaTriageSlicer.sample_data import registerSampleData

    registerSampleData()
    empty, logic = module.logic(), RetinaTriageLogic()
    for name in ("process", "processAsync", "processBatch", "settings"):
        setattr(empty, name, getattr(logic, name))
