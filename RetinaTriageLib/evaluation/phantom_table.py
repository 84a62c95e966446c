"""The table over the phantoms of several scanners, figure by figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from RetinaTriageLib.evaluation.classification_scores import OutcomeScores
from RetinaTriageLib.evaluation.evaluation import Evaluation, MapEvaluation
from RetinaTriageLib.evaluation.proportions import Proportion
from RetinaTriageLib.evaluation.report_text import number
from RetinaTriageLib.evaluation.segmentation_scores import SCORED_GROUPS
from RetinaTriageLib.evaluation.surface_distance import SURFACE_TITLES
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL

FLUIDS = ("fluid", "intraretinal_fluid", "subretinal_fluid", "serous_ped")
DEFINITIONS = """\
Dice, IoU      voxels of all eyes pooled; in brackets the mean Dice over the eyes that have the
               tissue, and how many do
volume error   median over the eyes, of its size; in % over the eyes that have the tissue
surfaces       mean over the eyes of the mean distance along the A-scan
CST            thickness of the central 1 mm around the fovea that was found, against the true one
referral error exact interval (Clopper and Pearson), 95 %
AUC            interval by bootstrap over the eyes, 95 %; 1 to 1 says only that no pair of eyes of
               this set stood in the wrong order; in square brackets the eyes with the condition
"""


def phantom_rows(sets: Sequence[Evaluation]) -> Iterator[tuple[str, list[str]]]:
    """Title of each figure with its text for every set."""
    maps = [of_set.consensus for of_set in sets if of_set.consensus is not None]
    yield "eyes", [str(len(of_set.cases)) for of_set in sets]
    yield "mean Dice of the tissues there", [number(of_map.dice) for of_map in maps]
    yield "tissues there, of 15", [_tissues_there(of_map) for of_map in maps]
    yield "pixel accuracy", [number(of_map.accuracy, 4) for of_map in maps]
    for name in SCORED_GROUPS:
        yield f"Dice, IoU {name}"[:39], [_overlap_cell(of_map, name) for of_map in maps]
    for name in FLUIDS:
        yield f"volume error {name}", [_volume_cell(of_map, name) for of_map in maps]
    for surface, title in SURFACE_TITLES.items():
        yield title, [f"{number(of_map.surface_um(surface)[0], 1)} µm" for of_map in maps]
    centers = [number(of_map.median_center_error_um(), 1) for of_map in maps]
    yield "CST error, median", [f"{center} µm" for center in centers]
    yield from _answer_rows(sets)


def _answer_rows(sets: Sequence[Evaluation]) -> Iterator[tuple[str, list[str]]]:
    ensembles = [of_set.ensemble for of_set in sets if of_set.ensemble is not None]
    exclusive = [ensemble.of(REFERRAL.name).exclusive for ensemble in ensembles]
    known = [scores for scores in exclusive if scores is not None]
    yield "referral errors", [f"{s.error.count} of {s.error.total}" for s in known]
    yield "referral error, %", [_share_cell(s.error) for s in known]
    yield "referral penalty a case", [number(s.mean_penalty) for s in known]
    for index, condition in enumerate(CONDITIONS.outcomes):
        outcomes = [ensemble.of(CONDITIONS.name).outcomes[index] for ensemble in ensembles]
        yield f"AUC {condition.name}", [_auc_cell(outcome) for outcome in outcomes]


def _share_cell(share: Proportion) -> str:
    low, high = 100 * share.low, 100 * share.high
    return f"{number(100 * share.value, 1)} ({number(low, 1)}–{number(high, 1)})"


def _auc_cell(outcome: OutcomeScores) -> str:
    interval = outcome.auc_interval
    count = outcome.sensitivity.total
    if interval is None or not math.isfinite(outcome.auc):
        return f"{number(outcome.auc)} [{count}]"
    return f"{number(outcome.auc)} ({interval.low:.3f}–{interval.high:.3f}) [{count}]"


def _tissues_there(of_map: MapEvaluation) -> str:
    single = [overlap for overlap in of_map.pooled if len(SCORED_GROUPS[overlap.name]) == 1]
    return str(sum(overlap.truth_voxels > 0 for overlap in single))


def _overlap_cell(of_map: MapEvaluation, name: str) -> str:
    overlap = next(overlap for overlap in of_map.pooled if overlap.name == name)
    mean = number(of_map.mean_case_dice(name), 2)
    return (
        f"{number(overlap.dice, 2)} {number(overlap.iou, 2)} ({mean} in {of_map.cases_with(name)})"
    )


def _volume_cell(of_map: MapEvaluation, name: str) -> str:
    return (
        f"{number(of_map.median_volume_error_nl(name), 2)} nl "
        f"{number(of_map.median_volume_error_percent(name), 1)} %"
    )
