"""The evaluation of one bundle on one labeled set, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.evaluation.central_thickness import CentralThickness
from RetinaTriageLib.evaluation.classification_scores import HeadAnswers, HeadScores
from RetinaTriageLib.evaluation.segmentation_scores import Overlap, mean_dice
from RetinaTriageLib.evaluation.surface_distance import SurfaceDistance
from RetinaTriageLib.volume import LabelArray

CONSENSUS = "consensus"
ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class MapScores:
    """One tissue map of one case against its labels.

    Attributes
    ----------
    overlaps : everything in `segmentation_scores.SCORED_GROUPS`, in that order
    accuracy : share of voxels of known tissue that are right
    voxel_nl : volume of a voxel; NaN where the spacing is unknown
    surfaces : distance by surface; empty where labels leave tissues open or spacing is unknown
    center : thickness at the fovea; None where the truth does not give it
    """

    case: str
    overlaps: tuple[Overlap, ...]
    accuracy: float
    voxel_nl: float
    surfaces: Mapping[str, SurfaceDistance]
    center: CentralThickness | None = None

    @property
    def dice(self) -> float:
        """Mean Dice over the tissues in the truth."""
        return mean_dice(self.overlaps)

    def of(self, name: str) -> Overlap:
        """Overlap of one tissue or group."""
        return next(overlap for overlap in self.overlaps if overlap.name == name)

    def volume_nl(self, name: str) -> tuple[float, float]:
        """Volume of one tissue in truth and prediction, in nl; NaN where it is not known."""
        found = self.of(name)
        voxel_nl = self.voxel_nl if found.known else float("nan")
        return found.truth_voxels * voxel_nl, found.predicted_voxels * voxel_nl

    def volume_error_nl(self, name: str) -> float:
        """Predicted minus true volume of one tissue, in nl; NaN where it is not known."""
        truth, predicted = self.volume_nl(name)
        return predicted - truth


@dataclass(frozen=True)
class MapEvaluation:
    """All maps of one segmenter, or of the consensus; ``pooled`` counts the voxels of all cases."""

    segmenter: str
    pooled: tuple[Overlap, ...]
    accuracy: float
    maps: tuple[MapScores, ...]

    @property
    def dice(self) -> float:
        """Mean pooled Dice over the tissues in the truth."""
        return mean_dice(self.pooled)

    def median_volume_error_nl(self, name: str) -> float:
        """Median size of the volume error of one tissue over the cases, in nl."""
        return self._median(lambda of_case: abs(of_case.volume_error_nl(name)))

    def median_volume_error_percent(self, name: str) -> float:
        """Median size of the volume error in % of the true volume, over cases that have any."""
        return self._median(lambda of_case: abs(of_case.of(name).volume_error_percent))

    def cases_with(self, name: str) -> int:
        """Cases whose truth has the tissue."""
        return sum(of_case.of(name).truth_voxels > 0 for of_case in self.maps)

    def mean_case_dice(self, name: str) -> float:
        """Mean Dice of one tissue over the cases that have it; NaN where none has."""
        return self._mean_where_present(name, lambda overlap: overlap.dice)

    def mean_case_iou(self, name: str) -> float:
        """Mean intersection over union over the cases that have the tissue; NaN as for Dice."""
        return self._mean_where_present(name, lambda overlap: overlap.iou)

    def surface_um(self, surface: str) -> tuple[float, float]:
        """Mean over the cases of the absolute and of the signed distance of a surface, in µm."""
        distances = [m.surfaces[surface] for m in self.maps if surface in m.surfaces]
        known = [distance for distance in distances if distance.compared]
        if not known:
            return float("nan"), float("nan")
        absolute = np.mean([distance.absolute_um for distance in known])
        return float(absolute), float(np.mean([distance.signed_um for distance in known]))

    def median_center_error_um(self) -> float:
        """Median size of the error of the central subfield thickness, in µm."""
        return self._median(lambda m: abs(m.center.error_um) if m.center else float("nan"))

    def _mean_where_present(self, name: str, value: Callable[[Overlap], float]) -> float:
        found = [of_case.of(name) for of_case in self.maps]
        values = [value(overlap) for overlap in found if overlap.truth_voxels]
        return float(np.mean(values)) if values else float("nan")

    def _median(self, value: Callable[[MapScores], float]) -> float:
        values = [value(of_case) for of_case in self.maps]
        known = [number for number in values if np.isfinite(number)]
        return float(np.median(known)) if known else float("nan")


@dataclass(frozen=True)
class OpinionEvaluation:
    """Answers of one pair of networks, or of the ensemble, on all cases with known answers."""

    judge: str
    heads: tuple[HeadScores, ...]

    def of(self, head: str) -> HeadScores:
        """Scores of one head."""
        return next(scores for scores in self.heads if scores.head == head)


@dataclass(frozen=True)
class CasePicture:
    """One B-scan with its labels and the consensus map, uint8 arrays (depth, width)."""

    case: str
    bscan: int
    gray: LabelArray
    codes: LabelArray
    predicted: LabelArray
    dice: float


@dataclass(frozen=True)
class EvaluatedBundle:
    """Which bundle was evaluated, and how its scores were decided on."""

    name: str
    sha256: str
    trained_on: str
    operating_point: str
    calibration: str
    compute: str


@dataclass(frozen=True)
class Evaluation:
    """Everything measured of one bundle on one labeled set.

    Attributes
    ----------
    maps : each segmenter in the order of the bundle, and the consensus last; empty without labels
    opinions : each pair of segmenter and classifier, and the ensemble last; empty without answers
    answers : head name to scores and truth of the ensemble, a row a case
    pictures : B-scans of the cases with the lowest Dice
    notes : sentences of the runs that have to travel with the numbers
    """

    set_name: str
    bundle: EvaluatedBundle
    cases: tuple[str, ...]
    maps: tuple[MapEvaluation, ...]
    opinions: tuple[OpinionEvaluation, ...]
    answers: Mapping[str, HeadAnswers]
    pictures: tuple[CasePicture, ...]
    notes: tuple[str, ...]

    @property
    def consensus(self) -> MapEvaluation | None:
        """Evaluation of the consensus map; None where nothing was labeled."""
        return self.maps[-1] if self.maps else None

    @property
    def ensemble(self) -> OpinionEvaluation | None:
        """Evaluation of the mean of all opinions; None where no answer was known."""
        return self.opinions[-1] if self.opinions else None

    def best_pair(self, head: str) -> OpinionEvaluation | None:
        """Find the pair with the fewest errors in an exclusive head, the first of equal ones."""
        pairs = [pair for pair in self.opinions[:-1] if pair.of(head).exclusive is not None]
        return min(pairs, key=lambda pair: _errors(pair, head), default=None)


def _errors(pair: OpinionEvaluation, head: str) -> int:
    exclusive = pair.of(head).exclusive
    assert exclusive is not None
    return exclusive.error.count
