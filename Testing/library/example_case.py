"""A result that fits on paper: one 2 x 16 x 16 scan, two maps, one opinion each."""

from __future__ import annotations

import numpy as np

from RetinaTriageLib.hypotheses import Hypothesis, Opinion, Spread
from RetinaTriageLib.outcomes import Outcome, OutcomeHead
from RetinaTriageLib.result import (
    EtdrsTable,
    Fovea,
    Measurements,
    Provenance,
    TissueMeasure,
    TriageResult,
    Verdict,
    Vocabulary,
)
from RetinaTriageLib.tissues import TISSUE_BY_NAME, TISSUES
from RetinaTriageLib.volume import LabelArray, Laterality, OCTVolume, VoxelSpacing

SPACING = VoxelSpacing(bscan_mm=0.12, depth_mm=0.004, width_mm=0.011)

URGENCY = OutcomeHead(
    "urgency",
    "Urgency",
    (Outcome("now", "Now", "At once."), Outcome("later", "Later", "In time.")),
    exclusive=True,
)


def example_tissue_map(retina_from: int = 4) -> LabelArray:
    """Vitreous, retina (3) from a depth on, pigment epithelium (7), choroid (11)."""
    tissue_map = np.zeros((2, 16, 16), np.uint8)
    tissue_map[:, retina_from:] = 3
    tissue_map[:, 10] = 7
    tissue_map[:, 11:] = 11
    tissue_map[1, 6, 8] = 4  # one voxel that tells the axes apart
    return tissue_map


def example_opinion(now: float) -> Opinion:
    return Opinion("classifier 1", {"urgency": np.array([now, 1 - now])})


def example_case(spacing: VoxelSpacing | None = SPACING, now: float = 0.75) -> TriageResult:
    """Mean of the opinions ``now`` + .05 and ``now`` - .05, factors 1."""
    first, second = example_tissue_map(), example_tissue_map(5)
    voxels = first * np.uint8(20)
    scores = {"urgency": np.array([now, 1 - now])}
    spreads = tuple(Spread(mean, 0.05, mean - 0.05, mean + 0.05) for mean in (now, 1 - now))
    fovea = Fovea(0.5, 8.0, 0.1, "set by hand")
    retina = TissueMeasure(
        TISSUE_BY_NAME["neurosensory_retina"],
        {"1 mm": 0.002, "all": 0.005},
        {"1 mm": 0.02, "all": 0.04},
        Spread(0.0045, 0.0005, 0.004, 0.005),
    )
    etdrs = EtdrsTable(
        fovea,
        {"C0": 280.5, "S1": float("nan")},
        {"C0": 1.0, "S1": 0.25},
        {"C0": Spread(280.0, 2.0, 278.0, 282.0)},
        270.0,
        3.0,
        8.5,
        "ILM to Bruch's membrane",
    )
    flat = np.full((2, 16), 1.5, np.float32)
    measurements = Measurements(flat, fovea, (retina,), etdrs, {"retina": flat}, flat / 3, ())
    return TriageResult(
        OCTVolume(voxels, spacing, Laterality.OS, name="paper", assumed=("Device is unknown.",)),
        Vocabulary(TISSUES, (URGENCY,)),
        (
            Hypothesis("segmenter 1", first, (example_opinion(now + 0.05),)),
            Hypothesis("segmenter 2", second, (example_opinion(now - 0.05),)),
        ),
        first,
        Verdict(scores, scores, {"urgency": spreads}, {"urgency": ("now",)}, "balanced"),
        measurements,
        Provenance("paper 1.0", "ab" * 32, "nothing", "0.1.0", "none", "cpu", 0, {"segment": 1.5}),
    )
