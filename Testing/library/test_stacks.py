from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.stacks import StackLibrary, load_stack


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


def test_device_is_spectralis_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    assert load_stack(write_stack(tmp_path / "a.npz")).device == "spectralis"
    assert load_stack(write_stack(tmp_path / "b.npz", device="cirrus")).device == "cirrus"


def test_single_bscan_gets_the_bscan_axis(tmp_path: Path) -> None:
    assert load_stack(write_stack(tmp_path / "a.npz", (40, 48))).image.shape == (1, 40, 48)


def test_missing_codes_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match="codes"):
        load_stack(tmp_path / "a.npz")


def test_file_being_written_is_left_alone(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.npz")
    write_stack(tmp_path / "b.partial.npz")
    assert len(StackLibrary(tmp_path)) == 1


def test_full_cache_reads_from_the_file(tmp_path: Path) -> None:
    write_stack(tmp_path / "a.npz")
    library = StackLibrary(tmp_path, cache_bytes=0)
    assert library[0] is not library[0]
