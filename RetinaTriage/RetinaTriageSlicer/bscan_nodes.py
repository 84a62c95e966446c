"""The verdict of whole-image classifiers in the scene: two tables and a chart along the volume.

The nodes belong to a volume, not to a result of tissue maps: either may be there without the other.
They are saved with the scene, and the verdict is read from them again without torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk

from RetinaTriageLib.bscan_verdict import (
    BscanVerdict,
    ImageOrigin,
    ImageTask,
    answer,
    volume_verdict,
)
from RetinaTriageLib.image_classes import Head, ImageClass, Pooling
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.writers.bscan_json import origin_fields, task_fields
from RetinaTriageSlicer import hierarchy, provenance

BSCANS, CLASSES = "bscan-scores", "bscan-classes"
"""Roles of the tables: a row a B-scan, and a row a class of the volume."""

CHART, SERIES = "bscan-chart", "bscan-series"

TASK = provenance.PREFIX + "ImageTask"
ORIGIN = provenance.PREFIX + "ImageOrigin"
POOLING = provenance.PREFIX + "Pooling"
TRAINED_ATTENTION = provenance.PREFIX + "TrainedAttention"

NUMBER, WEIGHT, ATTENTION = "bscan", "weight", "attention"
PROBABILITY = "probability_"
SHARE = "1"
"""UCUM's unit of a number without one; probabilities and weights are 0 to 1."""


def writeVerdict(verdict: BscanVerdict, volumeNode: Any) -> Any:
    """Table node of the B-scans; the nodes take the place of older ones of the volume."""
    removeVerdict(volumeNode)
    base = f"{volumeNode.GetName()} B-scan classifier"
    folder = hierarchy.makeResultFolder(slicer.mrmlScene.GenerateUniqueName(base), volumeNode)
    bscans = _bscanTable(verdict, f"{base} scores")
    classes = _classTable(verdict, f"{base} classes")
    chart, series = _chart(verdict, bscans, base)
    attributes = _attributes(verdict)
    roles = [(bscans, BSCANS), (classes, CLASSES), (chart, CHART)]
    for node, role in (*roles, *((one, SERIES) for one in series)):
        provenance.markNode(node, role, volumeNode, attributes)
        hierarchy.moveToFolder(folder, [node])
    return bscans


def removeVerdict(volumeNode: Any) -> None:
    """Take the nodes of a volume's verdict out of the scene."""
    kinds = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode")
    roles = (CHART, SERIES, BSCANS, CLASSES)
    found = [node for kind in kinds for role in roles for node in _nodes(kind, role, volumeNode)]
    if found:
        hierarchy.removeNodes(found)


def findVerdict(volumeNode: Any) -> Any:
    """Table node of a volume's B-scans; None where no whole-image classifier judged it."""
    found = [] if volumeNode is None else _nodes("vtkMRMLTableNode", BSCANS, volumeNode)
    return found[-1] if found else None


def findChart(volumeNode: Any) -> Any:
    """Chart node of a volume's scores; None where there is none."""
    found = [] if volumeNode is None else _nodes("vtkMRMLPlotChartNode", CHART, volumeNode)
    return found[-1] if found else None


def readVerdict(table: Any) -> BscanVerdict | None:
    """Verdict of a table of B-scans; None where the table was changed to what is none."""
    try:
        task = _task(json.loads(table.GetAttribute(TASK)))
        origin = json.loads(table.GetAttribute(ORIGIN))
        pooling = Pooling(table.GetAttribute(POOLING))
        columns = [_numbers(table, PROBABILITY + name) for name in task.names]
        attention = None
        if table.GetAttribute(TRAINED_ATTENTION) == "yes":
            attention = _numbers(table, ATTENTION)
        return volume_verdict(
            task,
            np.stack(columns, axis=1),
            pooling,
            ImageOrigin(**{**origin, "notes": tuple(origin["notes"])}),
            attention,
        )
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _attributes(verdict: BscanVerdict) -> dict[str, str]:
    origin = verdict.origin
    return {
        TASK: json.dumps(task_fields(verdict.task)),
        ORIGIN: json.dumps(origin_fields(origin)),
        POOLING: verdict.pooling.value,
        TRAINED_ATTENTION: "no" if verdict.attention is None else "yes",
        provenance.PREFIX + "Bundle": origin.bundle_name,
        provenance.PREFIX + "BundleSha256": origin.bundle_sha256,
        provenance.PREFIX + "TrainedOn": origin.trained_on,
        provenance.PREFIX + "Use": RESEARCH_USE,
    }


def _task(fields: dict[str, Any]) -> ImageTask:
    classes = tuple(ImageClass(**each) for each in fields["classes"])
    return ImageTask(classes, Head(fields["head"]), fields["otherwise"])


def _bscanTable(verdict: BscanVerdict, name: str) -> Any:
    table = _newTable(name, f"{RESEARCH_USE} Probabilities are not calibrated.")
    said = [answer(verdict.task, scores) for scores in verdict.bscans]
    _add(table, vtk.vtkIntArray(), NUMBER, range(1, len(said) + 1), "Counted from 1.")
    for at, each in enumerate(verdict.task.classes):
        column = PROBABILITY + each.name
        _add(table, vtk.vtkDoubleArray(), column, verdict.bscans[:, at], each.title, SHARE)
    decided = [" ".join(one.classes) for one in said]
    _add(table, vtk.vtkStringArray(), "decided", decided, "Classes that the scores decide for.")
    asked = [one.referral or "" for one in said]
    _add(table, vtk.vtkStringArray(), "referral", asked, "Referral that follows; may be empty.")
    for column, values, means in (
        (WEIGHT, verdict.weights, "Weight in the score of the volume."),
        (ATTENTION, verdict.attention, "Weight by the trained attention of the bundle."),
    ):
        if values is not None:
            _add(table, vtk.vtkDoubleArray(), column, values, means, SHARE)
    return table


def _classTable(verdict: BscanVerdict, name: str) -> Any:
    table = _newTable(name, f"{RESEARCH_USE} {verdict.pooled_by}")
    task = verdict.task
    texts = {
        "class": (task.names, "Name of the class."),
        "title": ([each.title for each in task.classes], "What the class means."),
        "referral": ([each.referral or "" for each in task.classes], "Referral it asks for."),
        "decided": (
            ["yes" if each in verdict.answer.classes else "no" for each in task.names],
            "Whether the verdict on the volume names this class.",
        ),
    }
    for column, (values, means) in texts.items():
        _add(table, vtk.vtkStringArray(), column, values, means)
    scores = "Score of the volume, of its B-scans."
    _add(table, vtk.vtkDoubleArray(), "probability", verdict.scores, scores, SHARE)
    most = [verdict.strongest_bscan(each) + 1 for each in task.names]
    means = "B-scan that shows the class most, counted from 1."
    _add(table, vtk.vtkIntArray(), "strongest_bscan", most, means)
    return table


def _chart(verdict: BscanVerdict, table: Any, name: str) -> tuple[Any, list[Any]]:
    """Chart of a line a class over the number of the B-scan."""
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", f"{name} chart")
    chart.SetTitle(name)
    chart.SetXAxisTitle("B-scan")
    chart.SetYAxisTitle("Probability (0 to 1)")
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.0)
    made = []
    for each in verdict.task.classes:
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", each.title)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetXColumnName(NUMBER)
        series.SetYColumnName(PROBABILITY + each.name)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle)
        series.SetUniqueColor()
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
        made.append(series)
    return chart, made


def _newTable(name: str, description: str) -> Any:
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
    table.SetLocked(True)
    table.SetDescription(description)
    return table


def _add(
    table: Any, array: Any, name: str, values: Sequence[Any], means: str, unit: str = ""
) -> None:
    array.SetName(name)
    for value in values:
        array.InsertNextValue(value)
    table.AddColumn(array)
    table.SetColumnDescription(name, means)
    if unit:
        table.SetColumnUnitLabel(name, unit)


def _numbers(table: Any, name: str) -> Any:
    column = table.GetTable().GetColumnByName(name)
    return np.array(
        [float(column.GetValue(row)) for row in range(table.GetNumberOfRows())], np.float64
    )


def _nodes(kind: str, role: str, volumeNode: Any) -> list[Any]:
    return [
        node
        for node in slicer.util.getNodesByClass(kind)
        if node.GetAttribute(provenance.ROLE) == role
        and node.GetNodeReference(provenance.INPUT_ROLE) is volumeNode
    ]
