"""Scans whose lesions are learned from: labeled stacks, and scans as other devices show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np

from RetinaTriageLib.networks.gray import gray_scale
from RetinaTriageLib.training.answered_cases import AnsweredCase, AnsweredScan
from RetinaTriageLib.training.augment import AugmentationPlan, recolored
from RetinaTriageLib.training.patients import patient_of
from RetinaTriageLib.training.sample_folder import stack_files
from RetinaTriageLib.training.stack_spacing import DeviceSpacing, spacing_of
from RetinaTriageLib.training.stacks import load_stack
from RetinaTriageLib.volume import DeviceFamily, OCTVolume

WHITE = 255


def stack_cases(folders: Sequence[Path], spacings: Sequence[DeviceSpacing]) -> list[AnsweredCase]:
    """Labeled stacks of some folders as scans without other answers.

    Raises
    ------
    InputError
        If a folder holds no stacks; when a case is loaded, also if its device has no spacing.
    """
    stated = {one.device: one.spacing for one in spacings}

    def loader(path: Path) -> Callable[[], AnsweredScan]:
        def load() -> AnsweredScan:
            stack = load_stack(path)
            volume = OCTVolume(
                stack.image,
                spacing_of(stack, stated),
                None,
                DeviceFamily.named(stack.device),
                name=path.stem,
            )
            return AnsweredScan(volume, stack.codes, {})

        return load

    paths = [path for folder in folders for path in stack_files(folder)]
    return [AnsweredCase(path.stem, patient_of(path), loader(path)) for path in paths]


def changed_gray(volume: OCTVolume, number: int) -> OCTVolume:
    """Scan with other gamma, contrast, speckle, noise, sharpness and shadows, 8 bit.

    What is learned on phantoms alone shall not rest on how their speckle looks. The change follows
    from the number and the name of the scan.
    """
    rng = np.random.default_rng((number, crc32(volume.name.encode())))
    scale = gray_scale(volume.voxels)
    gray = (volume.voxels.astype(np.float32) - scale.low) / max(scale.high - scale.low, 1e-6)
    changed = recolored(gray, AugmentationPlan(), rng)
    voxels = np.rint(np.clip(changed, 0, 1) * WHITE).astype(np.uint8)
    return replace(volume, voxels=voxels)
