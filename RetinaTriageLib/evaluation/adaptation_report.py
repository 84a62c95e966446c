"""What an adaptation study found, as text for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from RetinaTriageLib.evaluation.adaptation_study import CONDITIONS, StudyResult
from RetinaTriageLib.evaluation.classification_scores import ExclusiveScores
from RetinaTriageLib.evaluation.evaluation import Evaluation
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.report_text import number, percent
from RetinaTriageLib.evaluation.segmentation_scores import Overlap

FIGURE_FILE, JSON_FILE, TEXT_FILE = "adaptation.png", "adaptation.json", "adaptation.txt"
WIDTH = 21


def study_text(result: StudyResult) -> str:
    """Referral error, Dice and what stayed the same, in lines of text."""
    study, known = result.study, result.evaluations[0]
    lines = [
        f"{known.bundle.name} adapted to: {study.device.title}",
        f"  {len(known.cases)} eyes, each scanned by both scanners ({study.bscans} B-scans); "
        f"learned from {study.labeled_eyes * study.labeled_bscans} labeled B-scans of "
        f"{study.labeled_eyes} other eyes",
        f"  the new branch started as a copy of {result.start.title}; before, the new scanner was "
        f"segmented with {result.start.like}",
        "",
        f"{'':<38}" + "".join(f"{condition:>{WIDTH}}" for condition in CONDITIONS),
        *_rows(result),
        "",
    ]
    for condition, evaluation in zip(CONDITIONS, result.evaluations, strict=True):
        lines.append(f"Referral error, {condition}: {percent(referral(evaluation).error)}")
    same = sum(result.untouched[0][name] == digest for name, digest in result.untouched[1].items())
    lines.append(
        f"Unchanged, by SHA-256: {same} of {len(result.untouched[0])} networks without the new "
        f"branch, {len(result.classifiers)} of them classifiers"
    )
    return "\n".join(lines) + "\n"


def study_json(result: StudyResult) -> dict[str, object]:
    """Everything that a figure or another comparison needs; null where a value is not known."""
    study = result.study
    return {
        "device": {"name": study.device.name, "title": study.device.title},
        "eyes": len(result.evaluations[0].cases),
        "first_seed": study.first_seed,
        "bscans": study.bscans,
        "labeled": {
            "eyes": study.labeled_eyes,
            "bscans": study.labeled_eyes * study.labeled_bscans,
            "first_seed": study.labeled_seeds.start,
        },
        "start_from": result.start.like,
        "for_inverted_gray": result.start.inverted,
        "source_bundle_sha256": result.evaluations[0].bundle.sha256,
        "adapted_bundle_sha256": result.adapted_sha256,
        "untouched_sha256": {"source": result.untouched[0], "adapted": result.untouched[1]},
        "conditions": {
            condition: _condition_json(evaluation)
            for condition, evaluation in zip(CONDITIONS, result.evaluations, strict=True)
        },
    }


def referral(evaluation: Evaluation) -> ExclusiveScores:
    """Scores of the referral of the whole ensemble."""
    assert evaluation.ensemble is not None  # phantoms know their referral
    exclusive = evaluation.ensemble.of("referral").exclusive
    assert exclusive is not None
    return exclusive


def shown_overlaps(result: StudyResult) -> Iterator[tuple[Overlap, ...]]:
    """Pooled overlap of each tissue that is in the truth, under each condition."""
    per_condition = [
        evaluation.consensus.pooled if evaluation.consensus else ()
        for evaluation in result.evaluations
    ]
    for row in zip(*per_condition, strict=True):
        if any(overlap.truth_voxels for overlap in row):
            yield row


def report_paths(folder: Path) -> tuple[Path, Path, Path]:
    """Where figure, JSON and text are written."""
    return folder / FIGURE_FILE, folder / JSON_FILE, folder / TEXT_FILE


def _rows(result: StudyResult) -> Iterator[str]:
    errors = [referral(evaluation).error for evaluation in result.evaluations]
    yield _row("referral error", [f"{100 * error.value:.1f} %" for error in errors])
    penalties = [referral(evaluation).mean_penalty for evaluation in result.evaluations]
    yield _row("mean penalty of a referral", [number(value) for value in penalties])
    maps = [evaluation.consensus for evaluation in result.evaluations]
    yield _row("mean Dice of the tissues", [number(m.dice if m else float("nan")) for m in maps])
    for overlaps in shown_overlaps(result):
        yield _row(f"  {overlaps[0].name}", [number(overlap.dice) for overlap in overlaps])


def _row(label: str, values: list[str]) -> str:
    return f"{label:<38}" + "".join(f"{value:>{WIDTH}}" for value in values)


def _condition_json(evaluation: Evaluation) -> dict[str, object]:
    scores, consensus = referral(evaluation), evaluation.consensus
    error = scores.error
    return {
        "referral_error": finite_or_none(error.value),
        "referral_errors": error.count,
        "referral_cases": error.total,
        "referral_error_95": [finite_or_none(error.low), finite_or_none(error.high)],
        "referral_confusion": scores.confusion.tolist(),
        "referral_mean_penalty": finite_or_none(scores.mean_penalty),
        "mean_dice": finite_or_none(consensus.dice) if consensus else None,
        "dice": {o.name: finite_or_none(o.dice) for o in consensus.pooled} if consensus else {},
    }
