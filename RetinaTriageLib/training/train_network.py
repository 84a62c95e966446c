"""What the training of every kind of network has in common: its plan, and how a run is set up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import torch

from RetinaTriageLib.inference.allocator import keep_freed_memory
from RetinaTriageLib.networks.classification import ClassificationNetwork
from RetinaTriageLib.networks.fluid_network import FluidNetwork
from RetinaTriageLib.networks.joint_classification import JointNetwork
from RetinaTriageLib.networks.segmentation import SegmentationNetwork
from RetinaTriageLib.progress import OnProgress
from RetinaTriageLib.training.checkpoints import RunState, load_weights, plain_value
from RetinaTriageLib.training.optimization import OptimizationPlan, Task, optimize
from RetinaTriageLib.training.patients import Resampling
from RetinaTriageLib.training.processes import Processes, joined_processes


@dataclass(frozen=True)
class TrainingPlan:
    """The part of a plan that all networks share.

    Attributes
    ----------
    seed : sets the first weights, the order of the data, and their changes
    resampling : whether a member learns from all patients or from a draw of them by its seed
    init_from : weights to start from instead of drawing them
    half_precision : compute in bfloat16 where it is safe
    device : torch device; "cuda" is a GPU of its own for every process of `torchrun`
    """

    optimization: OptimizationPlan = field(default_factory=OptimizationPlan)
    seed: int = 0
    resampling: Resampling = Resampling.PERMUTATION
    init_from: Path | None = None
    half_precision: bool = True
    device: str = "cpu"

    @property
    def bootstrap_seed(self) -> int | None:
        """Seed of the draw of patients; None where nothing is drawn."""
        return self.seed if self.resampling is Resampling.BOOTSTRAP else None


Plan = TypeVar("Plan", bound=TrainingPlan)
Network = TypeVar(
    "Network", bound=SegmentationNetwork | ClassificationNetwork | JointNetwork | FluidNetwork
)
Batch = TypeVar("Batch")


def initial(network: Network, plan: TrainingPlan) -> Network:
    """Network with the weights that the plan starts from, where it names any."""
    if plan.init_from is not None:
        load_weights(plan.init_from, network)
    return network


def train_network(
    plan: Plan,
    kind: str,
    make_network: Callable[[], Network],
    make_task: Callable[[Plan, Processes], Task[Network, Batch]],
    out_folder: Path,
    on_progress: OnProgress,
) -> RunState:
    """Make a network and train it into ``out_folder``, or go on with the run there.

    Parameters
    ----------
    kind : of network, as a bundle names it
    make_task : takes the plan with the device of this process

    Raises
    ------
    InputError
        If ``init_from``, or the run in ``out_folder``, is of another configuration.
    DeviceError
        If there are more processes than GPUs.
    """
    keep_freed_memory()
    with joined_processes(plan.device) as processes:
        torch.manual_seed(plan.seed)
        network = make_network()
        network.to(processes.device)
        facts = {
            "kind": kind,
            "config": json.dumps(asdict(network.config)),
            "plan": json.dumps(asdict(plan), default=plain_value),
        }
        task = make_task(replace(plan, device=processes.device), processes)
        return optimize(network, task, plan.optimization, out_folder, facts, on_progress, processes)
