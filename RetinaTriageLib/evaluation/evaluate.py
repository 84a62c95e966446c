"""Evaluate a bundle on labeled cases: every member, every pair, and the whole ensemble."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.case_result import (
    CaseResult,
    evaluate_case,
    with_worst_pictures,
    worst_pictures,
)
from RetinaTriageLib.evaluation.ensemble_runs import CASES, EnsembleRuns, case_progress
from RetinaTriageLib.evaluation.evaluation import (
    CONSENSUS,
    EvaluatedBundle,
    Evaluation,
    MapEvaluation,
)
from RetinaTriageLib.evaluation.labeled_set import LabeledSet
from RetinaTriageLib.evaluation.opinion_scores import (
    JudgedCase,
    ensemble_answers,
    opinion_evaluations,
)
from RetinaTriageLib.evaluation.segmentation_scores import pixel_accuracy, tissue_overlaps
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.tissues import TISSUES


def evaluate_bundle(
    runs: EnsembleRuns,
    cases: LabeledSet,
    point: OperatingPoint = OperatingPoint.BALANCED,
    *,
    intervals: bool = True,
    on_progress: OnProgress = ignore_progress,
) -> Evaluation:
    """Run the ensemble on every case and score its maps and answers.

    Cases are taken one after another; of each only numbers and one B-scan are kept.

    Parameters
    ----------
    intervals : whether to draw bootstrap intervals of the AUC of the ensemble

    Raises
    ------
    InputError
        If the bundle has other tissues than the labels, or a case cannot be used.
    CancelledError
        If the caller stopped the work.
    """
    require_standard_tissues(runs)
    results: list[CaseResult] = []
    for number, case in enumerate(cases):
        report = case_progress(on_progress, number, cases.count)
        results = with_worst_pictures([*results, evaluate_case(runs, case, report)])
        on_progress(Progress(CASES, number + 1, cases.count))
    return evaluation_of(cases.name, runs, results, point, intervals=intervals)


def evaluation_of(
    set_name: str,
    runs: EnsembleRuns,
    results: Sequence[CaseResult],
    point: OperatingPoint = OperatingPoint.BALANCED,
    *,
    intervals: bool = True,
) -> Evaluation:
    """Scores of cases that the ensemble of ``runs`` has worked before.

    Parameters
    ----------
    set_name : what the cases are, for people
    intervals : whether to draw bootstrap intervals of the AUC of the ensemble
    """
    judged = [result.judged for result in results]
    names = [*(entry.name for entry in runs.bundle.manifest.segmenters), CONSENSUS]
    labeled = [result for result in results if result.maps]
    maps = (_map_evaluation(name, number, labeled) for number, name in enumerate(names))
    return Evaluation(
        set_name,
        _evaluated_bundle(runs, judged, point),
        tuple(case.name for case in judged),
        tuple(maps) if labeled else (),
        opinion_evaluations(judged, runs.bundle, point, intervals=intervals),
        ensemble_answers(judged, runs.bundle.vocabulary.heads),
        tuple(worst_pictures(results)),
        tuple(dict.fromkeys(note for result in results for note in result.notes)),
    )


def require_standard_tissues(runs: EnsembleRuns) -> None:
    """Refuse a bundle whose maps cannot be compared with labels.

    Raises
    ------
    InputError
        If it has other tissues than the labels.
    """
    found = [tissue.name for tissue in runs.tissues]
    if found != [tissue.name for tissue in TISSUES]:
        msg = (
            f"Found a bundle of the tissues {', '.join(found)}; labels are scored by the standard "
            f"{len(TISSUES)} tissues. Evaluate a bundle that declares those."
        )
        raise InputError(msg)


def _map_evaluation(name: str, number: int, labeled: Sequence[CaseResult]) -> MapEvaluation:
    counts = np.sum([result.maps[number].counts for result in labeled], axis=0)
    return MapEvaluation(
        name,
        tissue_overlaps(counts),
        pixel_accuracy(counts),
        tuple(result.scores(number) for result in labeled),
    )


def _evaluated_bundle(
    runs: EnsembleRuns, judged: Sequence[JudgedCase], point: OperatingPoint
) -> EvaluatedBundle:
    bundle = runs.bundle
    calibrations = (bundle.calibration_of(case.bscans) for case in judged)
    rests_on = dict.fromkeys(c.describe(bundle.vocabulary.heads, point) for c in calibrations)
    return EvaluatedBundle(
        f"{bundle.manifest.name} {bundle.manifest.version}",
        bundle.sha256,
        bundle.manifest.trained_on,
        point.value,
        "; ".join(rests_on),
        runs.compute.description,
    )
