"""What judging an edited map again has given, as tables of the scene: opinions and changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from RetinaTriageLib.hypotheses import Scores
from RetinaTriageLib.measures.map_place import MapMeasures
from RetinaTriageLib.measures.volumes import NL_PER_MM3
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.worker.messages import Judgement
from RetinaTriageLib.writers.tables import OPINION_COLUMNS
from RetinaTriageSlicer import hierarchy, provenance
from RetinaTriageSlicer.browser_opinions import EDITED_MAP, EDITED_OPINIONS, Answer, tableOf
from RetinaTriageSlicer.edited_map import EDITED_BY, folderOf
from RetinaTriageSlicer.scene import ResultNodes

SCORES, SIZES = "edited scores", "edited sizes"
"""Roles of the tables of changes."""

SCORE_COLUMNS = ("head", "outcome", "before", "after", "change", "decided_before", "decided_after")
SIZE_COLUMNS = ("quantity", "unit", "before", "after", "change")
EDITED_SEGMENTER = "edited by the user"
WHOLE_SCAN = "all"

Row = tuple[str | int | float, ...]
Quantity = tuple[str, str]  # what is measured, unit


@dataclass(frozen=True)
class Change:
    """One number before and after the edit; NaN where it is not known."""

    before: float
    after: float

    @property
    def change(self) -> float:
        """After less before."""
        return self.after - self.before


def writeJudgement(
    result: ResultNodes, node: Any, before: Judgement | None, after: Judgement
) -> None:
    """Write opinions on an edited map and the changes since the original, into its tables.

    Parameters
    ----------
    node : segmentation node of the edited map
    before : judgement of the original map alone; None where it was removed
    """
    number = int(node.GetAttribute(provenance.HYPOTHESIS) or 0)
    _fill(result, node, (EDITED_OPINIONS, "opinions"), OPINION_COLUMNS, _opinions(number, after))
    _fill(result, node, (SCORES, "score changes"), SCORE_COLUMNS, _scoreRows(before, after))
    sizesBefore = None if before is None else before.measures
    rows = list(_sizeRows(sizesBefore, after.measures))
    if rows:
        _fill(result, node, (SIZES, "size changes"), SIZE_COLUMNS, rows)


def scoreChanges(node: Any) -> Mapping[Answer, Change]:
    """Mean score of the opinions on an edited map and on its original; {} before it is judged."""
    return {
        (str(row[0]), str(row[1])): Change(float(row[2]), float(row[3]))
        for row in _rows(tableOf(node, SCORES), SCORE_COLUMNS)
    }


def sizeChanges(node: Any) -> Mapping[Quantity, Change]:
    """Sizes in an edited map and in its original."""
    return {
        (str(row[0]), str(row[1])): Change(float(row[2]), float(row[3]))
        for row in _rows(tableOf(node, SIZES), SIZE_COLUMNS)
    }


def _opinions(number: int, judgement: Judgement) -> Iterator[Row]:
    for opinion in judgement.opinions:
        for head, outcomes in judgement.outcomes.items():
            for outcome, score in zip(outcomes, opinion.scores[head], strict=True):
                who = (number, EDITED_SEGMENTER, opinion.classifier)
                yield (*who, head, outcome, float(score))


def _scoreRows(before: Judgement | None, after: Judgement) -> Iterator[Row]:
    new, old = _means(after), {} if before is None else _means(before)
    for head, outcomes in after.outcomes.items():
        for at, outcome in enumerate(outcomes):
            was = float(old[head][at]) if head in old else math.nan
            now = float(new[head][at])
            decided = [
                _yes(judgement is not None and outcome in judgement.verdict.decisions[head])
                for judgement in (before, after)
            ]
            yield (head, outcome, was, now, now - was, *decided)


def _sizeRows(before: MapMeasures | None, after: MapMeasures | None) -> Iterator[Row]:
    new, old = _sizes(after), _sizes(before)
    for (what, unit), now in new.items():
        was = old.get((what, unit), math.nan)
        if now or was:
            yield (what, unit, was, now, now - was)


def _sizes(measures: MapMeasures | None) -> dict[Quantity, float]:
    """Volumes of tissues and thickness of ETDRS sectors."""
    if measures is None:
        return {}
    found: dict[Quantity, float] = {
        (f"{one.tissue.title}, volume", "nL"): one.volume_mm3[WHOLE_SCAN] * NL_PER_MM3
        for one in measures.tissues
        if one.tissue.label != 0
    }
    if measures.etdrs is not None:
        for sector, thickness_um in measures.etdrs.thickness_um.items():
            found[f"Retina, thickness {sector}", "um"] = thickness_um
        found["Retina, volume in 6 mm", "mm3"] = measures.etdrs.total_mm3
    return found


def _means(judgement: Judgement) -> Scores:
    heads = judgement.opinions[0].scores
    return {
        head: np.mean([opinion.scores[head] for opinion in judgement.opinions], axis=0)
        for head in heads
    }


def _yes(decided: bool) -> str:  # noqa: FBT001 - the value itself
    return "yes" if decided else "no"


def _fill(
    result: ResultNodes,
    node: Any,
    kind: tuple[str, str],
    columns: Sequence[str],
    rows: Iterator[Row] | Sequence[Row],
) -> None:
    """Write rows into the table of an edited map, which is made when first needed."""
    role, title = kind
    table = tableOf(node, role)
    if table is None:
        name = slicer.mrmlScene.GenerateUniqueName(f"{node.GetName()} {title}")
        table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
        for attribute in node.GetAttributeNames():
            if attribute.startswith(provenance.PREFIX):
                table.SetAttribute(attribute, node.GetAttribute(attribute))
        table.SetAttribute(provenance.ROLE, role)
        table.SetAttribute(EDITED_BY, node.GetAttribute(EDITED_BY))
        table.SetNodeReferenceID(EDITED_MAP, node.GetID())
        table.SetDescription(RESEARCH_USE)
        hierarchy.moveToFolder(folderOf(result), [table])
    table.SetLocked(False)
    change = table.StartModify()
    table.RemoveAllColumns()
    for name, cells in zip(columns, zip(*rows, strict=True), strict=True):
        text = isinstance(cells[0], str)
        array = vtk.vtkStringArray() if text else vtk.vtkDoubleArray()
        array.SetName(name)
        for cell in cells:
            array.InsertNextValue(cell if text else float(cell))
        table.AddColumn(array)
    table.SetLocked(True)
    table.EndModify(change)


def _rows(table: Any, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    if table is None:
        return []
    arrays = [table.GetTable().GetColumnByName(name) for name in columns]
    if any(array is None for array in arrays):
        return []
    return [tuple(array.GetValue(at) for array in arrays) for at in range(table.GetNumberOfRows())]
