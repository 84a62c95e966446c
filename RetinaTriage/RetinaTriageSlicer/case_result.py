"""A result of the scene as the library's own: maps, opinions and verdict, measured anew.

Neither torch nor the worker is needed: maps come from segmentations, scores from tables.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.hypotheses import Hypothesis, Opinion, Spread
from RetinaTriageLib.measures.measure import measure
from RetinaTriageLib.outcomes import OUTCOME_HEADS, OutcomeHead
from RetinaTriageLib.result import Fovea, Provenance, TriageResult, Verdict, Vocabulary
from RetinaTriageLib.writers.tables import ALL_MAPS
from RetinaTriageSlicer.bscan_nodes import findVerdict, readVerdict
from RetinaTriageSlicer.bundle_of_result import readBundleManifest
from RetinaTriageSlicer.provenance import PREFIX
from RetinaTriageSlicer.shown_case import ShownCase

Rows = list[dict[str, Any]]


def storedResult(case: ShownCase, fovea: Fovea | None = None) -> TriageResult:
    """Rebuild the result of a case with its maps as they are now, such as after an edit.

    Parameters
    ----------
    fovea : around which it is measured; None for where it is found automatically

    Raises
    ------
    InputError
        If the table of scores or of opinions was deleted.
    """
    nodes = case.nodes
    for name in ("scores", "opinions"):
        if name not in nodes.tables:
            msg = f"The table of {name} was deleted; run the scan again to write a report."
            raise InputError(msg)
    scores, opinions = _rows(nodes.tables["scores"]), _rows(nodes.tables["opinions"])
    heads = _heads(case, scores)
    maps = [case.labels(node) for node in nodes.hypotheses]
    consensus = case.labels(nodes.consensus)
    measured = measure(case.volume, maps, consensus, case.tissues, fovea=fovea)
    hypotheses = tuple(
        Hypothesis(*_judged(opinions, number, heads, tissueMap))
        for number, tissueMap in enumerate(maps, start=1)
    )
    joint = [row for row in opinions if row["segmenter"] == ALL_MAPS]
    bscans = findVerdict(case.volumeNode)
    return TriageResult(
        case.volume,
        Vocabulary(case.tissues, heads),
        hypotheses,
        consensus,
        _verdict(nodes, scores, heads),
        measured,
        _provenance(nodes.consensus),
        _opinions(joint, heads),
        None if bscans is None else readVerdict(bscans),
    )


def _heads(case: ShownCase, scores: Rows) -> tuple[OutcomeHead, ...]:
    """Questions of the result: those of its bundle, or of the vocabulary where it is not there."""
    manifest = None if case.bundle is None else readBundleManifest(case.bundle)
    known = OUTCOME_HEADS if manifest is None else manifest.vocabulary.heads
    asked = {row["head"] for row in scores}
    return tuple(head for head in known if head.name in asked)


def _judged(
    opinions: Rows, number: int, heads: tuple[OutcomeHead, ...], tissueMap: Any
) -> tuple[str, Any, tuple[Opinion, ...]]:
    rows = [row for row in opinions if row["hypothesis"] == number]
    return rows[0]["segmenter"] if rows else "", tissueMap, _opinions(rows, heads)


def _opinions(rows: Rows, heads: tuple[OutcomeHead, ...]) -> tuple[Opinion, ...]:
    names = dict.fromkeys(row["classifier"] for row in rows)
    return tuple(
        Opinion(
            name,
            {
                head.name: _vector([row for row in rows if row["classifier"] == name], head, "raw")
                for head in heads
            },
        )
        for name in names
    )


def _verdict(nodes: Any, scores: Rows, heads: tuple[OutcomeHead, ...]) -> Verdict:
    spreads = {}
    for head in heads:
        columns = [_vector(scores, head, name) for name in ("mean", "sd", "low", "high")]
        spreads[head.name] = tuple(
            Spread(*(float(value) for value in one)) for one in zip(*columns, strict=True)
        )
    decided = {(row["head"], row["outcome"]) for row in scores if row["decided"] == "yes"}
    return Verdict(
        {head.name: _vector(scores, head, "raw") for head in heads},
        {head.name: _vector(scores, head, "reweighted") for head in heads},
        spreads,
        {
            head.name: tuple(name for name in head.names if (head.name, name) in decided)
            for head in heads
        },
        _attribute(nodes.consensus, "OperatingPoint"),
        _attribute(nodes.consensus, "Calibration"),
    )


def _vector(rows: Rows, head: OutcomeHead, column: str) -> Any:
    found = {row["outcome"]: row[column] for row in rows if row["head"] == head.name}
    return np.array([found[name] for name in head.names], np.float64)


def _provenance(node: Any) -> Provenance:
    seed = node.GetAttribute(PREFIX + "Seed") or "0"
    notes = node.GetAttribute(PREFIX + "Notes")
    return Provenance(
        _attribute(node, "Bundle"),
        _attribute(node, "BundleSha256"),
        _attribute(node, "TrainedOn"),
        _attribute(node, "LibraryVersion"),
        _attribute(node, "TorchVersion"),
        _attribute(node, "Compute"),
        int(seed) if seed.lstrip("-").isdigit() else 0,
        {},
        (notes,) if notes else (),
    )


def _attribute(node: Any, name: str) -> str:
    return node.GetAttribute(PREFIX + name) or "unknown"


def _rows(table: Any) -> Rows:
    """Rows of a table node, a column name to its value."""
    columns = {
        table.GetColumnName(at): table.GetTable().GetColumn(at)
        for at in range(table.GetNumberOfColumns())
    }
    return [
        {name: column.GetValue(row) for name, column in columns.items()}
        for row in range(table.GetNumberOfRows())
    ]
