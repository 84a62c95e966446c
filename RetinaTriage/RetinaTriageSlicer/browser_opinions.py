"""Opinions and verdict of a result, read from its table nodes: without torch, after loading too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
from slicer.i18n import tr as _

from RetinaTriageLib.outcomes import OUTCOME_HEADS
from RetinaTriageSlicer import provenance
from RetinaTriageSlicer.scene import EDITED, ResultNodes

EDITED_OPINIONS = "edited opinions"
"""Role of the table of opinions on a map that the user edited."""

EDITED_MAP = "EditedMap"
"""Reference role of a table of an edited map: the map."""

PROBABILITY = provenance.PREFIX + "Probability"
VERDICT_COLUMNS = ("reweighted", "sd", "low", "high")

Answer = tuple[str, str]  # head, outcome
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class VerdictRow:
    """Verdict on one outcome: re-weighted score, spread of the opinions, and what was decided."""

    score: float
    sd: float
    low: float
    high: float
    decided: bool


@dataclass(frozen=True)
class HypothesisRow:
    """One hypothesis with its opinions; the first row of a case is all of them together.

    Attributes
    ----------
    node : segmentation node; None where it was removed
    scores : float array (classifier, outcome), NaN where there is no such opinion
    probability : of the hypothesis; None where the result gives none
    """

    title: str
    node: Any
    scores: Scores
    probability: float | None = None
    edited: bool = False

    @property
    def mean(self) -> Scores:
        """Mean of the opinions, float array (outcome,); NaN without any."""
        known = np.isfinite(self.scores)
        count = known.sum(axis=0)
        total = np.where(known, self.scores, 0.0).sum(axis=0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@dataclass(frozen=True)
class CaseOpinions:
    """What the browser shows of one result.

    Attributes
    ----------
    classifiers : names, those that judge all maps together last
    rows : all hypotheses together, each of them (the likeliest first), then edited ones
    verdict : answer to its row of the score table
    """

    answers: tuple[Answer, ...]
    classifiers: tuple[str, ...]
    rows: tuple[HypothesisRow, ...]
    verdict: Mapping[Answer, VerdictRow]


@dataclass(frozen=True)
class _Told:
    """Opinions of one table: hypothesis number, classifier and answer to score."""

    scores: Mapping[tuple[int, str, Answer], float]
    segmenters: Mapping[int, str]


def readOpinions(result: ResultNodes) -> CaseOpinions | None:
    """Opinions of a result; None where its tables were removed."""
    table = result.tables.get("opinions")
    told = None if table is None else _read(table)
    if told is None:
        return None
    answers = tuple(dict.fromkeys(answer for _n, _c, answer in told.scores))
    single = dict.fromkeys(name for number, name, _a in told.scores if number > 0)
    joint = dict.fromkeys(name for number, name, _a in told.scores if number == 0)
    classifiers = (*single, *(name for name in joint if name not in single))
    nodes = {int(one.GetAttribute(provenance.HYPOTHESIS)): one for one in result.hypotheses}
    numbers = sorted(number for number in told.segmenters if number > 0)
    rows = [
        HypothesisRow(
            _("{number}: {segmenter}").format(number=number, segmenter=told.segmenters[number]),
            nodes.get(number),
            _scores(told, number, classifiers, answers),
            _probability(nodes.get(number)),
        )
        for number in numbers
    ]
    everything = np.array([row.scores for row in rows])  # (hypothesis, classifier, outcome)
    together = everything.mean(axis=0)
    for at, name in enumerate(classifiers):
        if name in joint:
            together[at] = _scores(told, 0, (name,), answers)[0]
    rows.sort(key=lambda row: -(row.probability or 0.0))  # stable: numbers stay where equal
    first = HypothesisRow(_("All: the verdict"), result.consensus, together)
    edited = [_editedRow(node, classifiers, answers) for node in editedMaps(result)]
    verdict = _verdict(result.tables.get("scores"))
    return CaseOpinions(answers, classifiers, (first, *rows, *edited), verdict)


def editedMaps(result: ResultNodes) -> list[Any]:
    """Segmentation nodes of a result that the user edited, the oldest first."""
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        if node.GetAttribute(provenance.CASE) == result.case
        and node.GetAttribute(provenance.ROLE) == EDITED
    ]


def tableOf(editedNode: Any, role: str) -> Any:
    """Table node of an edited map; None where there is none yet."""
    for table in slicer.util.getNodesByClass("vtkMRMLTableNode"):
        if (
            table.GetAttribute(provenance.ROLE) == role
            and table.GetNodeReference(EDITED_MAP) is editedNode
        ):
            return table
    return None


def answerTitle(answer: Answer) -> str:
    """Question and outcome as a person reads them; a condition speaks for itself."""
    head, outcome = answer
    for known in OUTCOME_HEADS:
        if known.name == head:
            titles = {one.name: one.title for one in known.outcomes}
            title = titles.get(outcome, _spoken(outcome))
            return f"{known.title}: {title}" if known.exclusive else title
    return f"{_spoken(head)}: {_spoken(outcome)}"


def _editedRow(
    node: Any, classifiers: tuple[str, ...], answers: tuple[Answer, ...]
) -> HypothesisRow:
    table = tableOf(node, EDITED_OPINIONS)
    told = None if table is None else _read(table)
    scores = np.full((len(classifiers), len(answers)), np.nan)
    if told is not None and told.segmenters:
        scores = _scores(told, next(iter(told.segmenters)), classifiers, answers)
    return HypothesisRow(node.GetName(), node, scores, edited=True)


def _read(table: Any) -> _Told | None:
    names = ("hypothesis", "segmenter", "classifier", "head", "outcome", "raw")
    columns = [table.GetTable().GetColumnByName(name) for name in names]
    if any(column is None for column in columns):
        return None
    scores, segmenters = {}, {}
    for at in range(table.GetNumberOfRows()):
        number, segmenter, classifier, head, outcome, raw = (
            column.GetVariantValue(at).ToString() for column in columns
        )
        scores[int(number), classifier, (head, outcome)] = float(raw)
        segmenters[int(number)] = segmenter
    return _Told(scores, segmenters)


def _scores(
    told: _Told, number: int, classifiers: tuple[str, ...], answers: tuple[Answer, ...]
) -> Scores:
    return np.array(
        [
            [told.scores.get((number, name, answer), np.nan) for answer in answers]
            for name in classifiers
        ]
    )


def _verdict(table: Any) -> dict[Answer, VerdictRow]:
    if table is None:
        return {}
    columns = {
        name: table.GetTable().GetColumnByName(name)
        for name in ("head", "outcome", "decided", *VERDICT_COLUMNS)
    }
    if any(column is None for column in columns.values()):
        return {}
    return {
        (columns["head"].GetValue(at), columns["outcome"].GetValue(at)): VerdictRow(
            *(float(columns[name].GetValue(at)) for name in VERDICT_COLUMNS),
            columns["decided"].GetValue(at) == "yes",
        )
        for at in range(table.GetNumberOfRows())
    }


def _probability(node: Any) -> float | None:
    text = None if node is None else node.GetAttribute(PROBABILITY)
    return float(text) if text else None


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()
