from __future__ import annotations

from pathlib import Path

import numpy as np

from RetinaTriageLib.training.augment import cropped
from RetinaTriageLib.training.stack_batches import RARE_TISSUES
from RetinaTriageLib.training.stacks import StackLibrary

FLUID = 4


def codes_with_a_cyst() -> np.ndarray:
    codes = np.full((2, 64, 96), 3, np.uint8)
    codes[1, 60:62, 90:93] = FLUID
    return codes


def test_focused_crop_shows_the_tissue() -> None:
    codes = codes_with_a_cyst()
    for seed in range(20):
        _, crop = cropped(codes, codes, (32, 32), np.random.default_rng(seed), FLUID)
        assert (crop == FLUID).any()


def test_focus_on_an_absent_tissue_crops_anywhere() -> None:
    codes = np.full((1, 64, 64), 3, np.uint8)
    _, crop = cropped(codes, codes, (32, 32), np.random.default_rng(0), FLUID)
    assert crop.shape == (1, 32, 32)


def test_stack_is_drawn_for_the_tissue_it_shows(tmp_path: Path) -> None:
    codes = codes_with_a_cyst()
    np.savez(tmp_path / "with.npz", image=codes, codes=codes)
    plain = np.full_like(codes, 3)
    np.savez(tmp_path / "without.npz", image=plain, codes=plain)
    library = StackLibrary(tmp_path)
    rng = np.random.default_rng(1)
    found = sum(FLUID in library.draw_with(rng, FLUID).present for _ in range(50))
    assert found >= 49


def test_common_tissues_are_not_focused() -> None:
    assert not {0, 3, 7, 11} & set(RARE_TISSUES)
    assert FLUID in RARE_TISSUES
