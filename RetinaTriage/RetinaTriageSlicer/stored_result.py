"""A result as its nodes hold it, edited segments included, for writing it elsewhere.

Hypotheses and maps are left out: what is written needs the consensus map and the numbers alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.hypotheses import Spread
from RetinaTriageLib.outcomes import OUTCOME_HEADS, OutcomeHead
from RetinaTriageLib.result import (
    EtdrsTable,
    Fovea,
    Measurements,
    Provenance,
    TissueMeasure,
    TriageResult,
    Verdict,
    Vocabulary,
)
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES
from RetinaTriageLib.volume import LabelArray, OCTVolume
from RetinaTriageSlicer import provenance
from RetinaTriageSlicer.scene import ResultNodes

Row = dict[str, str]
NO_SPREAD = Spread(float("nan"), float("nan"), float("nan"), float("nan"))
CENTER, TOTAL = "CPT", "total"  # rows of the ETDRS table that are no sectors


def nodeLabels(segmentationNode: Any, volumeNode: Any) -> LabelArray:
    """Labels of a segmentation in the order of its volume node's array; 0 outside all segments.

    Raises
    ------
    InputError
        If it has a segment that no tissue stands for.
    """
    ids = list(segmentationNode.GetSegmentation().GetSegmentIDs())
    unknown = [one for one in ids if one not in TISSUE_BY_NAME]
    if unknown:
        msg = (
            f"{segmentationNode.GetName()} has {', '.join(unknown)}, which no tissue code stands "
            "for; expected segments of RetinaTriage only. Move others to another segmentation."
        )
        raise InputError(msg)
    labels = np.zeros(slicer.util.arrayFromVolume(volumeNode).shape, np.uint8)
    for one in ids:
        mask = slicer.util.arrayFromSegmentBinaryLabelmap(segmentationNode, one, volumeNode)
        if mask is not None:
            labels[mask > 0] = TISSUE_BY_NAME[one].label
    return labels


def storedResult(nodes: ResultNodes, volume: OCTVolume, consensus: LabelArray) -> TriageResult:
    """Make the result of its nodes again, the map and volume given in the library's axes.

    Raises
    ------
    InputError
        If the nodes hold no scores, or outcomes that are not known here.
    """
    if "scores" not in nodes.tables:
        msg = "The table of scores was deleted; run the scan again to write a report."
        raise InputError(msg)
    scores = _rows(nodes.tables["scores"])
    heads = tuple(head for head in OUTCOME_HEADS if any(row["head"] == head.name for row in scores))
    empty = np.zeros((volume.shape[0], volume.shape[2]), np.float32)
    tissues = _rows(nodes.tables["tissues"]) if "tissues" in nodes.tables else []
    etdrs = _rows(nodes.tables["etdrs"]) if "etdrs" in nodes.tables else []
    return TriageResult(
        volume,
        Vocabulary(TISSUES, heads),
        (),
        consensus,
        _verdict(heads, scores, nodes.consensus),
        Measurements(
            empty, None, _tissues(tissues), _etdrs(etdrs) if etdrs else None, {}, empty, ()
        ),
        _provenance(nodes.consensus),
    )


def _verdict(heads: tuple[OutcomeHead, ...], rows: list[Row], node: Any) -> Verdict:
    def of(head: OutcomeHead, column: str) -> Any:
        found = {row["outcome"]: float(row[column]) for row in rows if row["head"] == head.name}
        if set(found) != set(head.names):
            msg = f"The scores name {', '.join(found)}; expected {', '.join(head.names)}."
            raise InputError(msg)
        return np.array([found[name] for name in head.names])

    decided = {
        head.name: tuple(
            row["outcome"] for row in rows if row["head"] == head.name and row["decided"] == "yes"
        )
        for head in heads
    }
    return Verdict(
        {head.name: of(head, "raw") for head in heads},
        {head.name: of(head, "reweighted") for head in heads},
        {},
        decided,
        node.GetAttribute(provenance.PREFIX + "OperatingPoint") or "unknown",
        node.GetAttribute(provenance.PREFIX + "Calibration") or "unknown",
    )


def _tissues(rows: list[Row]) -> tuple[TissueMeasure, ...]:
    def of(name: str, column: str) -> dict[str, float]:
        return {row["region"]: float(row[column]) for row in rows if row["tissue"] == name}

    names = dict.fromkeys(row["tissue"] for row in rows)
    return tuple(
        TissueMeasure(TISSUE_BY_NAME[name], of(name, "volume_mm3"), of(name, "area_mm2"), NO_SPREAD)
        for name in names
        if name in TISSUE_BY_NAME
    )


def _etdrs(rows: list[Row]) -> EtdrsTable:
    by_sector = {row["sector"]: row for row in rows}
    sectors = {name: row for name, row in by_sector.items() if name not in (CENTER, TOTAL)}
    nowhere = Fovea(float("nan"), float("nan"), float("nan"), "table of the scene")
    return EtdrsTable(
        nowhere,
        {name: float(row["thickness_um"]) for name, row in sectors.items()},
        {name: float(row["coverage"]) for name, row in sectors.items()},
        {},
        float(by_sector[CENTER]["thickness_um"]),
        float(by_sector[CENTER]["sd_um"]),
        float(by_sector[TOTAL]["volume_mm3"]),
        by_sector[CENTER]["boundaries"],
    )


def _provenance(node: Any) -> Provenance:
    def said(name: str) -> str:
        return str(node.GetAttribute(provenance.PREFIX + name) or "unknown")

    notes = said("Notes")
    return Provenance(
        said("Bundle"),
        said("BundleSha256"),
        said("TrainedOn"),
        said("LibraryVersion"),
        said("TorchVersion"),
        said("Compute"),
        0,
        {},
        () if notes == "unknown" else (notes,),
    )


def _rows(table: Any) -> list[Row]:
    """Cells of a table node by column, as text; an empty number is "nan"."""
    columns = [table.GetColumnName(at) for at in range(table.GetNumberOfColumns())]
    text: Callable[[int, int], str] = table.GetCellText
    return [
        {column: text(row, at) or "nan" for at, column in enumerate(columns)}
        for row in range(table.GetNumberOfRows())
    ]
