"""Training samples of classifiers: tissue maps as class fractions on a grid, with the answers.

A file ``.npz`` holds ``grid``, uint8 (class, B-scan, depth, width), class fractions times 255, and
for every head that is answered its name: an index for exclusive heads, zeros and ones for the
others. Optional are ``patient``, float32 as `RetinaTriageLib.networks.patient.patient_vector`, and
``patient_id``, a text that tells whose scan it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.boosted_classification import BoostedConfig
from RetinaTriageLib.networks.classification import ClassificationConfig
from RetinaTriageLib.training.grid_augment import GridAugmentation, augmented_grid, augmented_maps
from RetinaTriageLib.training.patients import bootstrapped
from RetinaTriageLib.training.sample_folder import Folder, sample_files

Grid = npt.NDArray[np.uint8]
Answer = npt.NDArray[np.int64]

UNANSWERED = -1


@dataclass(frozen=True)
class GridSample:
    """One tissue map with its answers; `UNANSWERED` where a head has no answer.

    Attributes
    ----------
    grid : uint8 array (class, B-scan, depth, width), or (map, class, ...) of several maps
    """

    grid: Grid
    answers: Mapping[str, Answer]
    patient: npt.NDArray[np.float32]


@dataclass(frozen=True)
class GridBatch:
    """Input and answers of one iteration.

    Attributes
    ----------
    grids : float tensor (batch, class, B-scan, depth, width), fractions 0-1, or (batch, map,
        class, ...) for joint classifiers
    patients : float tensor (batch, feature)
    answers : integer tensor by head: (batch,) for exclusive heads, (batch, outcome) for others
    """

    grids: Tensor
    patients: Tensor
    answers: Mapping[str, Tensor]


def load_grid(path: Path, config: ClassificationConfig | BoostedConfig) -> GridSample:
    """Tissue map and answers of one file.

    Raises
    ------
    InputError
        If the grid is missing or of another kind, or an answer has the wrong size.
    """
    with np.load(path, allow_pickle=False) as file:
        names = file.files
        grid = file["grid"] if "grid" in names else None
        nobody = np.zeros(config.patient_features, np.float32)
        patient = file["patient"] if "patient" in names else nobody
    if grid is None or grid.dtype != np.uint8 or grid.ndim != 4:
        found = f"grid {grid.dtype} {grid.shape}" if grid is not None else f"{sorted(names)}"
        msg = f"{path}: found {found}; expected grid uint8 (class, B-scan, depth, width)."
        raise InputError(msg)
    return GridSample(grid, load_answers(path, config), patient.astype(np.float32))


def load_answers(path: Path, config: ClassificationConfig | BoostedConfig) -> dict[str, Answer]:
    """Answers of one file by head, without reading its tissue map.

    Raises
    ------
    InputError
        If an answer has the wrong size.
    """
    with np.load(path, allow_pickle=False) as file:
        given = {head.name: file[head.name] for head in config.heads if head.name in file.files}
    answers = {}
    for head in config.heads:
        expected = () if head.exclusive else (head.size,)
        answer = given.get(head.name, np.full(expected, UNANSWERED)).astype(np.int64)
        if answer.shape != expected or answer.max() >= (head.size if head.exclusive else 2):
            msg = (
                f"{path}: found {head.name} {answer.tolist()}; expected "
                f"{'an index' if head.exclusive else 'zeros and ones'} for {head.size} outcomes."
            )
            raise InputError(msg)
        answers[head.name] = answer
    return answers


@dataclass
class GridLibrary:
    """Samples of one folder, kept in memory once read.

    Attributes
    ----------
    bootstrap_seed : of a draw of patients with replacement; None takes every patient once
    """

    path: Path
    config: ClassificationConfig
    cache_bytes: int = 6 << 30
    bootstrap_seed: int | None = None
    _files: list[Path] = field(default_factory=list)
    _cache: dict[Path, GridSample] = field(default_factory=dict)
    _cached_bytes: int = 0

    def __post_init__(self) -> None:
        """List the folder."""
        files, seed = sample_files(self.path), self.bootstrap_seed
        self._files = files if seed is None else bootstrapped(files, seed)

    @property
    def files(self) -> Sequence[Path]:
        """Files of the samples; with a draw some come several times."""
        return tuple(self._files)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._files)

    def __getitem__(self, index: int) -> GridSample:
        """Read the sample of one file."""
        path = self._files[index]
        if path in self._cache:
            return self._cache[path]
        sample = load_grid(path, self.config)
        if self._cached_bytes + sample.grid.nbytes <= self.cache_bytes:
            self._cache[path] = sample
            self._cached_bytes += sample.grid.nbytes
        return sample

    def __iter__(self) -> Iterator[GridSample]:
        """Walk over the samples in the order of their names."""
        return (self[index] for index in range(len(self)))


@dataclass
class GridSource:
    """Batches of all folders; the batch of an iteration follows from seed and iteration alone.

    Attributes
    ----------
    joint_maps : 0 for single maps; for joint classifiers the most maps of a scan, of which each
        batch has a number by chance
    """

    folders: tuple[Folder, ...]
    config: ClassificationConfig
    augmentation: GridAugmentation
    batch_size: int
    seed: int
    joint_maps: int = 0
    bootstrap_seed: int | None = None
    libraries: tuple[GridLibrary, ...] = field(init=False)

    def __post_init__(self) -> None:
        """List the folders."""
        self.libraries = tuple(
            GridLibrary(folder.path, self.config, bootstrap_seed=self.bootstrap_seed)
            for folder in self.folders
        )

    def batch(self, iteration: int) -> GridBatch:
        """Return changed samples of an iteration."""
        rng = np.random.default_rng((self.seed, iteration))
        weights = np.array([folder.weight for folder in self.folders])
        samples = []
        maps = int(rng.integers(self.joint_maps)) + 1 if self.joint_maps else 0
        for _ in range(self.batch_size):
            library = self.libraries[rng.choice(len(weights), p=weights / weights.sum())]
            sample = library[int(rng.integers(len(library)))]
            if maps:
                grid = np.stack(augmented_maps(sample.grid, self.augmentation, rng, maps))
            else:
                grid = augmented_grid(sample.grid, self.augmentation, rng)
            known = rng.random() >= self.augmentation.forget_patient_chance
            samples.append(GridSample(grid, sample.answers, sample.patient * np.float32(known)))
        return as_batch(samples)


def as_batch(samples: Sequence[GridSample]) -> GridBatch:
    """Lay samples side by side, as tensors."""
    answers = {
        name: torch.from_numpy(np.stack([sample.answers[name] for sample in samples]))
        for name in samples[0].answers
    }
    grids = torch.from_numpy(np.stack([sample.grid for sample in samples]))
    patients = torch.from_numpy(np.stack([sample.patient for sample in samples]))
    return GridBatch(grids.float() / 255, patients, answers)
