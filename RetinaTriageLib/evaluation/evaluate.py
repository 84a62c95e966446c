"""Evaluate a bundle on labeled cases: every member, every pair, and the whole ensemble."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from RetinaTriageLib.errors import GeometryError, InputError
from RetinaTriageLib.evaluation.central_thickness import CentralThickness, central_thickness
from RetinaTriageLib.evaluation.ensemble_runs import CASES, EnsembleRuns, case_progress
from RetinaTriageLib.evaluation.evaluation import (
    CONSENSUS,
    CasePicture,
    EvaluatedBundle,
    Evaluation,
    MapEvaluation,
    MapScores,
)
from RetinaTriageLib.evaluation.labeled_set import LabeledCase, LabeledSet
from RetinaTriageLib.evaluation.opinion_scores import (
    JudgedCase,
    ensemble_answers,
    opinion_evaluations,
)
from RetinaTriageLib.evaluation.segmentation_scores import (
    CODES,
    CountArray,
    confusion_counts,
    pixel_accuracy,
    tissue_overlaps,
)
from RetinaTriageLib.evaluation.surface_distance import surface_distances
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES, TissueGroup, labels_of
from RetinaTriageLib.training.label_sets import SOME_FLUID
from RetinaTriageLib.volume import LabelArray, OCTVolume
from RetinaTriageLib.writers.report_pictures import gray_levels

PICTURES = 8
NL_PER_MM3 = 1000.0

# A picture shows the B-scan with the most of these; every scan has retina and choroid.
_LESIONS = (
    *labels_of(TissueGroup.FLUID, TissueGroup.PED),
    TISSUE_BY_NAME["epiretinal_membrane"].label,
    TISSUE_BY_NAME["subretinal_hyperreflective_material"].label,
    SOME_FLUID,
)


@dataclass
class _MapTally:
    """What is known of the maps of one segmenter from the cases so far."""

    counts: CountArray = field(default_factory=lambda: np.zeros((CODES, len(TISSUES)), np.int64))
    maps: list[MapScores] = field(default_factory=list)

    def add(self, case: LabeledCase, codes: LabelArray, tissue_map: LabelArray) -> None:
        counts = confusion_counts(codes, tissue_map)
        self.counts += counts
        spacing = case.volume.spacing
        surfaces = {}
        if spacing is not None and _complete(codes):
            surfaces = dict(surface_distances(codes, tissue_map, spacing.depth_mm))
        self.maps.append(
            MapScores(
                case.name,
                tissue_overlaps(counts),
                pixel_accuracy(counts),
                _voxel_nl(case.volume),
                surfaces,
                _center(case, codes, tissue_map),
            )
        )

    def evaluation(self, segmenter: str) -> MapEvaluation:
        return MapEvaluation(
            segmenter, tissue_overlaps(self.counts), pixel_accuracy(self.counts), tuple(self.maps)
        )


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
    _require_standard_tissues(runs)
    names = [*(entry.name for entry in runs.bundle.manifest.segmenters), CONSENSUS]
    tallies = {name: _MapTally() for name in names}
    judged: list[JudgedCase] = []
    pictures: list[CasePicture] = []
    notes: dict[str, None] = {}
    for number, case in enumerate(cases):
        output = runs.run(case.volume, case_progress(on_progress, number, cases.count))
        judged.append(JudgedCase(case.name, case.patient, case.answers, output.opinions))
        notes |= dict.fromkeys(output.notes)
        if case.codes is not None:
            for name, tissue_map in zip(
                names, (*output.tissue_maps, output.consensus), strict=True
            ):
                tallies[name].add(case, case.codes, tissue_map)
            dice = tallies[CONSENSUS].maps[-1].dice
            pictures.append(_picture(case, case.codes, output.consensus, dice))
            pictures = sorted(pictures, key=_worst_first)[:PICTURES]
        on_progress(Progress(CASES, number + 1, cases.count))
    return Evaluation(
        cases.name,
        _evaluated_bundle(runs, point),
        tuple(case.name for case in judged),
        tuple(tally.evaluation(name) for name, tally in tallies.items() if tally.maps),
        opinion_evaluations(judged, runs.bundle, point, intervals=intervals),
        ensemble_answers(judged, runs.bundle.vocabulary.heads),
        tuple(pictures),
        tuple(notes),
    )


def _center(
    case: LabeledCase, codes: LabelArray, tissue_map: LabelArray
) -> CentralThickness | None:
    if case.fovea is None or not _complete(codes):
        return None
    try:
        return central_thickness(case.volume, codes, tissue_map, case.fovea)
    except GeometryError:  # an eye side or spacing that is not known, or a fovea off the scan
        return None


def _complete(codes: LabelArray) -> bool:
    """Whether every label names one tissue."""
    return int(codes.max(initial=0)) < len(TISSUES)


def _voxel_nl(volume: OCTVolume) -> float:
    if volume.spacing is None or volume.spacing.bscan_mm is None:
        return float("nan")
    return volume.spacing.voxel_mm3 * NL_PER_MM3


def _picture(
    case: LabeledCase, codes: LabelArray, predicted: LabelArray, dice: float
) -> CasePicture:
    lesion = np.array([np.isin(bscan, _LESIONS).sum() for bscan in codes])
    bscan = int(lesion.argmax()) if lesion.any() else len(codes) // 2
    gray = gray_levels(case.volume.voxels)[bscan]
    return CasePicture(case.name, bscan, gray.copy(), codes[bscan], predicted[bscan].copy(), dice)


def _worst_first(picture: CasePicture) -> float:
    return picture.dice if np.isfinite(picture.dice) else 1.0


def _evaluated_bundle(runs: EnsembleRuns, point: OperatingPoint) -> EvaluatedBundle:
    bundle = runs.bundle
    return EvaluatedBundle(
        f"{bundle.manifest.name} {bundle.manifest.version}",
        bundle.sha256,
        bundle.manifest.trained_on,
        point.value,
        bundle.calibration.describe(bundle.vocabulary.heads, point),
        runs.compute.description,
    )


def _require_standard_tissues(runs: EnsembleRuns) -> None:
    found = [tissue.name for tissue in runs.tissues]
    if found != [tissue.name for tissue in TISSUES]:
        msg = (
            f"Found a bundle of the tissues {', '.join(found)}; labels are scored by the standard "
            f"{len(TISSUES)} tissues. Evaluate a bundle that declares those."
        )
        raise InputError(msg)
