"""Section of the B-scan classifier: judges every B-scan of the volume, beside the tissue maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ctk
import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.bscan_verdict import BscanVerdict, pooled_again
from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.image_classes import Pooling, with_referrals
from RetinaTriageLib.worker.messages import JudgeBscansRequest
from RetinaTriageSlicer import bscan_nodes
from RetinaTriageSlicer.bscan_table import BscanTable
from RetinaTriageSlicer.bscan_words import besideTissueMaps, bundleWords, verdictWords
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.places import jumpTo, pointOf
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.run_settings import statedAxis
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.section_job import SectionJob
from RetinaTriageSlicer.volume_node import StatedGeometry, readVolumeNode
from RetinaTriageSlicer.widgets import makeBox, makeButton, makeLabel, makeProgress, makeSection

POOLINGS: tuple[Pooling | None, ...] = (None, *Pooling)


class BscanSection:
    """Judges the chosen volume by its B-scans; whatever tissue maps there are is not touched."""

    def __init__(
        self,
        ui: Any,
        logic: Callable[[], Any],
        parameters: Callable[[], RetinaTriageParameterNode | None],
    ) -> None:
        self._logic, self._parameters = logic, parameters
        self._volumeNode: Any = None
        self._result: ResultNodes | None = None
        self.verdict: BscanVerdict | None = None
        self._makeWidgets()
        layout = ui.logButton.parentWidget().layout()
        layout.insertWidget(layout.indexOf(ui.logButton), self.button)
        self.button.collapsed = True

    @property
    def job(self) -> Any:
        """What the worker is at; None while nothing was asked."""
        return self._work.job

    def showVolume(self, volumeNode: Any) -> None:
        """Show what is known of a volume, such as one of a scene that was opened."""
        if volumeNode is not self._volumeNode:
            self._work.stop()
        self._volumeNode = volumeNode
        table = bscan_nodes.findVerdict(volumeNode)
        self._show(None if table is None else bscan_nodes.readVerdict(table))

    def compare(self, result: ResultNodes | None) -> None:
        """Show the verdict beside that of a result of tissue maps, if it is of the same volume."""
        self._result = result
        self._say()

    def dropRemoved(self) -> None:
        """Let go of a volume or tables that were removed from the scene."""
        node = self._volumeNode
        if node is not None and not slicer.mrmlScene.IsNodePresent(node):
            self.showVolume(None)
        elif self.verdict is not None and bscan_nodes.findVerdict(node) is None:
            self._show(None)

    def problems(self) -> list[str]:
        """Every reason why the B-scans cannot be judged."""
        found = []
        if self._volumeNode is None:
            found.append(_("Choose the volume under Inputs."))
        if self._bundle() is None:
            found.append(_("Choose the folder or zip of a bundle of whole-image classifiers."))
        return found

    def start(self) -> None:
        """Have every B-scan judged; or stop that."""
        if self.job is not None:
            self._work.stop()
            return
        found, bundle, parameters = self.problems(), self._bundle(), self._parameters()
        if found or bundle is None:
            self.status.text = "\n".join(found)
            return
        axis = None if parameters is None else statedAxis(parameters)
        try:
            volume, _grid = readVolumeNode(self._volumeNode, StatedGeometry(bscanAxis=axis))
        except RetinaTriageError as error:
            self.status.text = forPanel(str(error))
            return
        compute = "auto" if parameters is None else parameters.compute.value
        request = JudgeBscansRequest(volume, bundle, self._pooling(), compute)
        node = self._volumeNode
        self._work.start(
            request, _("Loading the bundle ..."), lambda answer: self._onResult(answer, node)
        )

    def showCurve(self) -> None:
        """Show the scores along the volume in a plot view."""
        chart = bscan_nodes.findChart(self._volumeNode)
        if chart is not None:
            slicer.modules.plots.logic().ShowChartInLayout(chart)

    def _onResult(self, verdict: BscanVerdict, volumeNode: Any) -> None:
        if slicer.mrmlScene.IsNodePresent(volumeNode):
            bscan_nodes.writeVerdict(verdict, volumeNode)
            self._show(verdict)

    def showParameters(self, parameters: RetinaTriageParameterNode) -> None:
        """Show the bundle that the scene names."""
        if self.bundleEdit.currentPath != parameters.bscanBundlePath:
            self.bundleEdit.currentPath = parameters.bscanBundlePath

    def _onBundle(self, path: str = "") -> None:
        parameters, bundle = self._parameters(), self._bundle()
        if parameters is not None and path != parameters.bscanBundlePath:
            parameters.bscanBundlePath = path
        self.bundleLabel.text = "" if bundle is None else bundleWords(bundle)

    def _onPooling(self, _index: int = 0) -> None:
        """Pool what was judged in the chosen way."""
        pooling = self._pooling()
        if self.verdict is not None and pooling is not None:
            self._keep(pooled_again(self.verdict, self.verdict.task, pooling))

    def _onReferral(self, name: str, referral: str | None) -> None:
        """Let a class ask for another referral."""
        if self.verdict is None:
            return
        task = self.verdict.task
        if referral is None:
            classes = tuple(
                replace(each, referral=None) if each.name == name else each for each in task.classes
            )
        else:
            classes = with_referrals(task.classes, {name: referral})
        self._keep(pooled_again(self.verdict, replace(task, classes=classes), self.verdict.pooling))

    def _keep(self, verdict: BscanVerdict) -> None:
        """Show a verdict that was pooled again, and put it in place of the one in the scene."""
        bscan_nodes.writeVerdict(verdict, self._volumeNode)
        self._show(verdict)

    def _show(self, verdict: BscanVerdict | None) -> None:
        self.verdict = verdict
        self.plotButton.enabled = verdict is not None
        self.classes.show(verdict)
        self._say()

    def _say(self) -> None:
        """Write the verdict, and the other one beside it."""
        if self.verdict is None:
            self.verdictLabel.text = ""
            return
        same = self._result is not None and self._result.volumeNode is self._volumeNode
        lines = [verdictWords(self.verdict)]
        if same and self._result is not None:
            lines += ["", besideTissueMaps(self.verdict, self._result)]
        self.verdictLabel.text = "\n".join(lines)

    def _onClass(self, name: str) -> None:
        """Show the B-scan that shows the chosen class most in the views."""
        if self.verdict is None:
            return
        parameters = self._parameters()
        axis = None if parameters is None else statedAxis(parameters)
        try:
            volume, grid = readVolumeNode(self._volumeNode, StatedGeometry(bscanAxis=axis))
        except RetinaTriageError as error:
            self.status.text = forPanel(str(error))
            return
        bscan = self.verdict.strongest_bscan(name)
        _bscans, depths, widths = volume.shape
        jumpTo(pointOf(self._volumeNode, grid, depths, (bscan, depths // 2, widths // 2)))

    def _pooling(self) -> Pooling | None:
        return POOLINGS[max(0, self.poolingBox.currentIndex)]

    def _bundle(self) -> Path | None:
        chosen = self.bundleEdit.currentPath.strip()
        return Path(chosen) if chosen else None

    def _makeWidgets(self) -> None:
        self.button, form = makeSection(
            "bscanButton",
            _("B-scan classifier"),
            _("Judges every B-scan by itself, without tissue maps, and the volume by its B-scans."),
        )
        self.bundleEdit = ctk.ctkPathLineEdit()
        self.bundleEdit.objectName = "bscanBundleEdit"
        self.bundleEdit.toolTip = _(
            "Folder or zip of a bundle of whole-image classifiers, as train transfer makes them."
        )
        self.bundleEdit.filters = ctk.ctkPathLineEdit.Dirs | ctk.ctkPathLineEdit.Files
        self.bundleEdit.nameFilters = ("*.zip",)
        self.bundleLabel = makeLabel(
            "bscanBundleLabel", _("What the bundle says of itself, or why it cannot be used.")
        )
        self.poolingBox = makeBox(
            "bscanPoolingBox",
            _("How the scores of the B-scans become those of the volume; may be changed later."),
        )
        titles = {
            None: _("As the bundle says"),
            Pooling.MAXIMUM: _("Maximum: the B-scan that shows most"),
            Pooling.MEAN: _("Mean of all B-scans"),
            Pooling.ATTENTION: _("Attention: B-scans weighted"),
        }
        for pooling in POOLINGS:
            self.poolingBox.addItem(titles[pooling])
        self.runButton = makeButton(
            "bscanRunButton",
            _("Judge B-scans"),
            _("Judge every B-scan of the volume; tissue maps are neither needed nor changed."),
        )
        self.progress = makeProgress("bscanProgress", _("How many B-scans have been judged."))
        self.status = makeLabel("bscanLabel", _("How far the work is, or why it cannot be done."))
        self._work = SectionJob(
            self._logic,
            self.runButton,
            self.progress,
            self.status,
            _("Judged {done} of {total} B-scans."),
        )
        self.verdictLabel = makeLabel(
            "bscanVerdictLabel",
            _("Verdict on the volume, and whether it agrees with that of the tissue maps."),
        )
        self.classes = BscanTable(self._onReferral, self._onClass)
        self.plotButton = makeButton(
            "bscanPlotButton",
            _("Show curve"),
            _("Show the scores of all B-scans along the volume in a plot."),
        )
        self.plotButton.enabled = False
        form.addRow(_("Bundle:"), self.bundleEdit)
        form.addRow(self.bundleLabel)
        form.addRow(_("Pooling:"), self.poolingBox)
        form.addRow(self.runButton)
        form.addRow(self.progress)
        form.addRow(self.status)
        form.addRow(self.verdictLabel)
        form.addRow(self.classes.table)
        form.addRow(self.plotButton)
        self.runButton.connect("clicked()", self.start)
        self.plotButton.connect("clicked()", self.showCurve)
        self.bundleEdit.connect("currentPathChanged(QString)", self._onBundle)
        self.poolingBox.connect("currentIndexChanged(int)", self._onPooling)
