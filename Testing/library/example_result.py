"""A plausible result without any network: a layered eye with a cyst and drusen, made-up scores.

The scores are fake and say so in their provenance; the measurements are computed from the maps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from example_measurements import SECTORS, example_measurements

from RetinaTriageLib.hypotheses import Hypothesis, Opinion, opinion_grid, spread
from RetinaTriageLib.outcomes import OUTCOME_HEADS, OutcomeHead
from RetinaTriageLib.result import Provenance, TriageResult, Verdict, Vocabulary
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.volume import (
    DeviceFamily,
    DeviceRecord,
    DeviceThicknessTable,
    LabelArray,
    Laterality,
    Localizer,
    OCTVolume,
    ScanPattern,
    VoxelSpacing,
)

FIELD_MM = (6.0, 1.92, 6.0)

# Mean score of every outcome, in the order of the vocabulary.
FAKE_SCORES = {
    "referral": (0.58, 0.31, 0.08, 0.03),
    "conditions": (0.03, 0.46, 0.81, 0.02, 0.04, 0.07, 0.02, 0.05, 0.88, 0.11),
    "progression": (0.22, 0.55, 0.23),
    "treatment": (0.24, 0.71, 0.05),
}


@dataclass(frozen=True)
class Example:
    """What the example eye should be like."""

    shape: tuple[int, int, int] = (49, 496, 512)
    hypotheses: int = 3
    classifiers: int = 2
    laterality: Laterality | None = Laterality.OD
    spacing_known: bool = True
    name: str = "example_eye"


SMALL = Example(shape=(13, 128, 104))


def example_result(example: Example = SMALL) -> TriageResult:
    """Result of the layered example eye; the same bytes on every call."""
    maps = [example_map(example, number) for number in range(example.hypotheses)]
    return result_from_maps(example_volume(example, maps[0]), maps, example.classifiers)


def example_volume(example: Example, tissue_map: LabelArray) -> OCTVolume:
    """Gray picture of a tissue map with speckle, and all that a scanner stores besides it."""
    bscans, _, widths = example.shape
    rng = np.random.default_rng(0)
    brightness = np.array(
        [20, 110, 200, 120, 35, 30, 170, 215, 130, 45, 110, 70, 90, 0, 10], np.float32
    )
    speckle = rng.standard_gamma(8.0, example.shape, dtype=np.float32) / 8
    voxels = np.minimum(brightness[tissue_map] * speckle, 255).astype(np.uint8)
    steps = np.array(FIELD_MM) / example.shape
    spacing = VoxelSpacing(
        float(steps[0]) if bscans > 1 else None, float(steps[1]), float(steps[2])
    )
    known = example.spacing_known
    return OCTVolume(
        voxels,
        spacing if known else None,
        example.laterality,
        DeviceFamily.SPECTRALIS,
        ScanPattern.RASTER if bscans > 1 else ScanPattern.LINE,
        name=example.name,
        sources={"spacing": "example", "laterality": "example"} if known else {},
        assumed=("Device as stated by the user: spectralis.",),
        record=_record(bscans, widths) if known and bscans > 1 else DeviceRecord(),
    )


def example_map(example: Example, number: int) -> LabelArray:
    """Tissue map of one hypothesis; its number changes cyst and drusen a little."""
    bscans, depths, widths = example.shape
    along, across = _positions_mm(bscans, widths)
    radius = np.hypot(along, across)
    bruch = 1.25 - 0.008 * radius**2 + 0.01 * across
    drusen = sum(
        0.07 * np.exp(-((across - x) ** 2 + (along - y) ** 2) / (2 * (0.17 + 0.02 * number) ** 2))
        for x, y in ((-0.9, 0.3), (-0.3, -0.9), (0.8, -0.5), (1.3, 1.1))
    )
    cyst_mm = 0.17 - 0.03 * number
    bulge = 0.09 * np.exp(-((across - 0.4) ** 2 + along**2) / 0.5)
    pit = 0.12 * np.exp(-(radius**2) / (2 * 0.38**2))
    top = bruch - 0.33 + 0.011 * radius**2 + pit - bulge - 0.6 * drusen
    depth_mm = ((np.arange(depths) + 0.5) * FIELD_MM[1] / depths)[None, :, None]
    tissue_map = np.full(example.shape, 11, np.uint8)
    tissue_map[depth_mm < bruch[:, None]] = 8
    tissue_map[depth_mm < (bruch - drusen)[:, None]] = 7
    tissue_map[depth_mm < (bruch - drusen - 0.022)[:, None]] = 3
    tissue_map[depth_mm < top[:, None]] = 0
    center_mm = (bruch - 0.2)[:, None]
    cyst = (across - 0.45)[:, None] ** 2 + along[:, None] ** 2 + 4 * (depth_mm - center_mm) ** 2
    tissue_map[(cyst < cyst_mm**2 * 4) & (tissue_map == 3)] = 4
    return tissue_map


def result_from_maps(
    volume: OCTVolume, maps: list[LabelArray], classifiers: int = 2
) -> TriageResult:
    """Result of any volume and its tissue maps, with fake scores."""
    rng = np.random.default_rng(1)
    hypotheses = tuple(
        Hypothesis(
            f"segmentation {number + 1}",
            tissue_map,
            tuple(
                Opinion(f"classifier {other + 1}", _fake_opinion(rng))
                for other in range(classifiers)
            ),
        )
        for number, tissue_map in enumerate(maps)
    )
    consensus = np.sort(np.stack(maps), axis=0)[len(maps) // 2]
    return TriageResult(
        volume,
        Vocabulary(TISSUES, OUTCOME_HEADS),
        hypotheses,
        consensus,
        _verdict(hypotheses),
        example_measurements(volume, maps, consensus),
        Provenance(
            "example-bundle 0.1",
            "0123456789abcdef" * 4,
            "nothing: these scores are made up for an example",
            "0.1.0",
            "none",
            "cpu",
            0,
            {"read": 0.4, "segment": 61.2, "classify": 8.3, "measure": 1.1},
            ("Example result with invented scores.",),
        ),
    )


def _positions_mm(bscans: int, widths: int) -> tuple[npt.NDArray[np.float64], ...]:
    along = ((np.arange(bscans) + 0.5) / bscans - 0.5) * FIELD_MM[0]
    across = ((np.arange(widths) + 0.5) / widths - 0.5) * FIELD_MM[2]
    along_grid, across_grid = np.meshgrid(along, across, indexing="ij")
    return along_grid, across_grid


def _fake_opinion(rng: np.random.Generator) -> dict[str, npt.NDArray[np.float64]]:
    opinion = {}
    for head in OUTCOME_HEADS:
        mean = np.array(FAKE_SCORES[head.name])
        logit = np.log(mean / (1 - mean)) + rng.normal(0, 0.45, mean.shape)
        score = 1 / (1 + np.exp(-logit))
        opinion[head.name] = score / score.sum() if head.exclusive else score
    return opinion


def _verdict(hypotheses: tuple[Hypothesis, ...]) -> Verdict:
    raw, scores, spreads, decisions = {}, {}, {}, {}
    for head in OUTCOME_HEADS:
        grid = opinion_grid(hypotheses, head.name)
        raw[head.name] = grid.mean(axis=(0, 1))
        odds = raw[head.name] / (1 - raw[head.name]) * 1.3
        scores[head.name] = odds / (1 + odds)
        if head.exclusive:
            scores[head.name] /= scores[head.name].sum()
        spreads[head.name] = tuple(
            spread(grid[..., at].ravel()) for at in range(len(head.outcomes))
        )
        decisions[head.name] = _decided(head, scores[head.name])
    return Verdict(raw, scores, spreads, decisions, "balanced")


def _decided(head: OutcomeHead, scores: npt.NDArray[np.float64]) -> tuple[str, ...]:
    if head.exclusive:
        return (head.names[int(scores.argmax())],)
    return tuple(name for name, score in zip(head.names, scores, strict=True) if score >= 0.5)


def _record(bscans: int, widths: int) -> DeviceRecord:
    rng = np.random.default_rng(2)
    pixels = rng.integers(90, 160, (192, 192)).astype(np.uint8)
    row_mm = 1.55 + (bscans - 1 - np.arange(bscans)) * 6.0 / bscans
    ends = np.stack(
        [np.stack([np.full(bscans, column), row_mm], axis=-1) for column in (1.55, 7.55)], axis=1
    )
    thickness = dict.fromkeys(SECTORS, 331.0) | {"C0": 302.0, "N1": 346.0}
    return DeviceRecord(
        Localizer(pixels, (9.1 / 192, 9.1 / 192), ends),
        thickness_table=DeviceThicknessTable(
            thickness,
            8.9,
            (bscans / 2, widths / 2),
            "inner limiting membrane to Bruch's membrane",
        ),
    )
