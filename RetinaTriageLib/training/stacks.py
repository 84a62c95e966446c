"""Training samples: labeled B-scans, cropped, changed and batched.

An ``.npz`` file holds ``image`` and ``codes``, uint8 arrays (B-scan, depth, width) or (depth,
width), and optionally ``device``, the scanner adaptation branch, and ``patient_id``. Codes below
the number of tissues name one tissue; the others are label sets
(`RetinaTriageLib.labels.label_sets`). A scan ``.nrrd`` with its ``.seg.nrrd`` from 3D Slicer is a
sample as well (`RetinaTriageLib.training.pair_stack`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.labels.slicer_pairs import pair_files
from RetinaTriageLib.networks.gray import GrayScale, normalize
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.training.augment import AugmentationPlan, Bscans, augmented
from RetinaTriageLib.training.pair_stack import read_pair
from RetinaTriageLib.training.patients import bootstrapped

DEFAULT_DEVICE = "spectralis"
FOCUS_TRIES = 12  # stacks looked at for a tissue; each is read once and then kept in memory

# Lesions fill so few voxels that crops by chance hardly show them.
EVERYWHERE = ("vitreous_subhyaloid", "neurosensory_retina", "rpe", "choroid_outer")
RARE_TISSUES = tuple(tissue.label for tissue in TISSUES if tissue.name not in EVERYWHERE)
EIGHT_BITS = GrayScale(0.0, 255.0)  # augmented gray values are float, of the same range


@dataclass(frozen=True)
class Stack:
    """Labeled B-scans of one eye; arrays (B-scan, depth, width)."""

    image: Bscans
    codes: Bscans
    device: str

    @cached_property
    def present(self) -> frozenset[int]:
        """Label codes that occur in it."""
        return frozenset(np.flatnonzero(np.bincount(self.codes.ravel(), minlength=256)).tolist())

    @cached_property
    def labeled(self) -> npt.NDArray[np.bool_]:
        """Whether anything is known of each B-scan."""
        known: npt.NDArray[np.bool_] = (self.codes != UNKNOWN).any(axis=(1, 2))
        return known


@dataclass(frozen=True)
class Folder:
    """A folder of stacks; an iteration draws from it with a chance in proportion to ``weight``."""

    path: Path
    weight: float = 1.0


# Neighbors that a batch takes of each eye. Few at a time make a batch of several eyes, which learns
# faster; whole stacks teach what lies across B-scans.
NEIGHBORS = (1, 2, 2, 6)


@dataclass(frozen=True)
class CropSize:
    """Size of what one iteration sees; a few sizes are faster than many on processors."""

    bscans: int
    depth: int
    width: int


@dataclass(frozen=True)
class StackBatch:
    """Input and labels of one iteration; all of one device.

    Attributes
    ----------
    images : float tensor (batch, B-scan, depth, width), normalized gray values
    codes : uint8 tensor (batch, B-scan, depth, width)
    """

    images: Tensor
    codes: Tensor
    device: str


def load_stack(path: Path) -> Stack:
    """Labeled B-scans of one file, or of a scan and the segmentation beside it.

    Raises
    ------
    InputError
        If arrays are missing, of the wrong type, or of different shapes, or a segmentation cannot
        be used.
    """
    if path.suffix != ".npz":
        pair = read_pair(path)
        return Stack(pair.image, pair.codes, pair.device.value if pair.device else DEFAULT_DEVICE)
    with np.load(path, allow_pickle=False) as file:
        absent = [name for name in ("image", "codes") if name not in file.files]
        if absent:
            msg = f"{path} holds {file.files}; expected also {absent}. Write the stack again."
            raise InputError(msg)
        image, codes = file["image"], file["codes"]
        device = str(file["device"]) if "device" in file.files else DEFAULT_DEVICE
    fits = image.shape == codes.shape and image.ndim in (2, 3)
    if not fits or image.dtype != np.uint8 or codes.dtype != np.uint8:
        msg = (
            f"{path}: found image {image.dtype} {image.shape} and codes {codes.dtype} "
            f"{codes.shape}; expected two uint8 arrays (B-scan, depth, width) of one shape."
        )
        raise InputError(msg)
    if image.ndim == 2:
        image, codes = image[None], codes[None]
    return Stack(image, codes, device)


def sample_files(folder: Path) -> list[Path]:
    """``.npz`` files of a folder by name, without those that are still being written.

    Raises
    ------
    InputError
        If there are none.
    """
    return _require_some(_whole_files(folder), ".npz file", folder)


def stack_files(folder: Path) -> list[Path]:
    """Labeled B-scans of a folder by name: ``.npz`` files, and scans with a ``.seg.nrrd``.

    Raises
    ------
    InputError
        If there are none.
    """
    files = sorted([*_whole_files(folder), *pair_files(folder)])
    return _require_some(files, ".npz file and no .nrrd with its .seg.nrrd", folder)


def _whole_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.npz") if ".partial" not in path.name)


def _require_some(files: list[Path], kind: str, folder: Path) -> list[Path]:
    if not files:
        msg = f"Found no {kind} in {folder}; write training samples there first."
        raise InputError(msg)
    return files


@dataclass
class StackLibrary:
    """Stacks of one folder, kept in memory once read.

    Attributes
    ----------
    bootstrap_seed : of a draw of patients with replacement; None takes every patient once
    """

    path: Path
    cache_bytes: int = 6 << 30
    bootstrap_seed: int | None = None
    _files: list[Path] = field(default_factory=list)
    _cache: dict[Path, Stack] = field(default_factory=dict)
    _cached_bytes: int = 0

    def __post_init__(self) -> None:
        """List the folder."""
        self.refresh()

    def refresh(self) -> None:
        """Look for files that have come since; a growing folder is used as it grows."""
        files = stack_files(self.path)
        seed = self.bootstrap_seed
        self._files = files if seed is None else bootstrapped(files, seed)

    @property
    def files(self) -> Sequence[Path]:
        """Files of the stacks; with a draw some come several times."""
        return tuple(self._files)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._files)

    def __getitem__(self, index: int) -> Stack:
        """Read the stack of one file."""
        path = self._files[index]
        if path in self._cache:
            return self._cache[path]
        stack = load_stack(path)
        size = 2 * stack.image.nbytes
        if self._cached_bytes + size <= self.cache_bytes:
            self._cache[path] = stack
            self._cached_bytes += size
        return stack

    def __iter__(self) -> Iterator[Stack]:
        """Stacks in the order of their names."""
        return (self[index] for index in range(len(self)))

    def draw(self, rng: np.random.Generator, device: str | None = None) -> Stack:
        """Return one stack by chance, of the given device where one is asked for."""
        while True:
            stack = self[int(rng.integers(len(self)))]
            if device in (None, stack.device):
                return stack

    def draw_with(
        self, rng: np.random.Generator, focus: int | None, device: str | None = None
    ) -> Stack:
        """Return a stack that shows the tissue ``focus``, or any where few tries find none."""
        stack = self.draw(rng, device)
        for _ in range(FOCUS_TRIES):
            if focus is None or focus in stack.present:
                break
            stack = self.draw(rng, device)
        return stack


@dataclass
class StackSource:
    """Batches of all folders; the batch of an iteration follows from seed and iteration alone."""

    folders: tuple[Folder, ...]
    crops: tuple[CropSize, ...]
    augmentation: AugmentationPlan
    seed: int
    bootstrap_seed: int | None = None
    libraries: tuple[StackLibrary, ...] = field(init=False)

    def __post_init__(self) -> None:
        """List the folders."""
        self.libraries = tuple(
            StackLibrary(folder.path, bootstrap_seed=self.bootstrap_seed) for folder in self.folders
        )

    def batch(self, iteration: int) -> StackBatch:
        """Crops of as many B-scans: of one eye, in pairs of neighbors, or each by itself."""
        rng = np.random.default_rng((self.seed, iteration))
        weights = np.array([folder.weight for folder in self.folders])
        library = self.libraries[rng.choice(len(weights), p=weights / weights.sum())]
        crop = self.crops[rng.integers(len(self.crops))]
        focus = self._focus(rng)
        first = library.draw_with(rng, focus)
        neighbors = min(crop.bscans, int(rng.choice(NEIGHBORS)))
        samples: list[tuple[npt.NDArray[np.float32], Bscans]] = []
        seen, stack = 0, first
        while seen + neighbors <= crop.bscans:
            part = consecutive(stack, neighbors, rng, focus)
            samples.append(self._changed(part, crop, focus, rng))
            if samples[0][0].shape[0] != samples[-1][0].shape[0]:
                samples.pop()  # stacks of unequal length cannot lie in one batch
                break
            neighbors = len(part.image)
            seen += neighbors
            stack = library.draw_with(rng, focus, first.device)
        images = torch.from_numpy(np.stack([image for image, _ in samples]))
        codes = torch.from_numpy(np.stack([labels for _, labels in samples]))
        return StackBatch(images, codes, first.device)

    def refresh(self) -> None:
        """Look for new files in every folder."""
        for library in self.libraries:
            library.refresh()

    def _focus(self, rng: np.random.Generator) -> int | None:
        """Draw a rare tissue that the coming crop should show, or None for a crop by chance."""
        if rng.random() >= self.augmentation.focus_chance:
            return None
        return int(rng.choice(RARE_TISSUES))

    def _changed(
        self, stack: Stack, crop: CropSize, focus: int | None, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.float32], Bscans]:
        size = (crop.depth, crop.width)
        plan = self.augmentation
        gray, codes = augmented(stack.image, stack.codes, size, plan, rng, focus=focus)
        return normalize(gray, EIGHT_BITS), codes


def consecutive(
    stack: Stack, count: int, rng: np.random.Generator, focus: int | None = None
) -> Stack:
    """At most ``count`` neighbors that show ``focus``, or of which something is known."""
    starts = np.arange(max(1, len(stack.image) - count + 1))
    best_first = [stack.labeled]
    if focus is not None:
        best_first.insert(0, (stack.codes == focus).any(axis=(1, 2)))
    for wanted in best_first:
        chosen = starts[[bool(wanted[start : start + count].any()) for start in starts]]
        if len(chosen):
            starts = chosen
            break
    start = int(starts[rng.integers(len(starts))])
    window = slice(start, start + count)
    return Stack(stack.image[window], stack.codes[window], stack.device)
