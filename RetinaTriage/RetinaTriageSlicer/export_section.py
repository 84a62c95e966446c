"""Section of the export: what is shown as files, and a corrected map as a pair for training."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.result import Fovea
from RetinaTriageSlicer import export_files
from RetinaTriageSlicer.parameters import RetinaTriageParameterNode
from RetinaTriageSlicer.provenance import INPUT_ROLE
from RetinaTriageSlicer.remedies import forPanel
from RetinaTriageSlicer.scene import ResultNodes
from RetinaTriageSlicer.shown_case import readCase
from RetinaTriageSlicer.widgets import (
    fillBox,
    makeBox,
    makeButton,
    makeCheck,
    makeLabel,
    makeSection,
)


class ExportSection:
    """Writes into a new folder; a message names it, and no dialog comes up.

    Parameters
    ----------
    fovea : gives the place that was chosen in the views; None where none was
    """

    def __init__(
        self,
        parameters: Callable[[], RetinaTriageParameterNode | None],
        fovea: Callable[[], Fovea | None],
    ) -> None:
        self._parameters, self._fovea = parameters, fovea
        self._nodes: ResultNodes | None = None
        self._maps: list[Any] = []
        self._makeWidgets()

    def show(self, nodes: ResultNodes | None) -> None:
        """Show a result."""
        self._nodes = nodes
        self.showMaps()
        self.label.text = ""

    def showMaps(self) -> None:
        """Offer all segmentations of the volume for the training pair."""
        self._maps = []
        if self._nodes is not None:
            volume = self._nodes.volumeNode
            self._maps = [
                node
                for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
                if volume
                in (
                    node.GetNodeReference(INPUT_ROLE),
                    node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()),
                )
            ]
        fillBox(self.mapBox, [one.GetName() for one in self._maps])

    def problems(self) -> list[str]:
        """Every reason why nothing can be written."""
        if self._nodes is None:
            return [_("There is no result.")]
        if not self.folderEdit.currentPath.strip():
            return [_("Choose the folder to write into.")]
        if not any(check.checked for check in self._checks):
            return [_("Choose what to write.")]
        return []

    def write(self) -> None:
        """Write what is ticked."""
        found = self.problems()
        if found or self._nodes is None:
            self.label.text = "\n".join(found)
            return
        slicer.app.setOverrideCursor(qt.Qt.WaitCursor)
        try:
            case = readCase(self._nodes, self._parameters())
            folder = export_files.newFolder(Path(self.folderEdit.currentPath.strip()), case)
            steps: list[Callable[[], list[Path]]] = []
            html, pdf = self.htmlCheck.checked, self.pdfCheck.checked
            if html or pdf:
                steps.append(
                    partial(
                        export_files.writeReports, case, folder, self._fovea(), html=html, pdf=pdf
                    )
                )
            if self.tableCheck.checked:
                steps.append(partial(export_files.writeTables, case, folder))
            if self.viewCheck.checked:
                steps.append(partial(export_files.writeScreenshots, folder))
            if self.pairCheck.checked and self._maps:
                chosen = self._maps[max(0, self.mapBox.currentIndex)]
                steps.append(partial(export_files.writeTrainingPair, case, chosen, folder))
            written, failed = export_files.collected(steps)
        except RetinaTriageError as error:
            self.label.text = forPanel(str(error))
            return
        finally:
            slicer.app.restoreOverrideCursor()
        names = ", ".join(path.name for path in written)
        lines = [_("Wrote {files} to {folder}.").format(files=names, folder=folder)]
        self.label.text = "\n".join((lines if written else []) + [forPanel(one) for one in failed])

    def _makeWidgets(self) -> None:
        self.button, form = makeSection(
            "exportButton", _("Export"), _("What is shown, as files in a folder of its own.")
        )
        self.folderEdit = ctk.ctkPathLineEdit()
        self.folderEdit.objectName = "exportFolder"
        self.folderEdit.filters = ctk.ctkPathLineEdit.Dirs
        self.folderEdit.toolTip = _(
            "Folder in which a new folder with the name of the scan is made; nothing in it is "
            "overwritten."
        )
        self.htmlCheck = makeCheck(
            "exportHtml",
            _("Report (HTML)"),
            _("Verdict, maps and measurements as one page that needs no network."),
            checked=True,
        )
        self.pdfCheck = makeCheck(
            "exportPdf", _("Report (PDF)"), _("The report on A4 pages."), checked=True
        )
        self.tableCheck = makeCheck(
            "exportTables",
            _("Tables (CSV)"),
            _("All tables of the result; units stand in the names of the columns."),
            checked=True,
        )
        self.viewCheck = makeCheck(
            "exportViews",
            _("Screenshots (PNG)"),
            _("The slice views and the 3D view as they are now."),
            checked=True,
        )
        self.pairCheck = makeCheck(
            "exportPair",
            _("Training pair (NRRD)"),
            _(
                "The scan and the tissue map below, such as one that you corrected, as a pair of "
                "files that the training commands read."
            ),
            checked=False,
        )
        self._checks = (
            self.htmlCheck,
            self.pdfCheck,
            self.tableCheck,
            self.viewCheck,
            self.pairCheck,
        )
        self.mapBox = makeBox("exportMapBox", _("Tissue map of the training pair."))
        self.writeButton = makeButton("exportWriteButton", _("Write"), _("Write what is ticked."))
        self.label = makeLabel("exportLabel", _("What was written and where, or why not."))
        form.addRow(_("Folder:"), self.folderEdit)
        for check in self._checks:
            form.addRow(check)
        form.addRow(_("Map of the pair:"), self.mapBox)
        form.addRow(self.writeButton)
        form.addRow(self.label)
        self.writeButton.connect("clicked()", self.write)
