from __future__ import annotations

import csv
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_task import TinyTask, line

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.progress import Progress, ignore_progress
from RetinaTriageLib.training.checkpoints import RunState, read_tensors
from RetinaTriageLib.training.optimization import OptimizationPlan, optimize

PLAN = OptimizationPlan(
    iterations=12, warm_up_iterations=1, log_iterations=1, validate_iterations=2, learning_rate=0.1
)


def run(folder: Path, task: TinyTask, plan: OptimizationPlan = PLAN) -> RunState:
    return optimize(line(), task, plan, folder, {}, ignore_progress)


def test_run_ends_by_iterations(tmp_path: Path) -> None:
    assert run(tmp_path, TinyTask()).iteration == 12


def test_run_ends_by_minutes_over_all_starts() -> None:
    plan = replace(PLAN, minutes=2.0)
    assert not plan.over(RunState(iteration=1, seconds=119))
    assert plan.over(RunState(iteration=1, seconds=120))
    assert plan.done(RunState(iteration=1, seconds=60)) == 0.5


def test_run_ends_on_a_plateau(tmp_path: Path) -> None:
    task = TinyTask(scores=[0.5, 0.6, 0.6, 0.4, 0.3, 0.2])
    state = run(tmp_path, task, replace(PLAN, patience=1))
    assert state.iteration == 8
    assert (state.best_score, state.best_iteration) == (0.6, 4)


def test_best_weights_are_those_of_the_best_validation(tmp_path: Path) -> None:
    run(tmp_path / "short", TinyTask(), replace(PLAN, iterations=4, warm_up_iterations=0))
    run(tmp_path / "long", TinyTask(scores=[0.1, 0.9, 0.2, 0.3, 0.4, 0.5]))
    best, _ = read_tensors(tmp_path / "long" / "best.safetensors")
    final, _ = read_tensors(tmp_path / "long" / "final.safetensors")
    assert not torch.equal(best["weight"], final["weight"])


def test_batch_that_breaks_the_loss_changes_no_weight(tmp_path: Path) -> None:
    class Broken(TinyTask):
        def loss(self, network: torch.nn.Module, batch: torch.Tensor) -> torch.Tensor:
            return super().loss(network, batch) * float("nan")

    run(tmp_path, Broken(), replace(PLAN, iterations=2))
    final, _ = read_tensors(tmp_path / "final.safetensors")
    assert torch.equal(final["weight"], line().weight)


def test_every_iteration_is_reported(tmp_path: Path) -> None:
    told: list[Progress] = []
    optimize(line(), TinyTask(), PLAN, tmp_path, {}, told.append)
    assert [progress.done for progress in told] == list(range(1, 13))


def test_curves_lie_beside_the_table(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(tmp_path, TinyTask(scores=[0.1, 0.2]), replace(PLAN, iterations=4, tensorboard=True))
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    with (tmp_path / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [point.step for point in events.Scalars("loss")] == [1, 2, 3, 4]
    assert events.Scalars("loss")[2].value == pytest.approx(float(rows[2]["loss"]), rel=1e-4)
    assert [point.value for point in events.Scalars("score")] == pytest.approx([0.1, 0.2])


def test_missing_tensorboard_is_named_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match=r"retina-triage\[train\]"):
        run(tmp_path, TinyTask(), replace(PLAN, tensorboard=True))
    assert not (tmp_path / "log.csv").exists()
