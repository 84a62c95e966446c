"""The panel: its sections, the button that starts and stops a run, and what became of the run."""

from __future__ import annotations

import time
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from RetinaTriageLib.errors import CancelledError, RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageSlicer.browser_sections import BrowserSections
from RetinaTriageSlicer.bscan_section import BscanSection
from RetinaTriageSlicer.bundle_section import BundleSection
from RetinaTriageSlicer.device_section import DeviceSection
from RetinaTriageSlicer.geometry_section import GeometrySection
from RetinaTriageSlicer.log_panel import LogPanel
from RetinaTriageSlicer.output_section import OutputSection, resultOf
from RetinaTriageSlicer.patient_section import PatientSection
from RetinaTriageSlicer.reading_section import ReadingSection
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.run_progress import RunProgress
from RetinaTriageSlicer.run_settings import settingsOf
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.setup_section import SetupSection
from RetinaTriageSlicer.tool_sections import ToolSections
from RetinaTriageSlicer.triage_runs import TriageRun
from RetinaTriageSlicer.verdict_section import VerdictSection


class Panel(slicer.util.VTKObservationMixin):
    """Wires the widgets of ``RetinaTriage.ui`` to the logic that it is given."""

    def __init__(self, ui: Any, logic: Any) -> None:
        super().__init__()
        self.ui = slicer.util.childWidgetVariables(ui)
        self.run: TriageRun | None = None
        self._logic = logic
        self._parameters: Any = None
        self._connection = 0
        self._shown = False
        self._observed: Any = None
        self._progress = RunProgress()
        self._replaced: ResultNodes | None = None
        self._log = LogPanel(self.ui)
        self._setup = SetupSection(self.ui, lambda: self._logic.needs(), self._onParameters)
        self._bundle = BundleSection(self.ui, self._onBundlePath)
        self._device = DeviceSection(
            self.ui, lambda *answers: self._logic.findDevices(*answers), self._onParameters
        )
        self._geometry = GeometrySection(self.ui)
        self._patient = PatientSection(self.ui)
        self._output = OutputSection(self.ui, self._onSwap)
        self.tools = ToolSections(self.ui, lambda: self._logic, lambda: self._parameters)
        self.bscans = BscanSection(self.ui, lambda: self._logic, lambda: self._parameters)
        self._verdict = VerdictSection(self.ui, self._onShown)
        self.tools.onSettled = self._showNewest
        self.browser = BrowserSections(self.ui, lambda: self._logic, lambda: self._parameters)
        self.reading = ReadingSection(self.ui, self._onCase)
        self._sections = (
            self._geometry,
            self._bundle,
            self._device,
            self._patient,
            self._output,
        )
        self.ui.patientButton.collapsed = True
        self.ui.progressBar.setVisible(False)
        self._verdict.show(None)
        self.ui.applyButton.connect("clicked()", self.applyOrCancel)
        # A node that gets the id of one of a closed scene does not change the parameters.
        self.ui.inputSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onInput)
        events = slicer.vtkMRMLScene
        self.addObserver(slicer.mrmlScene, events.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(slicer.mrmlScene, events.EndCloseEvent, self._onSceneEndClose)
        self.addObserver(slicer.mrmlScene, events.NodeRemovedEvent, self._onNodeRemoved)
        self.addObserver(slicer.mrmlScene, events.NodeAddedEvent, self._onNodeAdded)

    def useLogic(self, logic: Any) -> None:
        """Run with another logic, such as one that has another worker; before `enter`."""
        self._logic = logic
        self._device.forget()

    def enter(self) -> None:
        """Show the parameters of the scene, and look what is installed."""
        self._shown = True
        self._logic.onLog = self._log.append
        self._setup.refresh()
        self.connectScene()

    def exit(self) -> None:
        """Leave the scene alone while another module is shown."""
        self._shown = False
        self.disconnectScene()

    def connectScene(self) -> None:
        """Show the parameters of the scene, and follow them."""
        self.disconnectScene()
        self._parameters = self._logic.getParameterNode()
        self._connection = self._parameters.connectGui(self.ui)
        self.addObserver(
            self._parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self._onParameters
        )
        self._onInput(self._parameters.inputVolume)

    def disconnectScene(self) -> None:
        """Let go of the parameters."""
        if self._parameters is not None:
            self.removeObserver(
                self._parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self._onParameters
            )
            self._parameters.disconnectGui(self._connection)
            self._parameters = None
        self._observe(None)

    def applyOrCancel(self) -> None:
        """Start a run, or stop the one that is going on."""
        if self.run is not None:
            self.ui.statusLabel.text = _("Stopping ...")
            self._logic.cancel(self.run)
            return
        parameters, scan = self._parameters, self._geometry.scan
        if scan is None or not self._output.mayStart(parameters):
            return
        self._replaced = resultOf(parameters.outputSegmentation)
        self._progress = RunProgress()
        try:
            self.run = self._logic.processAsync(
                parameters.inputVolume,
                settingsOf(parameters, scan),
                self._onProgress,
                self._onEnd,
            )
        except RetinaTriageError as error:
            self._say(forPanel(str(error)))
            return
        self._say(_("Starting on {volume} ...").format(volume=parameters.inputVolume.GetName()))
        self.ui.progressBar.setVisible(True)
        self.ui.progressBar.setRange(0, 0)
        self._showButton()

    def _onProgress(self, progress: Progress) -> None:
        counted = progress.total if progress.total > 1 else 0  # 0 of 0: busy, no share known
        self.ui.progressBar.setRange(0, counted)
        self.ui.progressBar.value = min(progress.done, counted)
        self.ui.statusLabel.text = self._progress.text(progress, time.monotonic())
        if progress.message:
            self._log.append(forPanel(progress.message))

    def _onEnd(self, run: TriageRun) -> None:
        self.run = None
        self.ui.progressBar.setVisible(False)
        info = self._logic.workerInfo()
        if info is not None:
            self._device.remember(info.devices)
        if run.nodes is not None:
            self._output.finish(self._replaced, run.nodes)
            self._say(_("Done: the results stand beside the volume in the Data module."))
            self._choose(run.nodes if self._replaced is not None else None)
            self._verdict.show(run.nodes)
        elif isinstance(run.error, CancelledError):
            self._say(_("Stopped; the scene is as it was."))
        else:
            self._say(forPanel(str(run.error)))
            details = getattr(run.error, "details", "")
            if details:
                self._log.append(details)
        self._replaced = None
        self._onParameters()

    def _onSwap(self, shown: ResultNodes) -> None:
        self._choose(shown)
        self._verdict.show(shown)
        self._onParameters()

    def _choose(self, result: ResultNodes | None) -> None:
        """Choose a result as the one that the next run replaces; None is a new one."""
        if self._parameters is not None:
            self._parameters.outputSegmentation = None if result is None else result.consensus

    def _onBundlePath(self, path: str) -> None:
        if self._parameters is not None and path != self._parameters.bundlePath:
            self._parameters.bundlePath = path

    def _onInput(self, node: Any) -> None:
        if self._parameters is not None:
            self._observe(node)
            self._onParameters()
            self.bscans.showVolume(node)
            self._verdict.showVolume(node)

    def _onShown(self, result: ResultNodes | None) -> None:
        self.tools.show(result)
        self.bscans.compare(result)

    def _onCase(self, volumeNode: Any, result: ResultNodes | None) -> None:
        """Show a case of a cohort, which the list of volumes may have chosen before its result."""
        self.ui.inputSelector.setCurrentNode(volumeNode)
        self._verdict.show(result)
        if result is not None:
            self.browser.browser.show(result)

    def _observe(self, node: Any) -> None:
        """Follow the geometry of one volume."""
        if self._observed is not None:
            self.removeObserver(self._observed, vtk.vtkCommand.ModifiedEvent, self._onParameters)
        self._observed = node
        if node is not None:
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._onParameters)

    def _onParameters(self, _caller: Any = None, _event: str = "") -> None:
        if self._parameters is not None:
            for section in self._sections:
                section.show(self._parameters)
            self.bscans.showParameters(self._parameters)
        self._showButton()

    def _onNodeRemoved(self, _caller: Any, _event: str) -> None:
        self._output.showUndo()
        self.tools.dropRemoved()
        self.bscans.dropRemoved()

    def _onNodeAdded(self, _caller: Any, _event: str) -> None:
        self.tools.lookAgain()

    def _showNewest(self) -> None:
        """Show a result of the chosen volume that a script has brought into the scene."""
        if self.run is None and self._parameters is not None:
            self._verdict.showVolume(self._parameters.inputVolume)

    def _onSceneStartClose(self, _caller: Any, _event: str) -> None:
        self.disconnectScene()
        self._geometry.forget()
        self._output.forget()
        self.bscans.showVolume(None)
        self._verdict.show(None)

    def _onSceneEndClose(self, _caller: Any, _event: str) -> None:
        if self._shown:
            self.connectScene()

    def _showButton(self) -> None:
        """Apply, or Cancel; disabled with every reason in its tooltip and below it."""
        button, label = self.ui.applyButton, self.ui.reasonsLabel
        if self.run is not None:
            button.text, button.enabled = _("Cancel"), True
            button.toolTip = _("Stop the run; the scene stays as it was.")
            label.setVisible(False)
            return
        found = [] if self._parameters is None else self._problems()
        button.text = _("Apply")
        button.enabled = self._parameters is not None and not found
        button.toolTip = "\n".join(found) or _("Segment, judge and measure the volume.")
        label.text = "\n".join(found)
        label.setVisible(bool(found))

    def _problems(self) -> list[str]:
        """Every reason why a run cannot start."""
        return [
            *self._setup.problems(),
            *(one for section in self._sections for one in section.problems(self._parameters)),
        ]

    def _say(self, text: str) -> None:
        self.ui.statusLabel.text = text
        self._log.append(text)
