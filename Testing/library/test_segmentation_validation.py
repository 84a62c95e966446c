from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from example_bundle import SEGMENTATION, random_network

from RetinaTriageLib.labels.label_sets import NOT_FLUID, SOME_FLUID, UNKNOWN
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.training import segmentation_validation
from RetinaTriageLib.training.segmentation_validation import (
    fluid_dice,
    segmentation_figures,
    tissue_dice,
)
from RetinaTriageLib.training.stacks import StackLibrary


def counts(*entries: tuple[int, int, int]) -> np.ndarray:
    """Voxel counts (code, predicted tissue) from (code, predicted, voxels)."""
    confusion = np.zeros((256, 15), np.int64)
    for code, predicted, voxels in entries:
        confusion[code, predicted] = voxels
    return confusion


def test_dice_of_known_tissues() -> None:
    dice = tissue_dice(counts((3, 3, 8), (3, 0, 2), (0, 0, 10)))
    assert dice[3] == pytest.approx(16 / 18)
    assert dice[0] == pytest.approx(20 / 22)
    assert np.isnan(dice[7])


def test_partial_labels_do_not_count_for_tissues() -> None:
    assert np.isnan(tissue_dice(counts((SOME_FLUID, 4, 5), (UNKNOWN, 3, 5)))).all()


def test_fluid_dice_of_labels_that_tell_fluid_only() -> None:
    confusion = counts((SOME_FLUID, 4, 6), (SOME_FLUID, 5, 1), (SOME_FLUID, 3, 3))
    confusion += counts((NOT_FLUID, 4, 1), (NOT_FLUID, 3, 80), (UNKNOWN, 4, 50))
    assert fluid_dice(confusion) == pytest.approx(14 / (14 + 3 + 1))


def test_fluid_dice_without_fluid_is_undefined() -> None:
    assert np.isnan(fluid_dice(counts((NOT_FLUID, 3, 9))))


def test_figures_do_not_depend_on_how_many_bscans_are_looked_at_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    image, codes = (rng.integers(high, size=(7, 16, 16), dtype=np.uint8) for high in (256, 15))
    codes[3:5] = UNKNOWN
    np.savez(tmp_path / "a.npz", image=image, codes=codes)
    network = random_network(SegmentationNetwork(SEGMENTATION), 1)
    assert isinstance(network, SegmentationNetwork)
    figures = []
    for count in (7, 2):
        monkeypatch.setattr(segmentation_validation, "BSCANS_AT_A_TIME", count)
        library = StackLibrary(tmp_path)
        figures.append(segmentation_figures(network, library, "cpu", half_precision=False))
    assert figures[0] == pytest.approx(figures[1], nan_ok=True)
