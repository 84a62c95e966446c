"""The numbers of an evaluation as CSV tables; columns carry their unit, unknown cells are empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from RetinaTriageLib.evaluation.evaluation import Evaluation, MapScores
from RetinaTriageLib.evaluation.figure_columns import share_columns
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.proportions import Proportion
from RetinaTriageLib.evaluation.segmentation_scores import SCORED_GROUPS, Overlap
from RetinaTriageLib.evaluation.surface_distance import SURFACE_TITLES
from RetinaTriageLib.evaluation.table_rows import Row, write_rows


def tissue_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row a tissue of every segmenter, pooled over the cases."""
    for of_segmenter in evaluation.maps:
        for overlap in of_segmenter.pooled:
            name = overlap.name
            yield {
                "segmenter": of_segmenter.segmenter,
                "tissue": name,
                **overlap_row(overlap),
                "cases_with_it": of_segmenter.cases_with(name),
                "mean_case_dice": finite_or_none(of_segmenter.mean_case_dice(name)),
                "mean_case_iou": finite_or_none(of_segmenter.mean_case_iou(name)),
                "median_volume_error_nl": finite_or_none(of_segmenter.median_volume_error_nl(name)),
                "median_volume_error_percent": finite_or_none(
                    of_segmenter.median_volume_error_percent(name)
                ),
            }


def case_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row a case of every segmenter: Dice, surfaces, central thickness."""
    for of_segmenter in evaluation.maps:
        for of_case in of_segmenter.maps:
            yield {
                "segmenter": of_segmenter.segmenter,
                "case": of_case.case,
                "mean_dice": finite_or_none(of_case.dice),
                "pixel_accuracy": finite_or_none(of_case.accuracy),
                **_surface_row(of_case),
                **_center_row(of_case),
            }


def case_tissue_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row a tissue of every case of every segmenter."""
    for of_segmenter in evaluation.maps:
        for of_case in of_segmenter.maps:
            for name in SCORED_GROUPS:
                truth_nl, predicted_nl = of_case.volume_nl(name)
                yield {
                    "segmenter": of_segmenter.segmenter,
                    "case": of_case.case,
                    "tissue": name,
                    **overlap_row(of_case.of(name)),
                    "truth_nl": finite_or_none(truth_nl),
                    "predicted_nl": finite_or_none(predicted_nl),
                }


def outcome_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row an outcome of every pair and of the ensemble."""
    for of_judge in evaluation.opinions:
        for head in of_judge.heads:
            for outcome in head.outcomes:
                interval = outcome.auc_interval
                yield {
                    "judge": of_judge.judge,
                    "head": head.head,
                    "outcome": outcome.name,
                    "auc": finite_or_none(outcome.auc),
                    "auc_low": finite_or_none(interval.low) if interval else None,
                    "auc_high": finite_or_none(interval.high) if interval else None,
                    **_proportion_row("sensitivity", outcome.sensitivity),
                    **_proportion_row("specificity", outcome.specificity),
                }


def head_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row an exclusive head of every pair and of the ensemble: errors and penalties."""
    for of_judge in evaluation.opinions:
        for head in of_judge.heads:
            if head.exclusive is not None:
                yield {
                    "judge": of_judge.judge,
                    "head": head.head,
                    **_proportion_row("error", head.exclusive.error),
                    "mean_penalty": finite_or_none(head.exclusive.mean_penalty),
                    "penalty_share_of_worst": finite_or_none(head.exclusive.penalty_share),
                }


def confusion_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row an actual and predicted class of every exclusive head, of the ensemble."""
    for head in evaluation.ensemble.heads if evaluation.ensemble else ():
        if head.exclusive is None:
            continue
        names = [outcome.name for outcome in head.outcomes]
        for (actual, predicted), count in np.ndenumerate(head.exclusive.confusion):
            yield {
                "head": head.head,
                "actual": names[actual],
                "predicted": names[predicted],
                "cases": int(count),
            }


def answer_rows(evaluation: Evaluation) -> Iterator[Row]:
    """One row an outcome of every case: mean raw score of the ensemble, and the truth."""
    for head, answers in evaluation.answers.items():
        for case, raw, truth in zip(evaluation.cases, answers.raw, answers.truth, strict=True):
            for name, score, present in zip(answers.head.names, raw, truth, strict=True):
                yield {
                    "case": case,
                    "head": head,
                    "outcome": name,
                    "raw": float(score),
                    "present": int(present) if present >= 0 else None,
                }


TABLES = {
    "tissues.csv": tissue_rows,
    "cases.csv": case_rows,
    "case_tissues.csv": case_tissue_rows,
    "outcomes.csv": outcome_rows,
    "heads.csv": head_rows,
    "confusion.csv": confusion_rows,
    "answers.csv": answer_rows,
}
"""File name of each table to the function that makes its rows."""


def write_tables(evaluation: Evaluation, folder: Path) -> None:
    """Write every table that has rows."""
    for name, rows_of in TABLES.items():
        write_rows(rows_of(evaluation), folder / name)


def overlap_row(overlap: Overlap) -> Row:
    """Overlap of one tissue, for a table or JSON."""
    return {
        "dice": finite_or_none(overlap.dice),
        "iou": finite_or_none(overlap.iou),
        "truth_voxels": overlap.truth_voxels,
        "predicted_voxels": overlap.predicted_voxels,
        "open_voxels": overlap.open,
    }


def _proportion_row(name: str, share: Proportion) -> Row:
    return {
        **share_columns(name, share),
        f"{name}_count": share.count,
        f"{name}_total": share.total,
    }


def _surface_row(of_case: MapScores) -> Row:
    row: Row = {}
    for surface in SURFACE_TITLES:
        found = of_case.surfaces.get(surface)
        row |= {
            f"{surface}_absolute_um": finite_or_none(found.absolute_um) if found else None,
            f"{surface}_signed_um": finite_or_none(found.signed_um) if found else None,
            f"{surface}_missed": finite_or_none(found.missed) if found else None,
        }
    return row


def _center_row(of_case: MapScores) -> Row:
    center = of_case.center
    return {
        "cst_truth_um": finite_or_none(center.truth_um) if center else None,
        "cst_found_um": finite_or_none(center.found_um) if center else None,
        "cst_error_um": finite_or_none(center.error_um) if center else None,
        "cst_surface_error_um": finite_or_none(center.surface_error_um) if center else None,
        "fovea_error_mm": finite_or_none(center.fovea_error_mm) if center else None,
    }
