"""The main numbers of an evaluation as text for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from RetinaTriageLib.evaluation.classification_scores import ExclusiveScores, HeadScores
from RetinaTriageLib.evaluation.evaluation import Evaluation, MapEvaluation
from RetinaTriageLib.evaluation.proportions import Proportion
from RetinaTriageLib.evaluation.surface_distance import SURFACE_TITLES


def evaluation_text(evaluation: Evaluation) -> str:
    """Tissues, surfaces, members, errors and outcomes, in lines of text."""
    bundle = evaluation.bundle
    lines = [
        f"{bundle.name} on {evaluation.set_name}: {len(evaluation.cases)} cases",
        f"  trained on: {bundle.trained_on}",
        f"  operating point {bundle.operating_point}, {bundle.calibration}",
    ]
    if evaluation.consensus is not None:
        lines += _map_lines(evaluation.consensus, evaluation.maps[:-1])
    if evaluation.ensemble is not None:
        for head in evaluation.ensemble.heads:
            lines += _head_lines(evaluation, head)
    lines += [f"Note: {note}" for note in evaluation.notes]
    return "\n".join(lines) + "\n"


def number(value: float, digits: int = 3) -> str:
    """Value with a fixed number of digits; a dash where it is not known.

    Examples
    --------
    >>> number(0.12345), number(float("nan"))
    ('0.123', '–')
    """
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def percent(share: Proportion) -> str:
    """Share in percent with its interval and counts.

    Examples
    --------
    >>> from RetinaTriageLib.evaluation.proportions import proportion
    >>> percent(proportion(55, 997))
    '5.5 % (4.2 to 7.1 %, 55 of 997)'
    """
    if not share.total:
        return "–"
    return (
        f"{100 * share.value:.1f} % ({100 * share.low:.1f} to {100 * share.high:.1f} %, "
        f"{share.count} of {share.total})"
    )


def _map_lines(consensus: MapEvaluation, members: tuple[MapEvaluation, ...]) -> Iterator[str]:
    yield ""
    yield "Consensus map: pooled over voxels, then means over the cases that have the tissue"
    columns = f"{'Dice':>7}{'IoU':>7}{'Dice':>9}{'IoU':>7}{'cases':>7}{'volume error, median':>26}"
    yield f"{'':<38}{columns}"
    for overlap in consensus.pooled:
        volume_nl = number(consensus.median_volume_error_nl(overlap.name), 2)
        volume_percent = number(consensus.median_volume_error_percent(overlap.name), 1)
        yield (
            f"  {overlap.name:<36}{number(overlap.dice):>7}{number(overlap.iou):>7}"
            f"{number(consensus.mean_case_dice(overlap.name)):>9}"
            f"{number(consensus.mean_case_iou(overlap.name)):>7}"
            f"{consensus.cases_with(overlap.name):>7}"
            f"{volume_nl:>15} nl{volume_percent:>8} %"
        )
    yield f"  {'mean of the tissues in the truth':<36}{number(consensus.dice):>7}"
    yield f"  {'pixel accuracy':<36}{number(consensus.accuracy, 4):>7}"
    for surface, title in SURFACE_TITLES.items():
        absolute, signed = consensus.surface_um(surface)
        yield f"  {title:<36}{number(absolute, 1):>7} µm absolute, {number(signed, 1)} signed"
    yield f"  {'CST error, median':<36}{number(consensus.median_center_error_um(), 1):>7} µm"
    for member in members:
        yield f"  {'mean Dice of ' + member.segmenter:<36}{number(member.dice):>7}"


def _head_lines(evaluation: Evaluation, head: HeadScores) -> Iterator[str]:
    yield ""
    yield f"Ensemble, {head.head}"
    if head.exclusive is not None:
        yield f"  error          {percent(head.exclusive.error)}"
        yield f"  mean penalty   {_penalty(head.exclusive)}"
        best = evaluation.best_pair(head.head)
        exclusive = best.of(head.head).exclusive if best else None
        if best is not None and exclusive is not None:
            yield f"  best pair      {percent(exclusive.error)}: {best.judge}"
            yield f"                 mean penalty {_penalty(exclusive)}"
    yield f"  {'':<30}{'AUC':>7}  sensitivity, specificity"
    for outcome in head.outcomes:
        yield (
            f"  {outcome.name:<30}{number(outcome.auc):>7}  {percent(outcome.sensitivity)}, "
            f"{percent(outcome.specificity)}"
        )


def _penalty(scores: ExclusiveScores) -> str:
    return (
        f"{number(scores.mean_penalty)} a case, {number(100 * scores.penalty_share, 1)} % of the "
        "worst"
    )
