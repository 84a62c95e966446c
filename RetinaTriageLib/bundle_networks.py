"""Networks of a model bundle, built from its manifest and weights: the part that needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from RetinaTriageLib.bundle_manifest import ClassifierEntry, Manifest, SegmenterEntry
from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.networks.classification import (
    ClassificationConfig,
    ClassificationNetwork,
    HeadShape,
)
from RetinaTriageLib.networks.classifier_input import ClassifierGrid
from RetinaTriageLib.networks.patient import UNKNOWN_PATIENT, patient_vector
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork

Network = TypeVar("Network", bound=nn.Module)


def segmentation_network(
    entry: SegmenterEntry, weights: bytes, manifest: Manifest
) -> SegmentationNetwork:
    """Segmentation network with its weights, in single precision, ready to infer.

    Raises
    ------
    BundleError
        If configuration, weights and manifest do not fit one another.
    """
    try:
        config = SegmentationConfig(**_tuples(entry.config))
        with torch.device("meta"), _Undrawn():  # weights come next
            network = SegmentationNetwork(config)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BundleError(_unusable_config(entry, error)) from error
    _require(entry, "tissue classes", config.classes, len(manifest.tissues))
    wanted = {*entry.branches.values(), entry.default_branch}
    if not wanted <= set(config.branches):
        msg = (
            f"Found scanner branches {sorted(wanted)} for {entry.name} in bundle.json; its network "
            f"has {sorted(config.branches)}. Correct the branches and write the bundle again."
        )
        raise BundleError(msg)
    return _with_weights(entry, network, weights)


def classification_network(
    entry: ClassifierEntry, weights: bytes, manifest: Manifest
) -> ClassificationNetwork:
    """Classification network with its weights, in single precision, ready to infer.

    Raises
    ------
    BundleError
        If configuration, weights and manifest do not fit one another.
    """
    fields = _tuples(entry.config)
    try:
        if "heads" in fields:
            fields["heads"] = tuple(HeadShape(*head) for head in fields["heads"])
        config = ClassificationConfig(**fields)
        with torch.device("meta"), _Undrawn():
            network = ClassificationNetwork(config)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BundleError(_unusable_config(entry, error)) from error
    _require(entry, "tissue classes", config.grid_classes, len(manifest.tissues))
    features = patient_vector(UNKNOWN_PATIENT).size
    _require(entry, "patient features", config.patient_features, features)
    heads = [(head.name, len(head.outcomes), head.exclusive) for head in manifest.heads]
    _require(entry, "heads", [tuple(head) for head in config.heads], heads)
    return _with_weights(entry, network, weights)


def classifier_grid(manifest: Manifest) -> ClassifierGrid:
    """Grid on which the classifiers of a bundle see tissue maps."""
    grid = manifest.classifier_grid
    return ClassifierGrid(spacing_mm=grid.spacing_mm, shape=grid.shape)


def encode_weights(name: str, tensors: Mapping[str, Tensor]) -> bytes:
    """Weights as safetensors: matrices in half precision, vectors as they are.

    Vectors are the statistics of batch normalization, which half precision may overflow, and
    biases; together they are under 1 % of the bytes.

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


def _with_weights(
    entry: SegmenterEntry | ClassifierEntry, network: Network, weights: bytes
) -> Network:
    try:
        stored = safetensors.torch.load(weights)
    except SafetensorError as error:
        msg = (
            f"Found {entry.file}, which is no safetensors file ({error}); expected the weights of "
            f"{entry.name}. Get the bundle again from its source."
        )
        raise BundleError(msg) from error
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


def _differ(expected: Mapping[str, Tensor], stored: Mapping[str, Tensor], key: str) -> bool:
    kinds = (expected[key].is_floating_point(), stored[key].is_floating_point())
    return expected[key].shape != stored[key].shape or kinds[0] != kinds[1]


def _shape(tensors: Mapping[str, Tensor], key: str) -> str:
    return f"{tensors[key].dtype} {tuple(tensors[key].shape)}" if key in tensors else "missing"


def _single(value: Tensor) -> Tensor:
    # Networks lay their convolutions out channels last; assigned weights have to be so as well.
    if value.ndim == 4:
        return value.to(torch.float32, memory_format=torch.channels_last)
    return value.float() if value.is_floating_point() else value


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _tuple(value) for key, value in fields.items()}


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


def _unusable_config(entry: SegmenterEntry | ClassifierEntry, error: Exception) -> str:
    return (
        f"Found a configuration of {entry.name} that makes no {entry.kind} network ({error}); "
        "expected the fields that this version knows. Update RetinaTriage, or ask the author."
    )


def _require(entry: SegmenterEntry | ClassifierEntry, what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        msg = (
            f"Found {entry.name} with {what} {found}; bundle.json declares {wanted}. "
            "Write the bundle again with the vocabulary of its networks."
        )
        raise BundleError(msg)
