"""Fluid on single B-scans against the masks that a grader drew, such as the Duke validation set.

The masks tell fluid from the rest and not which fluid it is, so both kinds count alike. The fluid
of a slice, in nl, is its area on the B-scan times the distance between B-scans.

A grader may have looked at a part of the width only. What a bundle claims beside that part is
false by the masks, though nobody looked; `FluidFolder.columns` leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.contact_sheet import Tile, as_rgb, overlay
from RetinaTriageLib.evaluation.ensemble_runs import CASES, EnsembleRuns, case_progress
from RetinaTriageLib.evaluation.segmentation_scores import (
    SCORED_GROUPS,
    Overlap,
    confusion_counts,
    overlap,
)
from RetinaTriageLib.labels.label_sets import NOT_FLUID, SOME_FLUID, UNKNOWN
from RetinaTriageLib.measures.volumes import NL_PER_MM3
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.readers.pictures import picture_paths, read_pages
from RetinaTriageLib.volume import (
    DeviceFamily,
    LabelArray,
    OCTVolume,
    ScanPattern,
    VoxelSpacing,
)
from RetinaTriageLib.writers.report_pictures import gray_levels

IMAGES = "images"


@dataclass(frozen=True)
class FluidFolder:
    """Where B-scans and masks of the same names lie, and what no file states about them.

    Attributes
    ----------
    masks : name of the folder of masks beside ``images``; every pixel above 0 is fluid
    pattern : of the file names to take
    columns : first and last A-scan that the grader looked at; None for all
    """

    path: Path
    masks: str
    spacing: VoxelSpacing
    device: DeviceFamily | None = None
    pattern: str = "*"
    columns: tuple[int, int] | None = None


@dataclass(frozen=True)
class FluidScan:
    """One B-scan with the labels of a grader: fluid, not fluid, or unknown where nobody looked.

    Attributes
    ----------
    codes : uint8 array (1, depth, width) of label codes
    patient : tells which B-scans belong together
    """

    volume: OCTVolume
    codes: LabelArray
    patient: str


@dataclass(frozen=True)
class FluidScore:
    """Fluid of one B-scan, in pixels and in nl of its slice."""

    name: str
    overlap: Overlap
    pixel_nl: float
    patient: str = ""

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
    def patients(self) -> tuple[str, ...]:
        """Patients in the order of their first B-scan."""
        return tuple(dict.fromkeys(scan.patient for scan in self.scans))

    def of_patient(self, patient: str) -> FluidEvaluation:
        """Keep the B-scans of one patient; tiles are left out."""
        return FluidEvaluation(tuple(s for s in self.scans if s.patient == patient), ())

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
    def volume_correlation(self) -> float:
        """Pearson correlation of fluid volume over the B-scans; NaN where one never varies."""
        volumes = np.array([[scan.truth_nl, scan.predicted_nl] for scan in self.scans])
        if len(volumes) < 2 or (volumes.std(axis=0) == 0).any():
            return float("nan")
        return float(np.corrcoef(volumes.T)[0, 1])

    @property
    def false_fluid_nl(self) -> tuple[float, ...]:
        """Fluid claimed on each B-scan on which the grader saw none, in nl of a slice."""
        return tuple(scan.predicted_nl for scan in self.scans if not scan.overlap.truth_voxels)

    @property
    def mean_false_fluid_nl(self) -> float:
        """Mean of `false_fluid_nl`; NaN where every B-scan has fluid."""
        return float(np.mean(self.false_fluid_nl)) if self.false_fluid_nl else float("nan")


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


def patient_of(name: str) -> str:
    """Patient of a B-scan: its name up to the first underscore.

    Examples
    --------
    >>> patient_of("S08_z25")
    'S08'
    """
    return name.split("_")[0]


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
            scan.volume.name,
            overlap(counts, "fluid", SCORED_GROUPS["fluid"]),
            pixel_nl,
            scan.patient,
        )
        scores.append(score)
        tiles.append(_tile(scan, found, score))
        on_progress(Progress(CASES, number + 1, len(scans)))
    return FluidEvaluation(tuple(scores), tuple(tiles))


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
    if folder.columns is not None:
        first, last = folder.columns
        codes[:, :first], codes[:, last + 1 :] = UNKNOWN, UNKNOWN
    return FluidScan(volume, codes[np.newaxis], patient_of(path.stem))


def _tile(scan: FluidScan, found: LabelArray, score: FluidScore) -> Tile:
    gray = gray_levels(scan.volume.voxels)[0]
    title = (
        f"{score.name}: grader {score.truth_nl:.1f} nl, bundle {score.predicted_nl:.1f} nl, "
        f"Dice {score.overlap.dice:.2f}"
    )
    pictures = (as_rgb(gray), overlay(gray, scan.codes[0]), overlay(gray, found[0]))
    return Tile(title, pictures)
