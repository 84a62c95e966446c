"""Measurements of tissue maps and of changed copies of them, from which boosted trees learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.boosted_classification import BoostedConfig
from RetinaTriageLib.networks.classification import ClassificationConfig
from RetinaTriageLib.networks.map_places import Cell
from RetinaTriageLib.networks.steady_features import steady_features
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.training.grid_augment import Grid, GridAugmentation, augmented_grid
from RetinaTriageLib.training.grids import Answer, GridLibrary, GridSample
from RetinaTriageLib.training.map_errors import read_errors, with_errors
from RetinaTriageLib.training.patients import patient_of, times_drawn
from RetinaTriageLib.training.sample_folder import sample_files

Samples = npt.NDArray[np.float32]


class MeasuredMaps(NamedTuple):
    """What boosted trees learn from.

    Attributes
    ----------
    samples : float32 array (sample, measurement and patient feature)
    answers : head to integer array (sample,) or (sample, outcome)
    patients : whose map each sample is
    """

    samples: Samples
    answers: Mapping[str, Answer]
    patients: Sequence[str]

    def drawn(self, seed: int) -> MeasuredMaps:
        """Draw patients with replacement, each with all samples; see `patients.bootstrapped`."""
        times = {patient: times_drawn(patient, seed) for patient in set(self.patients)}
        rows = np.repeat(np.arange(len(self.patients)), [times[one] for one in self.patients])
        answers = {head: answer[rows] for head, answer in self.answers.items()}
        return MeasuredMaps(
            self.samples[rows], answers, [self.patients[row] for row in rows.tolist()]
        )


@dataclass(frozen=True)
class MeasuringPlan:
    """What is measured of every map.

    Attributes
    ----------
    samples : at most so many tissue maps of each folder
    copies : changed copies of every map, beside the map itself
    """

    samples: int = 2000
    copies: int = 1
    augmentation: GridAugmentation = field(default_factory=GridAugmentation)
    seed: int = 0


def measured_maps(
    plan: MeasuringPlan,
    config: BoostedConfig,
    found: Sequence[Path],
    drawn: Sequence[Path] = (),
    on_progress: OnProgress = ignore_progress,
) -> MeasuredMaps:
    """Measurements and answers of the maps of some folders, and of changed copies.

    Parameters
    ----------
    found : folders of maps like those to judge, which are measured as they are and changed
    drawn : folders of maps without errors, whose copies get those of ``found``; never as they are

    Raises
    ------
    InputError
        If a folder holds no maps, or there are drawn ones but no errors known, or no copies asked
        for.
    """
    if drawn and plan.copies < 1:
        msg = "Found drawn maps but 0 copies; expected at least 1, as only copies have errors."
        raise InputError(msg)
    rng = np.random.default_rng(plan.seed)
    known = read_errors(path for folder in found for path in sample_files(folder)) if drawn else ()
    rows: list[Samples] = []
    patients: list[str] = []
    answers: dict[str, list[Answer]] = {head.name: [] for head in config.heads}

    def add(grid: Grid, sample: GridSample, patient: str, *, changed: bool) -> None:
        told = not changed or rng.random() >= plan.augmentation.forget_patient_chance
        rows.append(np.concatenate((_row(grid, config), sample.patient * told)))
        patients.append(patient)
        for name, answer in sample.answers.items():
            answers[name].append(answer)

    for folder in (*found, *drawn):
        err = partial(with_errors, known=known, rng=rng) if folder in drawn else None
        library = GridLibrary(folder, asked(config), cache_bytes=0)
        count = min(plan.samples, len(library))
        for done in range(count):
            on_progress(Progress("measure", done, count))
            sample, patient = library[done], patient_of(library.files[done])
            if err is None:
                add(sample.grid, sample, patient, changed=False)
            for _ in range(plan.copies):
                grid = augmented_grid(sample.grid, plan.augmentation, rng, err)
                add(grid, sample, patient, changed=True)
    stacked = {name: np.stack(of_head) for name, of_head in answers.items()}
    return MeasuredMaps(np.stack(rows).astype(np.float32), stacked, patients)


def asked(config: BoostedConfig) -> ClassificationConfig:
    """Say what a grid file is read for."""
    return ClassificationConfig(
        config.grid_classes, heads=config.heads, patient_features=config.patient_features
    )


def _row(grid: Grid, config: BoostedConfig) -> Samples:
    fractions = grid.astype(np.float32) / np.float32(255)
    return steady_features(fractions, Cell(*config.cell_mm), TISSUES)
