"""The training loop that all networks share: optimize, average, log, validate, save, resume."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.training.checkpoints import RunState, load_run, save_run, save_weights
from RetinaTriageLib.training.run_log import RunLog
from RetinaTriageLib.training.schedule import Schedule, rate_factor, warm_up_factor
from RetinaTriageLib.training.stacks import Prefetch

LAST = "last.safetensors"
BEST = "best.safetensors"
FINAL = "final.safetensors"

Batch = TypeVar("Batch")
Network = TypeVar("Network", bound=nn.Module)
Taught = TypeVar("Taught", bound=nn.Module, contravariant=True)


@dataclass(frozen=True)
class OptimizationPlan:
    """How long and how fast a network learns.

    Attributes
    ----------
    iterations, minutes : the run ends at whichever comes first; time counts over all starts
    learning_rate : its peak, after warming up
    gradient_norm : longer gradients are cut to this length
    average_decay : how slowly the averaged weights, which are validated and kept, follow
    patience : validations without a better score after which the run ends; None never ends it

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
    patience: int | None = None
    log_iterations: int = 20
    validate_iterations: int = 500
    save_minutes: float = 5.0

    def done(self, state: RunState) -> float:
        """Share of the run that is done."""
        by_time = state.seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(state.iteration / self.iterations, by_time)

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

    def batch(self, iteration: int) -> Batch:
        """Batch of an iteration, which must follow from the iteration alone."""

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
) -> RunState:
    """Train a network, or go on with the run in ``out_folder``; returns where it ended.

    The folder receives ``last.safetensors`` (all that a resumed run needs), ``best.safetensors``
    (averaged weights of the best validation), ``final.safetensors`` (averaged weights of the end)
    and ``log.csv``.
    """
    run = _Run(network, task, plan, out_folder, facts)
    prefetch = Prefetch(task.batch, run.state.iteration)
    try:
        while not plan.over(run.state):
            run.step(prefetch.take())
            run.report(on_progress)
    finally:
        prefetch.close()
    run.save()
    save_weights(out_folder / FINAL, run.average, facts)
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
    ) -> None:
        self.network, self.task, self.plan = network, task, plan
        self.out_folder, self.facts = out_folder, facts
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
        out_folder.mkdir(parents=True, exist_ok=True)
        self.log = RunLog(out_folder / "log.csv", task.columns)
        self.log.start(self.state.iteration)
        self.losses: list[float] = []
        self.logged_seconds = self.state.seconds
        self.clock = self.saved = time.monotonic()
        network.train()

    def step(self, batch: Batch) -> None:
        """Learn from one batch."""
        rate = self._learning_rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(self.state.iteration)  # dropout repeats exactly in a resumed run
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.task.loss(self.network, batch)
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
                figures = self._validate()
                row |= figures
                message += f", score {figures['score']:.4f}"
            self.log.add(row)
        on_progress(Progress("train", iteration, plan.iterations, message))
        if time.monotonic() - self.saved > 60 * plan.save_minutes:
            self.save()

    def save(self) -> None:
        """Write the checkpoint that a resumed run starts from."""
        save_run(self.out_folder / LAST, self.network, self.average, self.optimizer, self.state)
        self.saved = time.monotonic()

    def _validate(self) -> dict[str, float]:
        figures = self.task.validate(self.average)
        self._tick()
        if figures["score"] > self.state.best_score:
            self.state = replace(
                self.state,
                best_score=figures["score"],
                best_iteration=self.state.iteration,
                validations_since_best=0,
            )
            save_weights(self.out_folder / BEST, self.average, self.facts)
        else:
            count = self.state.validations_since_best + 1
            self.state = replace(self.state, validations_since_best=count)
        return figures

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
        self.state = replace(self.state, seconds=self.state.seconds + now - self.clock)
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
