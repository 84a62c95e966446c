from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from test_stacks import write_stack

from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.training.augment import AugmentationPlan
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.stack_batches import CropSize, StackSource, consecutive
from RetinaTriageLib.training.stacks import Stack


def source(folder: Path, seed: int = 0) -> StackSource:
    return StackSource((Folder(folder),), (CropSize(4, 32, 32),), AugmentationPlan(), seed)


def test_batch_is_of_one_eye_of_pairs_or_of_single_bscans(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.npz")
    batches = source(tmp_path)
    shapes = {tuple(batches.batch(number).images.shape) for number in range(24)}
    assert shapes == {(1, 4, 32, 32), (2, 2, 32, 32), (4, 1, 32, 32)}


def test_neighbors_show_the_tissue_in_focus() -> None:
    codes = np.zeros((6, 4, 4), np.uint8)
    codes[4] = 5
    stack = Stack(codes, codes, "spectralis")
    for seed in range(8):
        part = consecutive(stack, 1, np.random.default_rng(seed), focus=5)
        assert (part.codes == 5).all()


def test_single_bscans_fill_a_batch(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.npz", (40, 48))
    assert source(tmp_path).batch(0).images.shape == (4, 1, 32, 32)


def test_batch_keeps_to_one_device(tmp_path: Path) -> None:
    for number, device in enumerate(("cirrus", "topcon") * 3):
        write_stack(tmp_path / device / f"{number}.npz", (40, 48), device)
        write_stack(tmp_path / "mixed" / f"{number}.npz", (40, 48), device)
    assert {source(tmp_path / "mixed").batch(i).device for i in range(8)} == {"cirrus", "topcon"}


def test_batch_follows_from_seed_and_iteration(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.npz")
    batch, again, other = (source(tmp_path, seed).batch(5) for seed in (0, 0, 1))
    assert torch.equal(batch.images, again.images)
    assert not torch.equal(batch.images, other.images)


def test_crops_hold_bscans_of_which_something_is_known() -> None:
    codes = np.full((20, 8, 8), UNKNOWN, np.uint8)
    codes[13] = 3
    stack = Stack(np.zeros_like(codes), codes, "spectralis")
    for seed in range(20):
        part = consecutive(stack, 4, np.random.default_rng(seed))
        assert part.labeled.any()
