"""The verdict of whole-image classifiers as JSON, alike in every result that holds one."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from RetinaTriageLib.bscan_agreement import Comparison, disagreement
from RetinaTriageLib.bscan_verdict import BscanVerdict, ImageOrigin, ImageTask, answer

Json = dict[str, Any]


def bscan_verdict_fields(verdict: BscanVerdict) -> Json:
    """Fields of a verdict on a volume; B-scans count from 1."""
    task, names = verdict.task, verdict.task.names
    rows = []
    for at, scores in enumerate(verdict.bscans):
        said = answer(task, scores)
        rows.append(
            {
                "bscan": at + 1,
                "scores": dict(zip(names, map(float, scores), strict=True)),
                "classes": list(said.classes),
                "referral": said.referral,
                "weight": None if verdict.weights is None else float(verdict.weights[at]),
            }
        )
    return {
        "task": task_fields(task),
        "pooling": verdict.pooling.value,
        "pooled_by": verdict.pooled_by,
        "scores": dict(zip(names, map(float, verdict.scores), strict=True)),
        "classes": list(verdict.answer.classes),
        "referral": verdict.answer.referral,
        "referral_scores": dict(verdict.referrals),
        "bscans": rows,
        "origin": origin_fields(verdict.origin),
    }


def comparison_fields(comparisons: tuple[Comparison, ...]) -> Json:
    """Fields of what two verdicts say about one scan."""
    return {
        "said": disagreement(comparisons),
        "agree": all(each.agree for each in comparisons) if comparisons else None,
        "questions": [
            {
                key: None if isinstance(value, float) and not math.isfinite(value) else value
                for key, value in asdict(each).items()
            }
            for each in comparisons
        ],
    }


def task_fields(task: ImageTask) -> Json:
    """Fields of what classifiers were asked."""
    return {
        "classes": [asdict(each) for each in task.classes],
        "head": task.head.value,
        "otherwise": task.otherwise,
    }


def origin_fields(origin: ImageOrigin) -> Json:
    """Fields of where answers come from."""
    return {**asdict(origin), "notes": list(origin.notes)}
