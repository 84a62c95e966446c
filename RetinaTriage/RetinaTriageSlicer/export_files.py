"""Files of what is shown: report, tables, screenshots and a training pair, in one folder."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.errors import OutputError, RetinaTriageError
from RetinaTriageLib.result import Fovea
from RetinaTriageLib.writers.segmentation import write_segmentation
from RetinaTriageLib.writers.volume_file import write_volume
from RetinaTriageSlicer import provenance
from RetinaTriageSlicer.case_result import storedResult
from RetinaTriageSlicer.shown_case import ShownCase

VIEWS = ("Red", "Yellow", "Green")


def writeReports(
    case: ShownCase, folder: Path, fovea: Fovea | None, *, html: bool, pdf: bool
) -> list[Path]:
    """Report of the scene's result as it is now, as HTML, PDF or both; without torch.

    Raises
    ------
    RetinaTriageError
        If it cannot be measured or written, or a package is missing.
    """
    result, written = storedResult(case, fovea), []
    try:
        if html:
            from RetinaTriageLib.writers.report import write_report

            write_report(result, folder / "report.html")
            written.append(folder / "report.html")
        if pdf:
            from RetinaTriageLib.writers.report_pdf import write_pdf

            write_pdf(result, folder / "report.pdf")
            written.append(folder / "report.pdf")
    except ImportError as error:
        raise OutputError(
            _("{package} is missing, which draws reports. Install it in Slicer's Python.").format(
                package=error.name
            )
        ) from error
    return written


def writeTables(case: ShownCase, folder: Path) -> list[Path]:
    """All tables of the result, one CSV file each; units stand in the names of the columns.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    written = []
    for table in slicer.util.getNodesByClass("vtkMRMLTableNode"):
        role = table.GetAttribute(provenance.ROLE)
        if not role or table.GetAttribute(provenance.CASE) != case.nodes.case:
            continue
        path = folder / f"{role}.csv"
        columns = range(table.GetNumberOfColumns())
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file)
                rows.writerow([table.GetColumnName(at) for at in columns])
                for row in range(table.GetNumberOfRows()):
                    rows.writerow([_cell(table.GetCellText(row, at)) for at in columns])
        except OSError as error:
            raise _unwritten(path, error) from error
        written.append(path)
    return written


def writeScreenshots(folder: Path) -> list[Path]:
    """Pictures of the slice views and of the 3D view, as they are shown.

    Raises
    ------
    OutputError
        If there are no views, or a file cannot be written.
    """
    manager = slicer.app.layoutManager()
    if manager is None:
        raise OutputError(
            _("There are no views to take pictures of. Start Slicer with its window.")
        )
    widgets = [(name, manager.sliceWidget(name)) for name in VIEWS]
    widgets.append(("3D", manager.threeDWidget(0)))
    slicer.util.forceRenderAllViews()
    written = []
    for name, widget in widgets:
        if widget is None:
            continue
        path = folder / f"view_{name}.png"
        if not widget.grab().save(str(path)):
            raise OutputError(_("Could not write {path}. Choose another folder.").format(path=path))
        written.append(path)
    return written


def writeTrainingPair(case: ShownCase, mapNode: Any, folder: Path) -> list[Path]:
    """Scan and corrected map as ``NAME.nrrd`` and ``NAME.seg.nrrd``, which training reads.

    Raises
    ------
    RetinaTriageError
        If the scan has no distances, or a file cannot be written.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", case.volumeNode.GetName()).strip("_") or "scan"
    scan, labels = folder / f"{name}.nrrd", folder / f"{name}.seg.nrrd"
    try:
        write_volume(case.volume, scan)
        write_segmentation(case.labels(mapNode), case.volume, case.tissues, labels)
    except OSError as error:
        raise _unwritten(folder, error) from error
    return [scan, labels]


def newFolder(parent: Path, case: ShownCase) -> Path:
    """Folder that did not exist, named after the scan; nothing is ever overwritten.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    base = re.sub(r"[^A-Za-z0-9_-]+", "_", case.volumeNode.GetName()).strip("_") or "scan"
    number = 1
    while True:
        folder = parent / (base if number == 1 else f"{base}_{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
            continue
        except OSError as error:
            raise _unwritten(folder, error) from error
        return folder


def collected(steps: list[Callable[[], list[Path]]]) -> tuple[list[Path], list[str]]:
    """Files of all steps, and why others are missing; one that fails does not stop the rest."""
    written: list[Path] = []
    failed: list[str] = []
    for step in steps:
        try:
            written += step()
        except RetinaTriageError as error:
            failed.append(str(error))
    return written, failed


def _cell(text: str) -> str:
    return "" if text == "nan" else text


def _unwritten(path: Path, error: OSError) -> OutputError:
    return OutputError(
        _("Could not write {path}: {reason}. Choose another folder, or free some space.").format(
            path=path, reason=error.strerror or error
        )
    )
