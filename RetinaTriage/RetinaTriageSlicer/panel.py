"""The panel: shows parameters, says why a run cannot start, starts it and follows it."""

from __future__ import annotations

import time
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from RetinaTriageLib.errors import CancelledError, RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.volume import describe
from RetinaTriageSlicer.run_settings import problems, settingsOf
from RetinaTriageSlicer.triage_runs import TriageRun
from RetinaTriageSlicer.volume_node import readVolumeNode

STAGES = {
    "segment": _("Segmenting B-scans"),
    "classify": _("Judging tissue maps"),
    "measure": _("Measuring"),
}


class Panel(slicer.util.VTKObservationMixin):
    """Wires the widgets of ``RetinaTriage.ui`` to the logic that it is given."""

    def __init__(self, ui: Any, logic: Any) -> None:
        super().__init__()
        self.ui = slicer.util.childWidgetVariables(ui)
        self.run: TriageRun | None = None
        self._logic = logic
        self._parameters: Any = None
        self._connection = 0
        self._started = 0.0
        self._shown = False
        self._observed: Any = None
        self.ui.logButton.collapsed = True
        self.ui.progressBar.setVisible(False)
        self.ui.applyButton.connect("clicked()", self.applyOrCancel)
        # A node that gets the id of one of a closed scene does not change the parameters.
        self.ui.inputSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onInput)
        events = slicer.vtkMRMLScene
        self.addObserver(slicer.mrmlScene, events.StartCloseEvent, self._onSceneStartClose)
        self.addObserver(slicer.mrmlScene, events.EndCloseEvent, self._onSceneEndClose)

    def enter(self) -> None:
        """Show the parameters of the scene."""
        self._shown = True
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
        parameters = self._parameters
        try:
            self._started = time.monotonic()
            self.run = self._logic.processAsync(
                parameters.inputVolume, settingsOf(parameters), self._onProgress, self._onEnd
            )
        except RetinaTriageError as error:
            self._say(str(error))
            return
        self.ui.statusLabel.text = _("Starting ...")
        self.ui.progressBar.setVisible(True)
        self.ui.progressBar.setRange(0, 0)
        self._showButton()

    def _onProgress(self, progress: Progress) -> None:
        self.ui.progressBar.setRange(0, progress.total)
        self.ui.progressBar.value = progress.done
        text = STAGES.get(progress.stage, progress.stage)
        if progress.total > 1:
            text = _("{stage} {done} of {total}").format(
                stage=text, done=progress.done, total=progress.total
            )
        if progress.stage == "segment" and 0 < progress.done < progress.total:
            passed = time.monotonic() - self._started
            left = passed / progress.done * (progress.total - progress.done)
            text = _("{text}, about {seconds} s left").format(text=text, seconds=round(left))
        self.ui.statusLabel.text = text
        if progress.message:
            self.ui.logText.appendPlainText(progress.message)

    def _onEnd(self, run: TriageRun) -> None:
        self.run = None
        self.ui.progressBar.setVisible(False)
        if run.error is None:
            self._say(_("Done: the results stand beside the volume in the Data module."))
        elif isinstance(run.error, CancelledError):
            self._say(_("Stopped; the scene is as it was."))
        else:
            self._say(str(run.error))
        self._showButton()

    def _onInput(self, node: Any) -> None:
        if self._parameters is not None:
            self._observe(node)
            self._onParameters()

    def _observe(self, node: Any) -> None:
        """Follow the geometry of one volume."""
        if self._observed is not None:
            self.removeObserver(self._observed, vtk.vtkCommand.ModifiedEvent, self._onParameters)
        self._observed = node
        if node is not None:
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._onParameters)

    def _onParameters(self, _caller: Any = None, _event: str = "") -> None:
        self._showButton()
        self.ui.geometryLabel.text = self._geometryText()

    def _onSceneStartClose(self, _caller: Any, _event: str) -> None:
        if self.run is not None:
            self._logic.cancel(self.run)
        self.disconnectScene()

    def _onSceneEndClose(self, _caller: Any, _event: str) -> None:
        if self._shown:
            self.connectScene()

    def _showButton(self) -> None:
        """Apply, or Cancel; disabled with every reason in its tooltip."""
        button = self.ui.applyButton
        if self.run is not None:
            button.text, button.enabled = _("Cancel"), True
            button.toolTip = _("Stop the run; the scene stays as it was.")
            return
        node = self._parameters.inputVolume if self._parameters is not None else None
        found = problems(node, self._parameters) if self._parameters is not None else []
        button.text = _("Apply")
        button.enabled = self._parameters is not None and not found
        button.toolTip = "\n".join(found) or _("Segment, judge and measure the volume.")

    def _geometryText(self) -> str:
        """Tell what is known of the volume, and what is assumed."""
        node = self._parameters.inputVolume
        if node is None or node.GetImageData() is None:
            return _("Choose a volume.")
        try:
            volume, _grid = readVolumeNode(node, settingsOf(self._parameters).stated)
        except RetinaTriageError as error:
            return str(error)
        bscans, depths, widths = volume.shape
        lines = [
            _("{bscans} B-scans of {depths} x {widths}").format(
                bscans=bscans, depths=depths, widths=widths
            ),
            _("Spacing: {spacing}").format(spacing=describe(volume.spacing)),
            _("Eye: {eye}, scanner: {scanner}").format(
                eye=describe(volume.laterality), scanner=describe(volume.device)
            ),
            *volume.assumed,
        ]
        return "\n".join(lines)

    def _say(self, text: str) -> None:
        self.ui.statusLabel.text = text
        self.ui.logText.appendPlainText(text)
