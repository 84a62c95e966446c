"""Agreement of readers and model: a table node, a text, and files in the cohort's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageSlicer.provenance import ROLE

AGREEMENT = "agreement"


def showAgreement(folder: Path) -> str:
    """Write table node and files of the agreement on a cohort; returns it in words.

    Raises
    ------
    RetinaTriageError
        If nothing was read, or a file cannot be written.
    """
    # Imported late: they need SciPy, which takes time to load.
    from RetinaTriageLib.cohort.agreement_page import kappa_text, write_agreement_page
    from RetinaTriageLib.cohort.agreement_table import (
        COLUMNS,
        agreement_row,
        write_agreement_tables,
    )
    from RetinaTriageLib.cohort.reader_agreement import REFERRAL_QUESTION, reader_agreement

    found = reader_agreement(folder)
    write_agreement_tables(found, folder)
    page = write_agreement_page(found, folder)
    _writeTable(COLUMNS, [agreement_row(one) for one in found.comparisons])
    lines = [
        _(
            "{first} and {second}: same referral in {same} of {cases} cases, kappa {kappa}, linear "
            "kappa {linear}, penalty {penalty:.2f}."
        ).format(
            first=one.first,
            second=one.second,
            same=one.found.observed.count,
            cases=one.found.observed.total,
            kappa=kappa_text(one.found.kappa),
            linear=kappa_text(one.found.linear),
            penalty=one.found.penalty.mean_penalty,
        )
        for one in found.comparisons
        if one.question == REFERRAL_QUESTION
    ]
    return "\n".join((*lines, *found.notes, _("All of it: {page}").format(page=page)))


def _writeTable(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Any:
    """Table node of the agreement, made or written anew."""
    nodes = slicer.util.getNodesByClass("vtkMRMLTableNode")
    table = next((node for node in nodes if node.GetAttribute(ROLE) == AGREEMENT), None)
    if table is None:
        name = _("Agreement of readers")
        table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
        table.SetAttribute(ROLE, AGREEMENT)
        table.SetLocked(True)
    modified = table.StartModify()
    table.RemoveAllColumns()
    for at, column in enumerate(columns):
        texts = bool(rows) and isinstance(rows[0][at], str)
        array = vtk.vtkStringArray() if texts else vtk.vtkDoubleArray()
        array.SetName(column)
        for row in rows:
            array.InsertNextValue(row[at])
        table.AddColumn(array)
    table.SetDescription(RESEARCH_USE)
    table.EndModify(modified)
    return table
