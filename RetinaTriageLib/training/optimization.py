"""The training loop that all networks share: optimize, average, log, validate, save, resume."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from RetinaTriageLib.networks.renorm import trust_running_statistics
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.training.checkpoints import RunState, load_run, save_run, save_weights
from RetinaTriageLib.training.prefetch import Prefetch
from RetinaTriageLib.training.processes import ALONE, Processes
from RetinaTriageLib.training.run_log import RunLog
from RetinaTriageLib.training.schedule import Schedule, rate_factor, warm_up_factor
from RetinaTriageLib.training.tensorboard_log import TensorBoardLog

LAST = "last.safetensors"
BEST = "best.safetensors"
FINAL = "final.safetensors"

Batch = TypeVar("Batch")
Network = TypeVar("Network", bound=nn.Module)
Taught = TypeVar("Taught", bound=nn.Module, contravariant=True)

RENORMALIZE_OVER = 0.2  # share of a run


@dataclass(frozen=True)
class OptimizationPlan:
    """How long and how fast a network learns.

    Attributes
    ----------
    iterations, minutes : the run ends at whichever comes first; time counts over all starts
    learning_rate : its peak, after warming up
    gradient_norm : longer gradients are cut to this length
    average_decay : how slowly the averaged weights, which are validated and kept, follow
    renormalize_from : share of the run at which normalization begins to turn from the statistics of
        a batch to the running ones, complete `RENORMALIZE_OVER` later; 0 for trained weights
    patience : validations without a better score after which the run ends; None never ends it
    tensorboard : write curves for TensorBoard beside ``log.csv``

    Notes
    -----
    With ``minutes`` the learning rate follows the clock; only a run that ends by iterations gives
    the same weights after a kill as without it.
    """

    iterations: int = 20_000
    minutes: float | None = None
    learning_rate: float = 1e-3
    schedule: Schedule = Schedule.COSINE
    warm_up_iterations: int = 200
    weight_decay: float = 1e-5
    gradient_norm: float = 5.0
    average_decay: float = 0.998
    renormalize_from: float = 0.5
    patience: int | None = None
    log_iterations: int = 20
    validate_iterations: int = 500
    save_minutes: float = 5.0
    tensorboard: bool = False

    def done(self, state: RunState) -> float:
        """Share of the run that is done."""
        by_time = state.seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(state.iteration / self.iterations, by_time)

    def trust(self, state: RunState) -> float:
        """How far normalization trusts its running statistics, 0 to 1."""
        return min(max((self.done(state) - self.renormalize_from) / RENORMALIZE_OVER, 0.0), 1.0)

    def over(self, state: RunState) -> bool:
        """Whether the run has ended."""
        if self.patience is not None and state.validations_since_best > self.patience:
            return True
        return self.done(state) >= 1


class Task(Protocol[Taught, Batch]):
    """What a network is to learn: batches, their loss, and how good the network has become."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the validation figures."""

    def batch(self, number: int) -> Batch:
        """Batch of a number, from which alone it must follow."""

    def loss(self, network: Taught, batch: Batch) -> Tensor:
        """Scalar to be made small."""

    def validate(self, network: Taught) -> dict[str, float]:
        """Figures on data held out, with a "score" (higher is better); empty without such data."""


def optimize(
    network: Network,
    task: Task[Network, Batch],
    plan: OptimizationPlan,
    out_folder: Path,
    facts: Mapping[str, str],
    on_progress: OnProgress,
    processes: Processes = ALONE,
) -> RunState:
    """Train a network, or go on with the run in ``out_folder``; returns where it ended.

    The folder receives ``last.safetensors`` (all that a resumed run needs), ``best.safetensors``
    (averaged weights of the best validation), ``final.safetensors`` (averaged weights of the end)
    and ``log.csv``. Of several processes the first writes and reports; loss and batch
    normalization statistics are its own.
    """
    run = _Run(network, task, plan, out_folder, facts, processes)
    prefetch = Prefetch(lambda i: task.batch(processes.own_batch(i)), run.state.iteration)
    try:
        while not plan.over(run.state):
            run.step(prefetch.take())
            run.report(on_progress)
    finally:
        prefetch.close()
        run.close()
    if processes.is_first:
        run.save()
        save_weights(out_folder / FINAL, run.average, facts)
    processes.wait()
    return run.state


class _Run(Generic[Network, Batch]):
    """One training run in the making."""

    def __init__(
        self,
        network: Network,
        task: Task[Network, Batch],
        plan: OptimizationPlan,
        out_folder: Path,
        facts: Mapping[str, str],
        processes: Processes,
    ) -> None:
        self.network, self.task, self.plan = network, task, plan
        self.out_folder, self.facts, self.processes = out_folder, facts, processes
        self.average = copy.deepcopy(network).eval()
        self.optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=plan.learning_rate,
            weight_decay=plan.weight_decay,
            fused=True,
        )
        self.state = RunState()
        if (out_folder / LAST).exists():
            self.state = load_run(out_folder / LAST, network, self.average, self.optimizer)
        self.logs = self._started_logs() if processes.is_first else ()
        # The first process writes into the folder only after all of them have read what it holds.
        self.joined = cast("Network", processes.joined(network))
        self.losses: list[float] = []
        self.logged_seconds = self.state.seconds
        self.clock = self.saved = time.monotonic()
        network.train()

    def step(self, batch: Batch) -> None:
        """Learn from one batch."""
        rate = self._learning_rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # Dropout repeats exactly in a resumed run.
        torch.manual_seed(self.processes.own_batch(self.state.iteration))
        trust_running_statistics(self.network, self.plan.trust(self.state))
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.task.loss(self.joined, batch)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.gradient_norm)
        if bool(torch.isfinite(norm)):  # one bad batch must not spoil the weights for good
            self.optimizer.step()
        update_average(self.average, self.network, self.plan.average_decay, self.state.iteration)
        self.losses.append(float(loss.detach()))
        self.state = replace(self.state, iteration=self.state.iteration + 1)
        self._tick()

    def report(self, on_progress: OnProgress) -> None:
        """Log, validate and save where it is time to."""
        iteration, plan = self.state.iteration, self.plan
        ends = plan.over(self.state)
        validates = bool(self.task.columns) and (ends or iteration % plan.validate_iterations == 0)
        message = ""
        if validates or iteration % plan.log_iterations == 0:
            row = self._log_row()
            message = f"loss {row['loss']:.4f}"
            if validates:
                row |= self._validate()
                message += f", score {row['score']:.4f}"
            for log in self.logs:
                log.add(row)
        if not self.processes.is_first:
            return
        on_progress(Progress("train", iteration, plan.iterations, message))
        if time.monotonic() - self.saved > 60 * plan.save_minutes:
            self.save()

    def close(self) -> None:
        """Close what the logs hold open."""
        for log in self.logs:
            log.close()

    def save(self) -> None:
        """Write the checkpoint that a resumed run starts from."""
        save_run(self.out_folder / LAST, self.network, self.average, self.optimizer, self.state)
        self.saved = time.monotonic()

    def _started_logs(self) -> tuple[RunLog | TensorBoardLog, ...]:
        iteration = self.state.iteration
        self.out_folder.mkdir(parents=True, exist_ok=True)
        curves = TensorBoardLog(self.out_folder, iteration) if self.plan.tensorboard else None
        table = RunLog(self.out_folder / "log.csv", self.task.columns)
        table.start(iteration)
        return (table,) if curves is None else (table, curves)

    def _validate(self) -> dict[str, float]:
        figures: dict[str, float] = {}
        if self.processes.is_first:
            figures = self.task.validate(self.average)
        score = self.processes.shared(figures.get("score", float("nan")))
        self._tick()
        if score > self.state.best_score:
            self.state = replace(
                self.state,
                best_score=score,
                best_iteration=self.state.iteration,
                validations_since_best=0,
            )
            if self.processes.is_first:
                save_weights(self.out_folder / BEST, self.average, self.facts)
        else:
            count = self.state.validations_since_best + 1
            self.state = replace(self.state, validations_since_best=count)
        return figures | {"score": score}

    def _log_row(self) -> dict[str, float]:
        seconds = (self.state.seconds - self.logged_seconds) / max(1, len(self.losses))
        loss = float(np.mean(self.losses)) if self.losses else float("nan")
        self.losses, self.logged_seconds = [], self.state.seconds
        return {
            "iteration": self.state.iteration,
            "minutes": self.state.seconds / 60,
            "learning_rate": self._learning_rate(),
            "loss": loss,
            "seconds": seconds,
        }

    def _learning_rate(self) -> float:
        return (
            self.plan.learning_rate
            * rate_factor(self.plan.schedule, self.plan.done(self.state))
            * warm_up_factor(self.state.iteration, self.plan.warm_up_iterations)
        )

    def _tick(self) -> None:
        now = time.monotonic()
        # By one clock: processes that disagreed on the time would not end together.
        seconds = self.processes.shared(self.state.seconds + now - self.clock)
        self.state = replace(self.state, seconds=seconds)
        self.clock = now


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, iteration: int) -> None:
    """Move averaged weights and normalization statistics towards the network's.

    The average follows faster at the start, when the first weights are worth forgetting.
    """
    decay = min(decay, (1 + iteration) / (10 + iteration))
    targets = list(average.state_dict().values())
    sources = list(network.state_dict().values())
    floating = [index for index, target in enumerate(targets) if target.is_floating_point()]
    torch._foreach_lerp_(
        [targets[index] for index in floating], [sources[index] for index in floating], 1 - decay
    )
    for index in set(range(len(targets))) - set(floating):
        targets[index].copy_(sources[index])
