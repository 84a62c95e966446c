from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.classification import ClassificationConfig
from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.classification_loop import ClassificationPlan, train_classification
from RetinaTriageLib.training.grids import UNANSWERED, load_grid
from RetinaTriageLib.training.optimization import OptimizationPlan
from RetinaTriageLib.training.sample_folder import Folder

PLAN = ClassificationPlan(
    optimization=OptimizationPlan(
        iterations=6, warm_up_iterations=2, validate_iterations=3, log_iterations=1
    ),
    network=ClassificationConfig(growth=4, blocks=(1, 1)),
    batch_size=2,
    half_precision=False,
)


def healthy_and_wet(folder: Path, first: int = 0) -> Folder:
    """Retina without and with a block of intraretinal fluid, of four patients."""
    folder.mkdir()
    for number in range(4):
        wet = number % 2
        grid = np.zeros((15, 4, 24, 24), np.uint8)
        grid[0, :, :8], grid[3, :, 8:16], grid[11, :, 16:] = 255, 255, 255
        if wet:
            grid[3, 1:3, 9:15, 6:18], grid[4, 1:3, 9:15, 6:18] = 0, 255
        conditions = np.zeros(10, np.uint8)
        conditions[2 if wet else 0] = 1
        np.savez(
            folder / f"{first + number}.npz",
            grid=grid,
            referral=np.array(0 if wet else 3),
            conditions=conditions,
        )
    return Folder(folder)


def test_training_tells_wet_from_healthy(tmp_path: Path) -> None:
    folder, held_out = healthy_and_wet(tmp_path / "a"), healthy_and_wet(tmp_path / "b", 4)
    longer = replace(PLAN.optimization, iterations=60, learning_rate=5e-3, average_decay=0.9)
    state = train_classification(
        replace(PLAN, optimization=longer), [folder], tmp_path / "run", held_out=[held_out.path]
    )
    with (tmp_path / "run" / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["referral:accuracy"]) == 1.0
    assert float(rows[-1]["referral:penalty"]) == 0.0
    assert state.best_score > 0.9


def test_same_seed_trains_the_same_weights(tmp_path: Path) -> None:
    folders = [healthy_and_wet(tmp_path / "maps")]
    for run in ("first", "again"):
        train_classification(PLAN, folders, tmp_path / run)
    first, _ = read_tensors(tmp_path / "first" / "final.safetensors")
    again, _ = read_tensors(tmp_path / "again" / "final.safetensors")
    assert all(torch.equal(value, again[name]) for name, value in first.items())


def test_head_without_answer_is_unanswered(tmp_path: Path) -> None:
    healthy_and_wet(tmp_path / "maps")
    sample = load_grid(tmp_path / "maps" / "0.npz", PLAN.network)
    assert sample.answers["treatment"] == UNANSWERED
    assert sample.answers["referral"] == 3


def test_answer_out_of_range_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", grid=np.zeros((15, 2, 4, 4), np.uint8), referral=np.array(7))
    with pytest.raises(InputError, match="referral"):
        load_grid(tmp_path / "a.npz", PLAN.network)
