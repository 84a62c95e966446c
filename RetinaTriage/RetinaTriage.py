"""RetinaTriage for 3D Slicer: tissue hypotheses, opinions and measurements of retinal OCT."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

if TYPE_CHECKING:  # these take time to load, and Slicer loads this file at its start
    from RetinaTriageSlicer.run_settings import RunSettings
    from RetinaTriageSlicer.scene import ResultNodes
    from RetinaTriageSlicer.setup_needs import Need
    from RetinaTriageSlicer.triage_runs import TriageRun, TriageRuns

    from RetinaTriageLib.worker.client import WorkerClient
    from RetinaTriageLib.worker.messages import WorkerInfo


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


class RetinaTriageLogic(ScriptedLoadableModuleLogic):
    """Runs volumes of the scene in the worker; for panels, the Python console and scripts."""

    def __init__(self, client: WorkerClient | None = None) -> None:
        super().__init__()
        _findLibrary()
        self._client = client
        self._runs: TriageRuns | None = None
        self.onLog: Any = _ignore

    def getParameterNode(self) -> Any:
        """Typed parameters in the scene."""
        from RetinaTriageSlicer.parameters import RetinaTriageParameterNode

        return RetinaTriageParameterNode(super().getParameterNode())

    def process(self, volumeNode: Any, settings: RunSettings | None = None) -> ResultNodes:
        """Nodes of the result of one volume; waits for them, and opens no dialog.

        Raises
        ------
        RetinaTriageError
            If there is no result; the scene is then as it was.
        """
        run = self.processAsync(volumeNode, settings)
        run.job.wait()
        if run.error is not None:
            raise run.error
        return run.nodes

    def processAsync(
        self,
        volumeNode: Any,
        settings: RunSettings | None = None,
        onProgress: Any = None,
        onEnd: Any = None,
    ) -> TriageRun:
        """Start a run and return at once; ``onEnd(run)`` is called when it has ended."""
        from RetinaTriageSlicer.run_settings import RunSettings

        ignore = _ignore
        return self._ensureRuns().start(
            volumeNode, settings or RunSettings(), onProgress or ignore, onEnd or ignore
        )

    def cancel(self, run: TriageRun) -> None:
        """Stop a run."""
        self._ensureRuns().cancel(run)

    def workerInfo(self) -> WorkerInfo | None:
        """Tell what the worker is and which devices it has; None until it is ready."""
        return None if self._runs is None else self._runs.workerInfo

    def findDevices(self, onDevices: Any, onError: Any) -> None:
        """Ask the worker which devices it has; it is started if need be."""
        self._ensureRuns().findDevices(onDevices, onError)

    def tellLog(self, line: str) -> None:
        """Pass a line of the worker's log on to ``onLog``, a function that may be set."""
        self.onLog(line)

    def missingNeeds(self) -> tuple[Need, ...]:
        """List packages that the worker's Python lacks; none where a client was given."""
        if self._client is not None:
            return ()
        from RetinaTriageSlicer.setup_needs import missingNeeds

        return missingNeeds()

    def close(self) -> None:
        """End the worker and free its memory."""
        if self._runs is not None:
            self._runs.close()
            self._runs = None

    def _ensureRuns(self) -> TriageRuns:
        if self._runs is None:
            from RetinaTriageSlicer.triage_runs import TriageRuns

            self._runs = TriageRuns(self._client or _makeClient(self.tellLog))
        return self._runs


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


class RetinaTriageTest(ScriptedLoadableModuleTest):
    """Self test: checks what needs no networks, so that it takes seconds."""

    def runTest(self, **_options: Any) -> None:
        """Run all tests on an empty scene."""
        slicer.mrmlScene.Clear(False)
        self.test_parametersAreKeptInTheScene()

    def test_parametersAreKeptInTheScene(self) -> None:
        """A bundle chosen in the panel is found again in the parameter node."""
        RetinaTriageLogic().getParameterNode().bundlePath = "bundle.zip"
        assert RetinaTriageLogic().getParameterNode().bundlePath == "bundle.zip"


def _ignore(_event: object) -> None:
    """Do nothing about an event."""


def _findLibrary() -> None:
    """Make the library importable where the module runs from a source tree, not installed."""
    source = Path(__file__).resolve().parents[1]
    if (source / "RetinaTriageLib").is_dir() and str(source) not in sys.path:
        sys.path.append(str(source))


def _makeClient(onLog: Any) -> WorkerClient:
    from RetinaTriageLib.worker.client import WorkerClient

    python = shutil.which("PythonSlicer") or sys.executable
    return WorkerClient(python, slicer.util.startupEnvironment(), on_log=onLog)
