"""Checkpoints of a training run: one safetensors file, its state as JSON in the header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError


@dataclass(frozen=True)
class RunState:
    """Where a training run stands.

    Attributes
    ----------
    iteration : iterations done
    seconds : time spent on them, over all starts
    best_score, best_iteration : best validation and when it was; -1 before the first
    validations_since_best : validations without a better score
    """

    iteration: int = 0
    seconds: float = 0.0
    best_score: float = -1.0
    best_iteration: int = 0
    validations_since_best: int = 0


def save_run(
    path: Path,
    network: nn.Module,
    average: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: RunState,
) -> None:
    """Write all that a run needs to go on; a kill leaves the former file whole."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for index, slots in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in slots.items()}
    write_tensors(path, tensors, {"state": json.dumps(asdict(state))})


def load_run(
    path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> RunState:
    """Put network, average and optimizer back to where the run stood.

    Raises
    ------
    InputError
        If the file is of another network.
    """
    tensors, header = read_tensors(path)
    _load(network, _below("network.", tensors), path)
    _load(average, _below("average.", tensors), path)
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in _below("optimizer.", tensors).items():
        index, slot = name.split(".", 1)
        slots.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict(
        {"state": slots, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    for weight, kept in optimizer.state.items():
        for name, value in kept.items():
            if value.shape == weight.shape:
                # The fused optimizer walks memory: its sums must lie as the weights do.
                kept[name] = torch.empty_like(weight).copy_(value)
    return RunState(**json.loads(header["state"]))


def save_weights(path: Path, network: nn.Module, facts: Mapping[str, str]) -> None:
    """Write the weights alone, with facts about them as text in the header."""
    write_tensors(path, network.state_dict(), facts)


def plain_value(value: object) -> str:
    """Text for JSON of what a plan holds: the value of an enumeration, a path."""
    return str(value.value if isinstance(value, Enum) else value)


def load_weights(path: Path, network: nn.Module) -> None:
    """Load weights written by `save_weights`, or the averaged weights of a run.

    Raises
    ------
    InputError
        If the file is of another network.
    """
    _load(network, read_weights(path), path)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors written by `save_weights`, or the averaged ones of a run."""
    tensors, _ = read_tensors(path)
    return _below("average.", tensors) or tensors


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and header texts of a safetensors file.

    Raises
    ------
    InputError
        If the file is missing or no safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
            return tensors, dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        msg = (
            f"{path} cannot be read as safetensors ({error}); expected such a file, which unlike "
            ".pth cannot run code. Convert the weights, or check the path."
        )
        raise InputError(msg) from error


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _load(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    try:
        network.load_state_dict(dict(tensors))
    except RuntimeError as error:
        msg = f"{path} does not fit this network: {error}. Choose a file of the same configuration."
        raise InputError(msg) from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> None:
    """Write tensors with header texts; a kill leaves the former file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    # Channels-last weights are not contiguous, which safetensors refuses.
    save_file({name: value.contiguous() for name, value in tensors.items()}, partial, dict(header))
    partial.replace(path)
