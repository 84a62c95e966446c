"""Cells of whole-image classifiers in the table of a cohort, beside those of the tissue maps."""

from __future__ import annotations

from RetinaTriageLib.bscan_agreement import compare_result, disagreement
from RetinaTriageLib.bscan_verdict import BscanVerdict, ImageTask
from RetinaTriageLib.cohort.cohort_rows import BSCAN_DIFFERS, BSCAN_SAID
from RetinaTriageLib.cohort.table import Cell, Column, Kind, cell_of
from RetinaTriageLib.result import TriageResult

SCORE = "bscan_score_"
SEPARATOR = "; "


def bscan_columns(task: ImageTask) -> tuple[Column, ...]:
    """Columns that whole-image classifiers add to the table."""
    return (
        Column("bscan_classes", Kind.TEXT),
        Column("bscan_referral", Kind.TEXT),
        *(Column(SCORE + name) for name in task.names),
        Column("bscan_pooling", Kind.TEXT),
        Column(BSCAN_DIFFERS, Kind.TEXT),
        Column(BSCAN_SAID, Kind.TEXT),
        Column("bscan_bundle", Kind.TEXT),
        Column("bscan_bundle_sha256", Kind.TEXT),
    )


def bscan_cells(result: TriageResult) -> dict[str, Cell]:
    """Cells of a case in `bscan_columns`; none where no whole-image classifier judged it."""
    verdict = result.bscan_verdict
    if verdict is None:
        return {}
    compared = compare_result(result)
    differs = any(not each.agree for each in compared)
    return {
        "bscan_classes": SEPARATOR.join(verdict.answer.classes),
        "bscan_referral": verdict.answer.referral,
        **_scores(verdict),
        "bscan_pooling": verdict.pooling.value,
        BSCAN_DIFFERS: ("yes" if differs else "no") if compared else None,
        BSCAN_SAID: disagreement(compared),
        "bscan_bundle": verdict.origin.bundle_name,
        "bscan_bundle_sha256": verdict.origin.bundle_sha256,
    }


def _scores(verdict: BscanVerdict) -> dict[str, Cell]:
    return {
        SCORE + name: cell_of(float(score))
        for name, score in zip(verdict.task.names, verdict.scores, strict=True)
    }
