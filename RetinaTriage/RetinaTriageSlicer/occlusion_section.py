"""Section of the occlusion test: which part of a B-scan a score rests on, as a colored overlay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.explain.lone_bscan import lone_bscan, picture_of
from RetinaTriageLib.explain.occlusion_map import (
    AUTO,
    SIDES,
    GrayChoice,
    OcclusionBox,
    OcclusionMap,
    OcclusionMode,
)
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.worker.messages import OccludeRequest, PatientFacts
from RetinaTriageSlicer.occlusion_node import removeOcclusion, showOcclusion
from RetinaTriageSlicer.occlusion_scores import Score, scoresOf
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.places import indexOf, jumpTo, pointOf
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.run_settings import patientFacts
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.section_job import SectionJob
from RetinaTriageSlicer.shown_case import ShownCase, readCase
from RetinaTriageSlicer.widgets import (
    fillBox,
    makeBox,
    makeButton,
    makeCheck,
    makeLabel,
    makeProgress,
    makeSection,
)

_FILLS: tuple[GrayChoice, ...] = (SIDES, AUTO, 0.0)  # in the order in which they are shown


class OcclusionSection:
    """Has a box hidden all over one B-scan, and shows how far the chosen score drops."""

    def __init__(
        self,
        logic: Callable[[], Any],
        parameters: Callable[[], RetinaTriageParameterNode | None],
    ) -> None:
        self._logic, self._parameters = logic, parameters
        self._nodes: ResultNodes | None = None
        self._case: ShownCase | None = None
        self._scores: tuple[Score, ...] = ()
        self._makeWidgets()

    @property
    def job(self) -> Any:
        """What the worker is at; None while nothing was asked."""
        return self._work.job

    def show(self, nodes: ResultNodes | None) -> None:
        """Show a result: its B-scans and the scores of its bundle."""
        self._work.stop()
        self._nodes, self._case = nodes, None
        self.status.text = ""
        if nodes is not None and not self.button.collapsed:
            self._fill()

    def problems(self) -> list[str]:
        """Every reason why no B-scan can be tested."""
        if self._nodes is None:
            return [_("There is no result to explain.")]
        try:
            case = self._readCase()
            bundle = self._bundle(case)
            self._scores = () if bundle is None else scoresOf(bundle)
        except RetinaTriageError as error:
            return [forPanel(str(error))]
        if bundle is None:
            name = self._nodes.consensus.GetAttribute(PREFIX + "Bundle") or _("unknown")
            return [
                _(
                    "{bundle} made this result and is not at hand: choose it under Inputs, or "
                    "another bundle here."
                ).format(bundle=name)
            ]
        return []

    def start(self) -> None:
        """Have the chosen B-scan tested; or stop that."""
        if self.job is not None:
            self._work.stop()
            return
        self._case = None  # what is stated under Inputs may have changed
        if not self._fill():
            return
        case, parameters = self._readCase(), self._parameters()
        bscan = self.bscanBox.value - 1
        score = self._scores[max(0, self.scoreBox.currentIndex)]
        slow = self.everyCheck.checked
        tested = lone_bscan(case.volume, bscan)
        request = OccludeRequest(
            tested,
            score.name,
            self._bundle(case),
            OcclusionMode.EXHAUSTIVE if slow else OcclusionMode.FAST,
            compute="auto" if parameters is None else parameters.compute.value,
            operating_point=case.nodes.consensus.GetAttribute(PREFIX + "OperatingPoint")
            or "balanced",
            patient=PatientFacts() if parameters is None else patientFacts(parameters),
            box=self._box(tested),
        )
        self._work.start(
            request,
            _("Judging the B-scan as it is ..."),
            lambda answer: self._onResult(answer, case, bscan, score),
        )

    def _box(self, bscan: OCTVolume) -> OcclusionBox:
        """Box of the paper's size, filled as was chosen."""
        from RetinaTriageLib.explain.box_gray import filled_box  # loads SciPy

        gray = _FILLS[max(0, self.grayBox.currentIndex)]
        return filled_box(picture_of(bscan), OcclusionBox().width, gray)

    def _onResult(self, found: OcclusionMap, case: ShownCase, bscan: int, score: Score) -> None:
        if not slicer.mrmlScene.IsNodePresent(case.nodes.consensus) or case.volumeNode is None:
            return
        depth, width = found.place
        if found.extent is None:
            removeOcclusion(case)
            self.status.text = _(
                "{score} is {before:.2f} on B-scan {bscan}, and no box lowers it."
            ).format(score=score.title, before=found.probability, bscan=bscan + 1)
            return
        showOcclusion(found, case, bscan, score.title)
        place = (bscan, depth, width)
        jumpTo(pointOf(case.volumeNode, case.grid, case.volume.shape[1], place))
        self.status.text = _(
            "{score} is {before:.2f} on B-scan {bscan} alone, and {after:.2f} with the box at "
            "depth {depth}, A-scan {width}. Region of interest: {pixels} pixels with at "
            "least {share:.0%} of that drop."
        ).format(
            score=score.title,
            before=found.probability,
            after=found.probability - found.largest,
            bscan=bscan + 1,
            depth=depth + 1,
            width=width + 1,
            pixels=int(found.region.sum()),
            share=found.share,
        )

    def _fill(self) -> bool:
        """Offer what can be chosen; tells whether there is anything, and else says why not."""
        found = self.problems()
        fillBox(self.scoreBox, [score.title for score in self._scores])
        self.scoreBox.enabled = bool(self._scores)
        if found:
            self.status.text = "\n".join(found)
            return False
        count = self._readCase().volume.shape[0]
        if self.bscanBox.maximum != count:
            self.bscanBox.blockSignals(True)
            self.bscanBox.setRange(1, count)
            self.bscanBox.value = self._shownBscan() + 1
            self.bscanBox.blockSignals(False)
        return True

    def _onOpened(self, _change: object = None) -> None:
        if not self.button.collapsed and self._nodes is not None and self.job is None:
            self.status.text = ""
            self._fill()

    def _onBscan(self, number: int) -> None:
        """Show the chosen B-scan in the views."""
        if self._nodes is None:
            return
        case = self._readCase()
        _bscans, depths, widths = case.volume.shape
        middle = (number - 1, depths // 2, widths // 2)
        jumpTo(pointOf(case.volumeNode, case.grid, depths, middle))

    def _shownBscan(self) -> int:
        """B-scan that the axial view shows, from 0; the nearest one of the scan."""
        case = self._readCase()
        sliceToRas = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetSliceToRAS()
        point = [sliceToRas.GetElement(row, 3) for row in range(3)]
        bscan = indexOf(case.volumeNode, case.grid, case.volume.shape[1], point)[0]
        return min(max(0, round(bscan)), case.volume.shape[0] - 1)

    def _bundle(self, case: ShownCase) -> Path | None:
        chosen = self.bundleEdit.currentPath.strip()
        return Path(chosen) if chosen else case.bundle

    def _readCase(self) -> ShownCase:
        assert self._nodes is not None
        if self._case is None:
            self._case = readCase(self._nodes, self._parameters())
        return self._case

    def _makeWidgets(self) -> None:
        self.button, form = makeSection(
            "occlusionButton",
            _("Occlusion test of a B-scan"),
            _("Hides a box of one B-scan at a time, and shows where that lowers a score."),
        )
        self.bundleEdit = ctk.ctkPathLineEdit()
        self.bundleEdit.objectName = "occlusionBundleEdit"
        self.bundleEdit.toolTip = _(
            "Folder of another model bundle, such as one of whole-image classifiers; empty for "
            "the bundle that made the result."
        )
        self.bundleEdit.filters = ctk.ctkPathLineEdit.Dirs
        self.scoreBox = makeBox("occlusionScoreBox", _("Score whose drop is shown."))
        self.bscanBox = qt.QSpinBox()
        self.bscanBox.objectName = "occlusionBscanBox"
        self.bscanBox.toolTip = _("B-scan to test, counted from 1; it is judged by itself.")
        self.bscanBox.setRange(1, 1)
        self.everyCheck = makeCheck(
            "occlusionEveryCheck",
            _("Every position"),
            _(
                "Put the box on every pixel, as Kermany et al. did, and not only where it "
                "matters; this takes more than 50 times as long."
            ),
            checked=False,
        )
        self.grayBox = makeBox(
            "occlusionGrayBox",
            _(
                "What fills the box. A black box hides nothing where it is dark already, as fluid "
                "is; the gray of the tissue takes fluid away, but breaks other layers too."
            ),
        )
        fillBox(
            self.grayBox,
            [_("What lies beside it"), _("Gray of the tissue"), _("Black, as in the paper")],
        )
        self.runButton = makeButton(
            "occlusionRunButton",
            _("Test"),
            _("Judge the B-scan again and again with a box of 20 x 20 pixels in it."),
        )
        self.progress = makeProgress(
            "occlusionProgress", _("How many of the boxes have been judged.")
        )
        self.status = makeLabel(
            "occlusionLabel", _("Where the score drops most, or why nothing can be tested.")
        )
        self._work = SectionJob(
            self._logic,
            self.runButton,
            self.progress,
            self.status,
            _("Judged {done} of at most {total} boxes."),
        )
        form.addRow(_("Other bundle:"), self.bundleEdit)
        form.addRow(_("Score:"), self.scoreBox)
        form.addRow(_("B-scan:"), self.bscanBox)
        form.addRow(_("Box filled with:"), self.grayBox)
        form.addRow(self.everyCheck)
        form.addRow(self.runButton)
        form.addRow(self.progress)
        form.addRow(self.status)
        self.runButton.connect("clicked()", self.start)
        self.button.connect("contentsCollapsed(bool)", self._onOpened)
        self.bundleEdit.connect("currentPathChanged(QString)", self._onOpened)
        self.bscanBox.connect("valueChanged(int)", self._onBscan)
