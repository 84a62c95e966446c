from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.label_sets import UNKNOWN
from RetinaTriageLib.training.augment import AugmentationPlan
from RetinaTriageLib.training.stacks import (
    CropSize,
    Folder,
    Stack,
    StackLibrary,
    StackSource,
    consecutive,
    load_stack,
)


def write_stack(path: Path, shape: tuple[int, ...] = (6, 40, 48), device: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    arrays = {
        "image": rng.integers(256, size=shape, dtype=np.uint8),
        "codes": rng.integers(15, size=shape, dtype=np.uint8),
    }
    if device:
        arrays["device"] = np.array(device)
    np.savez(path, **arrays)
    return path


def source(folder: Path, seed: int = 0) -> StackSource:
    return StackSource((Folder(folder),), (CropSize(4, 32, 32),), AugmentationPlan(), seed)


def test_device_is_spectralis_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    assert load_stack(write_stack(tmp_path / "a.npz")).device == "spectralis"
    assert load_stack(write_stack(tmp_path / "b.npz", device="cirrus")).device == "cirrus"


def test_single_bscan_gets_the_bscan_axis(tmp_path: Path) -> None:
    assert load_stack(write_stack(tmp_path / "a.npz", (40, 48))).image.shape == (1, 40, 48)


def test_missing_codes_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match="codes"):
        load_stack(tmp_path / "a.npz")


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


def test_file_being_written_is_left_alone(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.npz")
    write_stack(tmp_path / "b.partial.npz")
    assert len(StackLibrary(tmp_path)) == 1


def test_full_cache_reads_from_the_file(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.npz")
    library = StackLibrary(tmp_path, cache_bytes=0)
    assert library[0] is not library[0]


def test_crops_hold_bscans_of_which_something_is_known() -> None:
    codes = np.full((20, 8, 8), UNKNOWN, np.uint8)
    codes[13] = 3
    stack = Stack(np.zeros_like(codes), codes, "spectralis")
    for seed in range(20):
        part = consecutive(stack, 4, np.random.default_rng(seed))
        assert part.labeled.any()
