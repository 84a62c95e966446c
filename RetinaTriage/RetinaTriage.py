"""RetinaTriage for 3D Slicer: tissue hypotheses, opinions and measurements of retinal OCT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from RetinaTriageSlicer.logic import RetinaTriageLogic
from RetinaTriageSlicer.self_test import RetinaTriageTest
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget

__all__ = [
    "RetinaTriage",
    "RetinaTriageFileReader",
    "RetinaTriageLogic",
    "RetinaTriageTest",
    "RetinaTriageWidget",
]


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
        self.panel.tools.close()
        self.panel.browser.cleanup()
        self.panel.reading.cleanup()
        self.logic.close()


class RetinaTriageFileReader:
    """Reads OCT files of scanners; Slicer finds it by its name."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent

    def description(self) -> str:
        """Title in Slicer's list of file types."""
        return _("Retinal OCT scan")

    def fileType(self) -> str:
        """Name by which ``slicer.util.loadNodeFromFile`` asks for this reader."""
        return "RetinalOctFile"

    def extensions(self) -> list[str]:
        """List of formats and endings."""
        from RetinaTriageSlicer.scan_formats import extensions

        return extensions()

    def canLoadFile(self, filePath: str) -> bool:
        """Tell whether a file is such a scan."""
        return self.canLoadFileConfidence(filePath) > 0

    def canLoadFileConfidence(self, filePath: str) -> float:
        """Say how surely it is, 0 to 1; 0.5 is what Slicer's own readers say."""
        from RetinaTriageSlicer.scan_formats import confidence

        return confidence(Path(filePath))

    def load(self, properties: dict[str, Any]) -> bool:
        """Load the scans of a file; False, with a message, where none can be read."""
        import vtk
        from RetinaTriageSlicer.file_reader import loadScans

        from RetinaTriageLib.errors import RetinaTriageError

        messages = self.parent.userMessages()

        def onLeftOut(message: str) -> None:
            messages.AddMessage(vtk.vtkCommand.WarningEvent, message)

        try:
            nodes = loadScans(properties, onLeftOut)
        except RetinaTriageError as error:
            messages.AddMessage(vtk.vtkCommand.ErrorEvent, str(error))
            return False
        self.parent.loadedNodes = [node.GetID() for node in nodes]
        return True


def _onStartup(module: Any) -> None:
    """Offer the sample scan, and the logic's methods where Slicer's console looks for them.

    ``slicer.modules.retinatriage.logic()`` of a scripted module is an empty object of C++.
    """
    from RetinaTriageSlicer.sample_data import registerSampleData

    registerSampleData()
    if hasattr(slicer, "dicomDatabase"):  # Slicer can be built, or started, without DICOM
        from RetinaTriageSlicer.dicom_plugin import registerPlugin

        registerPlugin()
    empty, logic = module.logic(), RetinaTriageLogic()
    for name in ("process", "processAsync", "processBatch", "settings", "exportToDicomDatabase"):
        setattr(empty, name, getattr(logic, name))
