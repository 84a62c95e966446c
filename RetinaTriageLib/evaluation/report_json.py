"""The numbers of an evaluation as JSON; what is not known is null."""

from __future__ import annotations

from RetinaTriageLib.evaluation.classification_scores import HeadScores, OutcomeScores
from RetinaTriageLib.evaluation.evaluation import Evaluation, MapEvaluation
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.proportions import Proportion
from RetinaTriageLib.evaluation.report_tables import overlap_row
from RetinaTriageLib.evaluation.surface_distance import SURFACE_TITLES
from RetinaTriageLib.result import RESEARCH_USE

SCHEMA_VERSION = 1


def evaluation_json(evaluation: Evaluation) -> dict[str, object]:
    """Summary of an evaluation as JSON takes it; what is not known is null."""
    bundle = evaluation.bundle
    return {
        "schema_version": SCHEMA_VERSION,
        "set": evaluation.set_name,
        "cases": list(evaluation.cases),
        "bundle": {
            "name": bundle.name,
            "sha256": bundle.sha256,
            "trained_on": bundle.trained_on,
            "operating_point": bundle.operating_point,
            "calibration": bundle.calibration,
            "compute": bundle.compute,
        },
        "segmentation": [_segmentation_json(of) for of in evaluation.maps],
        "classification": [
            {"judge": of.judge, "heads": {head.head: _head_json(head) for head in of.heads}}
            for of in evaluation.opinions
        ],
        "notes": list(evaluation.notes),
        "use": RESEARCH_USE,
    }


def _segmentation_json(of_segmenter: MapEvaluation) -> dict[str, object]:
    surfaces = {surface: of_segmenter.surface_um(surface) for surface in SURFACE_TITLES}
    return {
        "segmenter": of_segmenter.segmenter,
        "cases": len(of_segmenter.maps),
        "mean_dice": finite_or_none(of_segmenter.dice),
        "pixel_accuracy": finite_or_none(of_segmenter.accuracy),
        "median_cst_error_um": finite_or_none(of_segmenter.median_center_error_um()),
        "tissues": {
            overlap.name: {
                **overlap_row(overlap),
                "cases_with_it": of_segmenter.cases_with(overlap.name),
                "mean_case_dice": finite_or_none(of_segmenter.mean_case_dice(overlap.name)),
                "mean_case_iou": finite_or_none(of_segmenter.mean_case_iou(overlap.name)),
                "median_volume_error_nl": finite_or_none(
                    of_segmenter.median_volume_error_nl(overlap.name)
                ),
                "median_volume_error_percent": finite_or_none(
                    of_segmenter.median_volume_error_percent(overlap.name)
                ),
            }
            for overlap in of_segmenter.pooled
        },
        "surfaces": {
            surface: {
                "mean_absolute_um": finite_or_none(absolute),
                "mean_signed_um": finite_or_none(signed),
            }
            for surface, (absolute, signed) in surfaces.items()
        },
    }


def _head_json(head: HeadScores) -> dict[str, object]:
    found: dict[str, object] = {"outcomes": {o.name: _outcome_json(o) for o in head.outcomes}}
    if head.exclusive is not None:
        found |= {
            "error": _proportion_json(head.exclusive.error),
            "confusion": head.exclusive.confusion.tolist(),
            "mean_penalty": finite_or_none(head.exclusive.mean_penalty),
            "penalty_share_of_worst": finite_or_none(head.exclusive.penalty_share),
        }
    return found


def _outcome_json(outcome: OutcomeScores) -> dict[str, object]:
    interval = outcome.auc_interval
    return {
        "auc": finite_or_none(outcome.auc),
        "auc_interval_95": [finite_or_none(interval.low), finite_or_none(interval.high)]
        if interval
        else None,
        "sensitivity": _proportion_json(outcome.sensitivity),
        "specificity": _proportion_json(outcome.specificity),
    }


def _proportion_json(share: Proportion) -> dict[str, object]:
    return {
        "count": share.count,
        "total": share.total,
        "value": finite_or_none(share.value),
        "interval_95": [finite_or_none(share.low), finite_or_none(share.high)],
    }
