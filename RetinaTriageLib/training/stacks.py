"""Training samples: stacks of labeled B-scans of one eye, and libraries of them.

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

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.networks.gray import eight_bits, normalize, tissue_scale
from RetinaTriageLib.training.augment import Bscans
from RetinaTriageLib.training.pair_stack import read_pair
from RetinaTriageLib.training.patients import bootstrapped
from RetinaTriageLib.training.sample_folder import stack_files

DEFAULT_DEVICE = "spectralis"
FOCUS_TRIES = 12  # stacks looked at for a tissue; each is read once and then kept in memory


@dataclass(frozen=True)
class Stack:
    """Labeled B-scans of one eye; arrays (B-scan, depth, width).

    Gray values are those that networks see, black 0 and white 255, whatever the scanner wrote.
    """

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
    return Stack(eight_bits(normalize(image, tissue_scale(image))), codes, device)


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
