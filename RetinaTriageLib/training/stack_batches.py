"""Batches of labeled B-scans, cropped and changed, as training of segmenters takes them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from RetinaTriageLib.networks.gray import EIGHT_BITS, normalize
from RetinaTriageLib.tissues import TISSUES
from RetinaTriageLib.training.augment import AugmentationPlan, Bscans, augmented
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.stacks import Stack, StackLibrary

# Lesions fill so few voxels that crops by chance hardly show them.
EVERYWHERE = ("vitreous_subhyaloid", "neurosensory_retina", "rpe", "choroid_outer")
RARE_TISSUES = tuple(tissue.label for tissue in TISSUES if tissue.name not in EVERYWHERE)

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
