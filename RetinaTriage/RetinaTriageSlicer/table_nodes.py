"""Table nodes: scores, opinions, tissue sizes and the ETDRS grid, each column with its unit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import slicer
import vtk

from RetinaTriageLib.result import RESEARCH_USE, TriageResult
from RetinaTriageLib.writers.tables import (
    ETDRS_COLUMNS,
    OPINION_COLUMNS,
    SCORE_COLUMNS,
    TISSUE_COLUMNS,
    Cell,
    etdrs_rows,
    opinion_rows,
    score_rows,
    tissue_rows,
)

# UCUM units by the ending of a column's name.
UNITS = {"_nl": "nL", "_mm3": "mm3", "_mm2": "mm2", "_um": "um"}

DESCRIPTIONS = {
    "raw": "Mean of all opinions, or one opinion, as the networks gave it.",
    "reweighted": "Mean of all opinions, re-weighted for the operating point.",
    "mean": "Mean of the re-weighted opinions.",
    "sd": "Standard deviation of the re-weighted opinions.",
    "low": "Lowest of the re-weighted opinions.",
    "high": "Highest of the re-weighted opinions.",
    "decided": "Whether the verdict names this outcome.",
    "volume_nl": "Volume; 1 nL is 0.001 mm3.",
    "coverage": "Share of the sector that was scanned, 0 to 1.",
    "boundaries": "Surfaces that the thickness lies between.",
    "region": "Circle around the fovea by its diameter, or all of the scan.",
}


def makeScoreTable(name: str, result: TriageResult) -> Any:
    """Table of the verdict: one row an outcome."""
    return _makeTable(name, SCORE_COLUMNS, score_rows(result.verdict, result.vocabulary), result)


def makeOpinionTable(name: str, result: TriageResult) -> Any:
    """Table of all opinions: one row an outcome, a hypothesis and a classifier."""
    rows = opinion_rows(result.hypotheses, result.vocabulary, result.joint_opinions)
    return _makeTable(name, OPINION_COLUMNS, rows, result)


def makeTissueTable(name: str, result: TriageResult) -> Any:
    """Table of tissue sizes, or None where nothing could be measured."""
    tissues = result.measurements.tissues
    if not tissues:
        return None
    return _makeTable(name, TISSUE_COLUMNS, tissue_rows(tissues), result)


def makeEtdrsTable(name: str, result: TriageResult) -> Any:
    """Table of the ETDRS grid, or None where it could not be measured."""
    etdrs = result.measurements.etdrs
    if etdrs is None:
        return None
    return _makeTable(name, ETDRS_COLUMNS, etdrs_rows(etdrs), result)


def _makeTable(
    name: str, columns: Sequence[str], rows: Iterable[tuple[Cell, ...]], result: TriageResult
) -> Any:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
    node.SetLocked(True)
    for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
        array = node.AddColumn(_column(cells))
        array.SetName(column)
        unit = next((unit for ending, unit in UNITS.items() if column.endswith(ending)), "")
        if unit:
            node.SetColumnUnitLabel(column, unit)
        if column in DESCRIPTIONS:
            node.SetColumnDescription(column, DESCRIPTIONS[column])
    node.SetDescription(f"{RESEARCH_USE} Calibration: {result.verdict.calibration}.")
    return node


def _column(cells: Sequence[Cell]) -> Any:
    """Array of the type that fits; empty cells of a number column are NaN."""
    numbers = [cell for cell in cells if not isinstance(cell, str)]
    if not numbers or any(isinstance(cell, str) and cell for cell in cells):
        array = vtk.vtkStringArray()
        texts = [str(cell) for cell in cells]
    elif all(isinstance(cell, int) for cell in cells):
        array = vtk.vtkIntArray()
        texts = list(cells)
    else:
        array = vtk.vtkDoubleArray()
        texts = [math.nan if isinstance(cell, str) else float(cell) for cell in cells]
    for value in texts:
        array.InsertNextValue(value)
    return array
