"""What one labeled case says about a bundle: everything that later sums and scores need.

It is small beside the scan, so that hundreds of cases fit into memory and each into a JSON file
(`case_result_json`), from which an interrupted evaluation goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.evaluation.central_thickness import CentralThickness, central_thickness
from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
from RetinaTriageLib.evaluation.evaluation import CasePicture, MapScores
from RetinaTriageLib.evaluation.labeled_set import LabeledCase
from RetinaTriageLib.evaluation.opinion_scores import JudgedCase
from RetinaTriageLib.evaluation.segmentation_scores import (
    CountArray,
    confusion_counts,
    pixel_accuracy,
    tissue_overlaps,
)
from RetinaTriageLib.evaluation.surface_distance import SurfaceDistance, surface_distances
from RetinaTriageLib.labels.label_sets import SOME_FLUID
from RetinaTriageLib.measures.volumes import NL_PER_MM3
from RetinaTriageLib.progress import OnProgress, ignore_progress
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES, TissueGroup, labels_of
from RetinaTriageLib.volume import LabelArray, OCTVolume
from RetinaTriageLib.writers.report_pictures import gray_levels

PICTURES = 8

# A picture shows the B-scan with the most of these; every scan has retina and choroid.
_LESIONS = (
    *labels_of(TissueGroup.FLUID, TissueGroup.PED),
    TISSUE_BY_NAME["epiretinal_membrane"].label,
    TISSUE_BY_NAME["subretinal_hyperreflective_material"].label,
    SOME_FLUID,
)


@dataclass(frozen=True)
class MapResult:
    """One tissue map of one case against its labels.

    Attributes
    ----------
    counts : int array (label code, predicted tissue), voxels
    surfaces : distance by surface; empty where labels leave tissues open or spacing is unknown
    center : thickness at the fovea; None where the truth does not give it
    """

    counts: CountArray
    surfaces: Mapping[str, SurfaceDistance]
    center: CentralThickness | None


@dataclass(frozen=True)
class CaseResult:
    """One case as a bundle worked it.

    Attributes
    ----------
    voxel_nl : volume of a voxel; NaN where the spacing is unknown
    maps : one a segmenter, and the consensus last; empty where nothing is labeled
    picture : one B-scan with labels and consensus; None where nothing is labeled, or not kept
    notes : sentences of the run that have to travel with the numbers
    """

    judged: JudgedCase
    voxel_nl: float
    maps: tuple[MapResult, ...]
    picture: CasePicture | None
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the case."""
        return self.judged.name

    def scores(self, number: int) -> MapScores:
        """Scores of one map; the number is its place in ``maps``."""
        of_map = self.maps[number]
        return MapScores(
            self.name,
            tissue_overlaps(of_map.counts),
            pixel_accuracy(of_map.counts),
            self.voxel_nl,
            of_map.surfaces,
            of_map.center,
        )


def evaluate_case(
    runs: EnsembleRuns, case: LabeledCase, on_progress: OnProgress = ignore_progress
) -> CaseResult:
    """Run the ensemble on one case and compare its maps with the labels.

    Raises
    ------
    InputError
        If labels and scan do not fit.
    CancelledError
        If the caller stopped the work.
    """
    output = runs.run(case.volume, on_progress)
    judged = JudgedCase(
        case.name,
        case.patient,
        case.volume.shape[0],
        case.answers,
        output.opinions,
        output.joint_opinions,
    )
    voxel_nl = _voxel_nl(case.volume)
    if case.codes is None:
        return CaseResult(judged, voxel_nl, (), None, output.notes)
    maps = tuple(
        _map_result(case, case.codes, tissue_map)
        for tissue_map in (*output.tissue_maps, output.consensus)
    )
    result = CaseResult(judged, voxel_nl, maps, None, output.notes)
    dice = result.scores(-1).dice
    return replace(result, picture=_picture(case, case.codes, output.consensus, dice))


def worst_pictures(results: Sequence[CaseResult], count: int = PICTURES) -> list[CasePicture]:
    """Pictures of the cases with the lowest Dice, the lowest first."""
    pictures = [result.picture for result in results if result.picture is not None]
    return sorted(pictures, key=_dice_or_one)[:count]


def with_worst_pictures(results: Sequence[CaseResult], count: int = PICTURES) -> list[CaseResult]:
    """Results without the pictures that `worst_pictures` leaves out, which saves their memory."""
    kept = {id(picture) for picture in worst_pictures(results, count)}
    return [r if id(r.picture) in kept else replace(r, picture=None) for r in results]


def _dice_or_one(picture: CasePicture) -> float:
    return picture.dice if np.isfinite(picture.dice) else 1.0


def _map_result(case: LabeledCase, codes: LabelArray, tissue_map: LabelArray) -> MapResult:
    spacing, surfaces = case.volume.spacing, {}
    if spacing is not None and _complete(codes):
        surfaces = dict(surface_distances(codes, tissue_map, spacing.depth_mm))
    return MapResult(
        confusion_counts(codes, tissue_map), surfaces, _center(case, codes, tissue_map)
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
    return CasePicture(
        case.name, bscan, gray.copy(), codes[bscan].copy(), predicted[bscan].copy(), dice
    )
