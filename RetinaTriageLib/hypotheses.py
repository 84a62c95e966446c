"""Hypotheses and opinions: S tissue maps, each judged by C classification networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.volume import LabelArray

Scores = Mapping[str, npt.NDArray[np.float64]]
"""Head name ("referral", ...) to the probability of each of its outcomes."""


@dataclass(frozen=True)
class Opinion:
    """What one classifier says about one tissue map, or a joint one about all of a scan."""

    classifier: str
    scores: Scores


@dataclass(frozen=True)
class Hypothesis:
    """One tissue map, uint8 array (B-scan, depth, width), with its C opinions."""

    segmenter: str
    tissue_map: LabelArray
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True)
class Spread:
    """Mean, standard deviation, minimum and maximum of one quantity over S or S x C values."""

    mean: float
    std: float
    low: float
    high: float


def spread(values: Sequence[float] | npt.NDArray[np.floating]) -> Spread:
    """Spread of some values; population standard deviation, 0 for one value."""
    array = np.asarray(values, dtype=np.float64)
    return Spread(float(array.mean()), float(array.std()), float(array.min()), float(array.max()))


def opinion_grid(
    hypotheses: Sequence[Hypothesis], head: str, joint: Sequence[Opinion] = ()
) -> npt.NDArray[np.float64]:
    """Scores of one head as array (hypothesis, classifier, outcome).

    Parameters
    ----------
    joint : opinions on all maps together; each stands last in the row of every hypothesis, as if
        it had been given on each map
    """
    return np.array([[o.scores[head] for o in (*h.opinions, *joint)] for h in hypotheses])
