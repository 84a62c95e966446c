"""Which measurements of a tissue map trees were made for: each version stays as it was.

A bundle states the version. Trees of another one would look at the wrong numbers, so a version is
never changed; a new one takes its place in training, and old trees keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.networks.classifier_input import GridArray
from RetinaTriageLib.networks.map_places import Cell
from RetinaTriageLib.networks.steady_features import (
    steady_feature_names,
    steady_features,
    steady_ranges,
)
from RetinaTriageLib.networks.tissue_features import feature_names, tissue_features
from RetinaTriageLib.tissues import Tissue

FeatureVector = npt.NDArray[np.float32]


class Measurements(NamedTuple):
    """How a tissue map is measured.

    Attributes
    ----------
    names : of the measurements, in their order
    take : takes them of a grid, float32 array (class, B-scan, depth, width)
    narrowest : range of each over which a gradual split has to turn at least, float32 array
    """

    names: Callable[[tuple[Tissue, ...]], tuple[str, ...]]
    take: Callable[[GridArray, Cell, tuple[Tissue, ...]], FeatureVector]
    narrowest: Callable[[tuple[Tissue, ...]], FeatureVector]


def _no_limit(tissues: tuple[Tissue, ...]) -> FeatureVector:
    return np.zeros(len(feature_names(tissues)), np.float32)


FIRST, STEADY = 1, 2
NEWEST = STEADY
MEASUREMENTS: Mapping[int, Measurements] = {
    FIRST: Measurements(feature_names, tissue_features, _no_limit),
    STEADY: Measurements(steady_feature_names, steady_features, steady_ranges),
}


def measurements_of(version: int) -> Measurements:
    """Measurements of a version.

    Raises
    ------
    ValueError
        If this version of the library does not know it.
    """
    if version not in MEASUREMENTS:
        known = ", ".join(map(str, sorted(MEASUREMENTS)))
        msg = f"measurements of version {version}; this library takes versions {known}"
        raise ValueError(msg)
    return MEASUREMENTS[version]
