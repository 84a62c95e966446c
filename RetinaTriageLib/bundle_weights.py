"""Weights of a model bundle: tensors to the bytes of a safetensors file, and into a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from RetinaTriageLib.bundle_manifest import NetworkEntry
from RetinaTriageLib.errors import BundleError

Network = TypeVar("Network", bound=nn.Module)
Tensors = Mapping[str, Tensor]


def encode_weights(name: str, tensors: Tensors) -> bytes:
    """Weights as safetensors: matrices in half precision, vectors as they are.

    Vectors are the statistics of batch normalization, which half precision may overflow, and
    biases; together they are under 1 % of the bytes. The vectors of trees have to be exact.

    Raises
    ------
    BundleError
        If a weight is not finite, or too large for half precision.
    """
    stored = {key: _half(value.detach().cpu()) for key, value in tensors.items()}
    for key, value in stored.items():
        if not torch.isfinite(value).all():
            msg = (
                f"Found weights of {name} in {key} that are not finite in half precision; expected "
                "a trained network. Train it again with a lower learning rate."
            )
            raise BundleError(msg)
    return safetensors.torch.save(stored)


def decode_weights(entry: NetworkEntry, weights: bytes) -> Tensors:
    """Tensors of a safetensors file, as they are stored.

    Raises
    ------
    BundleError
        If it is no safetensors file.
    """
    try:
        return safetensors.torch.load(weights)
    except SafetensorError as error:
        msg = (
            f"Found {entry.file}, which is no safetensors file ({error}); expected the weights of "
            f"{entry.name}. Get the bundle again from its source."
        )
        raise BundleError(msg) from error


def without_data(build: Callable[[], Network]) -> Network:
    """Network whose tensors have shapes and no data yet; its weights come next."""
    with torch.device("meta"), _Undrawn():
        return build()


def with_weights(entry: NetworkEntry, network: Network, stored: Tensors) -> Network:
    """Network with its weights in single precision, ready to infer.

    Raises
    ------
    BundleError
        If the tensors are not those of such a network.
    """
    expected = network.state_dict()
    strange = sorted(expected.keys() ^ stored.keys())
    strange += [key for key in expected.keys() & stored.keys() if _differ(expected, stored, key)]
    if strange:
        msg = (
            f"Found weights in {entry.file} that do not fit the configuration of {entry.name}: "
            f"{len(strange)} tensors differ, such as {strange[0]} "
            f"({_shape(stored, strange[0])}, expected {_shape(expected, strange[0])}). "
            "Write the bundle again from the trained network."
        )
        raise BundleError(msg)
    network.load_state_dict({key: _single(value) for key, value in stored.items()}, assign=True)
    return network.eval().requires_grad_(requires_grad=False)


class _Undrawn(TorchFunctionMode):
    """Skips normal draws: on tensors without data they load the compiler, over a second's work."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return args[0] if func is Tensor.normal_ else func(*args, **(kwargs or {}))


def _half(value: Tensor) -> Tensor:
    return (value.half() if value.is_floating_point() and value.ndim > 1 else value).contiguous()


def _differ(expected: Tensors, stored: Tensors, key: str) -> bool:
    kinds = (expected[key].is_floating_point(), stored[key].is_floating_point())
    return expected[key].shape != stored[key].shape or kinds[0] != kinds[1]


def _shape(tensors: Tensors, key: str) -> str:
    return f"{tensors[key].dtype} {tuple(tensors[key].shape)}" if key in tensors else "missing"


def _single(value: Tensor) -> Tensor:
    # Networks lay their convolutions out channels last; assigned weights have to be so as well.
    if value.ndim == 4:
        return value.to(torch.float32, memory_format=torch.channels_last)
    return value.float() if value.is_floating_point() else value
