"""Occlusion over a tissue map: remove one region at a time and judge again.

Kermany et al. (Cell 2018) blank boxes of the gray picture; here regions of the tissue map are
removed, so that the answer is in the words of the map: "without this pocket, urgent falls".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.calibration import Calibration, reweight
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.explanation import Explanation, RegionEffect
from RetinaTriageLib.explain.regions import FoundRegion, find_regions, whole_tissues
from RetinaTriageLib.hypotheses import Opinion, Scores
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.ensemble import judge_grids
from RetinaTriageLib.networks.classifier_input import GridAccumulator
from RetinaTriageLib.networks.patient import Patient
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.tissues import Tissue
from RetinaTriageLib.volume import LabelArray, VoxelSpacing

EXPLAIN = "explain"
"""Stage that progress is reported in: it counts maps that were judged."""

MAX_REGIONS = 24
BATCH = 4


def explain_map(
    tissue_map: LabelArray,
    spacing: VoxelSpacing | None,
    bundle: Bundle,
    *,
    compute: Compute,
    patient: Patient | None = None,
    operating_point: OperatingPoint = OperatingPoint.BALANCED,
    of: Sequence[Tissue] | None = None,
    max_regions: int = MAX_REGIONS,
    on_progress: OnProgress = ignore_progress,
) -> Explanation:
    """Scores of a map, and its scores without each of its regions and without each lesion at all.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)
    spacing : of the volume that the map belongs to; None where it is not known
    of : tissues whose regions are removed; None for `lesion_tissues`
    max_regions : only so many are removed one at a time, the largest ones
    on_progress : what it raises ends the work

    Raises
    ------
    InputError
        If there is no classifier of single maps, the limit is below 1, or the map has labels that
        the bundle does not know.
    """
    if max_regions < 1 or not bundle.manifest.map_classifiers:
        msg = (
            f"Found a limit of {max_regions} regions and {len(bundle.manifest.map_classifiers)} "
            "classifiers of single maps; expected at least one of each. Choose another bundle."
        )
        raise InputError(msg)
    tissues = bundle.vocabulary.tissues
    found = find_regions(tissue_map, tissues, of)
    kept = (*found[:max_regions], *whole_tissues(found))
    total = 1 + len(kept)
    on_progress(Progress(EXPLAIN, 0, total))
    bscans, depths, widths = tissue_map.shape
    whole = GridAccumulator(
        (bscans, depths, widths), spacing, classifier_grid(bundle.manifest), tissues
    )
    whole.add_labels(tissue_map)
    calibration = bundle.calibration_of(bscans)
    scores: list[Scores] = []
    for first in range(0, total, BATCH):
        grids = [
            whole.finish() if index == 0 else _without(whole, tissue_map, kept[index - 1]).finish()
            for index in range(first, min(first + BATCH, total))
        ]
        judged = judge_grids(grids, bundle, compute=compute, patient=patient, batch=BATCH)
        scores += [
            _reweighted(opinions, bundle.vocabulary.heads, calibration, operating_point)
            for opinions in judged
        ]
        on_progress(Progress(EXPLAIN, len(scores), total))
    effects = tuple(
        RegionEffect(one.region, of_map) for one, of_map in zip(kept, scores[1:], strict=True)
    )
    return Explanation(scores[0], effects, max(0, len(found) - max_regions))


def _without(whole: GridAccumulator, tissue_map: LabelArray, found: FoundRegion) -> GridAccumulator:
    """Grid of the map without a region: only the B-scans that it reaches are worked again."""
    changed = whole.copied()
    for offset, mask in enumerate(found.mask):
        index = found.box[0].start + offset
        bscan = tissue_map[index].copy()
        bscan[found.box[1:]][mask] = found.filler
        changed.exchange(index, tissue_map[index], bscan)
    return changed


def _reweighted(
    opinions: Sequence[Opinion],
    heads: Sequence[OutcomeHead],
    calibration: Calibration,
    point: OperatingPoint,
) -> Scores:
    """Mean of the classifiers, re-weighted as `decision.decide` does it."""
    means = {head.name: np.mean([o.scores[head.name] for o in opinions], axis=0) for head in heads}
    return {
        head.name: reweight(means[head.name], head, calibration.factors_of(head, point))
        for head in heads
    }
