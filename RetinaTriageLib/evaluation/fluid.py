"""Fluid on single B-scans against the masks that a grader drew, such as the Duke validation set.

The masks tell fluid from the rest and not which fluid it is, so both kinds count alike. An area
times the distance between B-scans is the volume of a slice, in nl.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.contact_sheet import Tile, as_rgb, overlay
from RetinaTriageLib.evaluation.ensemble_runs import CASES, EnsembleRuns, case_progress
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.segmentation_scores import (
    SCORED_GROUPS,
    Overlap,
    confusion_counts,
    overlap,
)
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.readers.pictures import picture_paths, read_pages
from RetinaTriageLib.training.label_sets import NOT_FLUID, SOME_FLUID
from RetinaTriageLib.volume import (
    DeviceFamily,
    LabelArray,
    OCTVolume,
    ScanPattern,
    VoxelSpacing,
)
from RetinaTriageLib.writers.report_pictures import gray_levels

NL_PER_MM3 = 1000.0
IMAGES = "images"


@dataclass(frozen=True)
class FluidFolder:
    """Where B-scans and masks of the same names lie, and what no file states about them.

    Attributes
    ----------
    masks : name of the folder of masks beside ``images``; every pixel above 0 is fluid
    pattern : of the file names to take
    """

    path: Path
    masks: str
    spacing: VoxelSpacing
    device: DeviceFamily | None = None
    pattern: str = "*"


@dataclass(frozen=True)
class FluidScan:
    """One B-scan with the fluid that a grader saw, bool array (1, depth, width)."""

    volume: OCTVolume
    codes: LabelArray


@dataclass(frozen=True)
class FluidScore:
    """Fluid of one B-scan, in pixels and in nl of its slice."""

    name: str
    overlap: Overlap
    pixel_nl: float

    @property
    def truth_nl(self) -> float:
        """Fluid that the grader saw."""
        return self.overlap.truth_voxels * self.pixel_nl

    @property
    def predicted_nl(self) -> float:
        """Fluid that the bundle claims."""
        return self.overlap.predicted_voxels * self.pixel_nl


@dataclass(frozen=True)
class FluidEvaluation:
    """Fluid on all B-scans of a set; ``tiles`` show each: as scanned, grader, bundle."""

    scans: tuple[FluidScore, ...]
    tiles: tuple[Tile, ...]

    @property
    def pooled_dice(self) -> float:
        """Dice over the pixels of all B-scans together."""
        overlaps = [scan.overlap for scan in self.scans]
        pooled = Overlap(
            "fluid",
            sum(o.hits for o in overlaps),
            sum(o.misses for o in overlaps),
            sum(o.false_alarms for o in overlaps),
        )
        return pooled.dice

    @property
    def mean_dice(self) -> float:
        """Mean Dice of the B-scans on which the grader saw fluid; NaN where there are none."""
        values = [scan.overlap.dice for scan in self.scans if scan.overlap.truth_voxels]
        return float(np.mean(values)) if values else float("nan")

    @property
    def area_correlation(self) -> float:
        """Pearson correlation of fluid areas over the B-scans; NaN where one never varies."""
        areas = np.array([[scan.truth_nl, scan.predicted_nl] for scan in self.scans])
        if len(areas) < 2 or (areas.std(axis=0) == 0).any():
            return float("nan")
        return float(np.corrcoef(areas.T)[0, 1])

    @property
    def false_fluid_nl(self) -> tuple[float, ...]:
        """Fluid claimed on each B-scan without fluid, in nl of a slice."""
        return tuple(scan.predicted_nl for scan in self.scans if not scan.overlap.truth_voxels)


def fluid_scans(folder: FluidFolder) -> list[FluidScan]:
    """B-scans of a folder with their masks.

    Raises
    ------
    InputError
        If there is none, a mask is missing, or a mask has another size than its B-scan.
    """
    images = folder.path / IMAGES
    if not images.is_dir() or not (folder.path / folder.masks).is_dir():
        msg = (
            f"Expected {folder.path} to hold the folders {IMAGES} and {folder.masks}; name the "
            "folder of masks with --masks."
        )
        raise InputError(msg)
    paths = [path for path in picture_paths(images) if path.match(folder.pattern)]
    if not paths:
        msg = f"Found no picture {folder.pattern} in {images}; expected B-scans."
        raise InputError(msg)
    return [_scan(path, folder) for path in paths]


def evaluate_fluid(
    runs: EnsembleRuns, scans: Sequence[FluidScan], on_progress: OnProgress = ignore_progress
) -> FluidEvaluation:
    """Run the ensemble on every B-scan by itself and compare its fluid with the grader's."""
    scores, tiles = [], []
    for number, scan in enumerate(scans):
        report = case_progress(on_progress, number, len(scans))
        found = runs.run(scan.volume, report).consensus
        counts = confusion_counts(scan.codes, found)
        pixel_nl = scan.volume.require_spacing().voxel_mm3 * NL_PER_MM3
        score = FluidScore(
            scan.volume.name, overlap(counts, "fluid", SCORED_GROUPS["fluid"]), pixel_nl
        )
        scores.append(score)
        tiles.append(_tile(scan, found, score))
        on_progress(Progress(CASES, number + 1, len(scans)))
    return FluidEvaluation(tuple(scores), tuple(tiles))


def fluid_text(evaluation: FluidEvaluation) -> str:
    """Summary for a terminal."""
    false_nl = evaluation.false_fluid_nl
    with_fluid = len(evaluation.scans) - len(false_nl)
    lines = [
        f"{len(evaluation.scans)} B-scans, {with_fluid} of them with fluid",
        f"  Dice, pixels pooled           {evaluation.pooled_dice:.3f}",
        f"  Dice, mean of B-scans         {evaluation.mean_dice:.3f}",
        f"  correlation of fluid areas    {evaluation.area_correlation:.3f}",
    ]
    if false_nl:
        lines.append(
            f"  false fluid a B-scan without  mean {np.mean(false_nl):.2f} nl, "
            f"worst {max(false_nl):.2f} nl"
        )
    return "\n".join(lines) + "\n"


def fluid_json(evaluation: FluidEvaluation) -> dict[str, object]:
    """Numbers of a set as JSON takes them; None where there is no number."""
    return {
        "pooled_dice": finite_or_none(evaluation.pooled_dice),
        "mean_dice": finite_or_none(evaluation.mean_dice),
        "area_correlation": finite_or_none(evaluation.area_correlation),
        "false_fluid_nl": list(evaluation.false_fluid_nl),
        "bscans": [
            {
                "name": scan.name,
                "dice": finite_or_none(scan.overlap.dice),
                "truth_nl": scan.truth_nl,
                "predicted_nl": scan.predicted_nl,
            }
            for scan in evaluation.scans
        ],
    }


def _scan(path: Path, folder: FluidFolder) -> FluidScan:
    mask_path = folder.path / folder.masks / path.name
    if not mask_path.exists():
        msg = f"Found no {mask_path.name} in {folder.masks}; expected a mask for every B-scan."
        raise InputError(msg)
    (image, *_), (mask, *_) = read_pages(path), read_pages(mask_path)
    if image.shape != mask.shape:
        msg = f"{path.name} is {image.shape} and its mask {mask.shape}; expected one size."
        raise InputError(msg)
    volume = OCTVolume(
        image[np.newaxis],
        folder.spacing,
        device=folder.device,
        pattern=ScanPattern.LINE,
        name=path.stem,
        sources={"spacing": "user"},
    )
    codes = np.where(mask > 0, SOME_FLUID, NOT_FLUID).astype(np.uint8)
    return FluidScan(volume, codes[np.newaxis])


def _tile(scan: FluidScan, found: LabelArray, score: FluidScore) -> Tile:
    gray = gray_levels(scan.volume.voxels)[0]
    title = (
        f"{score.name}: grader {score.truth_nl:.1f} nl, bundle {score.predicted_nl:.1f} nl, "
        f"Dice {score.overlap.dice:.2f}"
    )
    pictures = (as_rgb(gray), overlay(gray, scan.codes[0]), overlay(gray, found[0]))
    return Tile(title, pictures)
