from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.segmentation import SegmentationConfig
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.augment import AugmentationPlan
from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.optimization import OptimizationPlan
from RetinaTriageLib.training.patients import Resampling
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.segmentation_loop import SegmentationPlan, train_segmentation
from RetinaTriageLib.training.stack_batches import CropSize

PLAN = SegmentationPlan(
    optimization=OptimizationPlan(
        iterations=8,
        warm_up_iterations=2,
        validate_iterations=4,
        log_iterations=1,
        save_minutes=0.0,
    ),
    network=SegmentationConfig(channels=(4, 8, 8), slice_levels=(1,), branches=("spectralis",)),
    # Crops this small would be shifted out of sight.
    augmentation=AugmentationPlan(geometry_chance=0.0),
    crops=(CropSize(2, 32, 32),),
    half_precision=False,
)


class KilledError(Exception):
    pass


def two_layers(folder: Path, seed: int = 0) -> Folder:
    """Dark vitreous over bright retina, of two patients for each seed."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(2):
        codes = np.zeros((2, 48, 48), np.uint8)
        codes[:, rng.integers(16, 32) :] = 3
        image = codes * np.uint8(50) + rng.integers(40, size=codes.shape, dtype=np.uint8)
        np.savez(folder / f"layers_{seed}_{number}.npz", image=image, codes=codes)
    return Folder(folder)


def losses(run: Path) -> list[float]:
    with (run / "log.csv").open(encoding="utf-8") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_loss_falls_and_held_out_dice_is_high(tmp_path: Path) -> None:
    longer = replace(PLAN.optimization, iterations=60, learning_rate=5e-2, average_decay=0.9)
    plan = replace(PLAN, optimization=longer)
    held_out = two_layers(tmp_path / "held_out", seed=1).path
    state = train_segmentation(
        plan, [two_layers(tmp_path / "train")], tmp_path / "run", held_out=[held_out]
    )
    history = losses(tmp_path / "run")
    assert np.mean(history[-10:]) < 0.6 * np.mean(history[:5])
    assert state.best_score > 0.8


def test_killed_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.done == 5:
            raise KilledError

    folders = [two_layers(tmp_path / "train")]
    train_segmentation(PLAN, folders, tmp_path / "whole")
    with pytest.raises(KilledError):
        train_segmentation(PLAN, folders, tmp_path / "killed", on_progress=kill)
    train_segmentation(PLAN, folders, tmp_path / "killed")
    whole, _ = read_tensors(tmp_path / "whole" / "final.safetensors")
    resumed, _ = read_tensors(tmp_path / "killed" / "final.safetensors")
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    assert losses(tmp_path / "whole") == losses(tmp_path / "killed")


def test_seeds_give_different_members(tmp_path: Path) -> None:
    folders = [two_layers(tmp_path / "train")]
    for seed in (0, 1):
        train_segmentation(replace(PLAN, seed=seed), folders, tmp_path / f"run{seed}")
    first, second = (
        read_tensors(tmp_path / f"run{seed}" / "final.safetensors")[0]["head.weight"]
        for seed in (0, 1)
    )
    assert not torch.equal(first, second)


def test_member_can_start_from_another(tmp_path: Path) -> None:
    folders = [two_layers(tmp_path / "train")]
    train_segmentation(PLAN, folders, tmp_path / "first")
    still = replace(PLAN.optimization, iterations=1, learning_rate=0.0)
    donor = tmp_path / "first" / "final.safetensors"
    plan = replace(PLAN, optimization=still, init_from=donor)
    train_segmentation(plan, folders, tmp_path / "second")
    given, _ = read_tensors(donor)
    taken, _ = read_tensors(tmp_path / "second" / "final.safetensors")
    torch.testing.assert_close(taken["head.weight"], given["head.weight"])


def test_run_of_another_network_is_refused(tmp_path: Path) -> None:
    folders = [two_layers(tmp_path / "train")]
    train_segmentation(PLAN, folders, tmp_path / "run")
    other = replace(PLAN.network, channels=(4, 8, 16))
    with pytest.raises(InputError, match="does not fit"):
        train_segmentation(replace(PLAN, network=other), folders, tmp_path / "run")


def test_patient_that_is_learned_from_cannot_be_held_out(tmp_path: Path) -> None:
    folder = two_layers(tmp_path / "train")
    with pytest.raises(InputError, match="Found 2 patients both to learn from and held out"):
        train_segmentation(PLAN, [folder], tmp_path / "run", held_out=[folder.path])


def test_bootstrap_gives_another_member(tmp_path: Path) -> None:
    folders = [two_layers(tmp_path / "train")]
    for resampling in Resampling:
        plan = replace(PLAN, seed=1, resampling=resampling)
        train_segmentation(plan, folders, tmp_path / resampling.value)
    first, second = (
        read_tensors(tmp_path / resampling.value / "final.safetensors")[0]["head.weight"]
        for resampling in Resampling
    )
    assert not torch.equal(first, second)
