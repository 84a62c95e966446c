"""What an explanation says: plain values and arrays, read where torch must not be loaded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from RetinaTriageLib.hypotheses import Scores
from RetinaTriageLib.outcomes import OutcomeHead


@dataclass(frozen=True)
class TissueRegion:
    """One connected region of one tissue, such as a pocket of fluid; or all of them together.

    Attributes
    ----------
    tissue : name of the tissue
    filled_with : name of the tissue that surrounds it, which it is set to when it is removed
    voxels : how many it has
    bscan, depth, width : index of a voxel in the middle of it
    first_bscan, last_bscan : B-scans that it reaches from and to
    parts : how many connected regions it stands for; more than 1 where it is all of a tissue
    """

    tissue: str
    filled_with: str
    voxels: int
    bscan: int
    depth: int
    width: int
    first_bscan: int
    last_bscan: int
    parts: int = 1


@dataclass(frozen=True)
class RegionEffect:
    """Scores of a map without one region, re-weighted like those of the verdict."""

    region: TissueRegion
    scores: Scores


@dataclass(frozen=True)
class Explanation:
    """What the scores of one tissue map rest on.

    Attributes
    ----------
    scores : of the whole map, the mean of the classifiers, re-weighted for the operating point
    effects : one a region, the largest region first; then one a tissue of several regions
    left_out : smaller regions that were not removed, as there were more than the limit
    """

    scores: Scores
    effects: tuple[RegionEffect, ...]
    left_out: int = 0


def ranked_effects(
    explanation: Explanation, head: OutcomeHead, outcome: str
) -> tuple[tuple[RegionEffect, float], ...]:
    """Effects on one score with the change of it, largest change first.

    A negative change says that the score falls without the region: it spoke for the outcome.
    """
    at = head.names.index(outcome)
    before = explanation.scores[head.name][at]
    changes = [float(effect.scores[head.name][at] - before) for effect in explanation.effects]
    order = np.argsort(-np.abs(changes), kind="stable")
    return tuple((explanation.effects[index], changes[index]) for index in order)
