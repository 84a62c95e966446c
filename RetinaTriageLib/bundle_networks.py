"""Networks of a model bundle, built from its manifest and weights: the part that needs torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from RetinaTriageLib.bundle_manifest import (
    DENSENET,
    GRADIENT_BOOSTED,
    GRAPH_SEARCH,
    RANDOM_FOREST,
    UNET,
    ClassifierEntry,
    FluidEntry,
    Manifest,
    NamerEntry,
    NetworkEntry,
    SegmenterEntry,
)
from RetinaTriageLib.bundle_weights import Tensors, decode_weights, with_weights, without_data
from RetinaTriageLib.errors import BundleError, InputError
from RetinaTriageLib.networks.boosted_classification import BoostedClassifier, BoostedConfig
from RetinaTriageLib.networks.classification import (
    ClassificationConfig,
    ClassificationNetwork,
    HeadShape,
)
from RetinaTriageLib.networks.classifier_input import ClassifierGrid
from RetinaTriageLib.networks.fluid_network import FluidConfig, FluidNetwork
from RetinaTriageLib.networks.forest_segmentation import ForestConfig, ForestSegmenter
from RetinaTriageLib.networks.graph_segmentation import GraphSearchConfig, GraphSearchSegmenter
from RetinaTriageLib.networks.joint_classification import JointNetwork
from RetinaTriageLib.networks.kinds import MapClassifier, Segmenter
from RetinaTriageLib.networks.lesion_naming import LesionNamer, LesionNamerConfig
from RetinaTriageLib.networks.patient import UNKNOWN_PATIENT, patient_vector
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork
from RetinaTriageLib.networks.trees import TreeSize

# What a configuration or its weights may raise that are not those of such a network.
UNUSABLE = (TypeError, ValueError, RuntimeError, InputError)


def segmentation_network(entry: SegmenterEntry, weights: bytes, manifest: Manifest) -> Segmenter:
    """Segmenter of the kind that its entry names, with its weights, ready to infer.

    Raises
    ------
    BundleError
        If configuration, weights and manifest do not fit one another.
    """
    try:
        network = SEGMENTERS[entry.kind](entry, decode_weights(entry, weights))
    except UNUSABLE as error:
        raise BundleError(_unusable_config(entry, error)) from error
    _require(entry, "tissue classes", network.config.classes, len(manifest.tissues))
    if isinstance(network, SegmentationNetwork):
        _require_branches(entry, network.config.branches)
    return network


def classification_network(
    entry: ClassifierEntry, weights: bytes, manifest: Manifest
) -> MapClassifier:
    """Classifier of single tissue maps, of the kind that its entry names, ready to infer.

    Raises
    ------
    BundleError
        If configuration, weights and manifest do not fit one another.
    """
    try:
        network = CLASSIFIERS[entry.kind](entry, decode_weights(entry, weights), manifest)
    except UNUSABLE as error:
        raise BundleError(_unusable_config(entry, error)) from error
    _require_answers(entry, network.config, manifest)
    if isinstance(network, BoostedClassifier):
        cells = manifest.classifier_grid.spacing_mm
        _require(entry, "grid cells in mm", network.config.cell_mm, tuple(cells))
    return network


def lesion_namer(entry: NamerEntry, weights: bytes, manifest: Manifest) -> LesionNamer:
    """Trees that name lesions, ready to infer.

    Raises
    ------
    BundleError
        If configuration, weights and manifest do not fit one another.
    """
    try:
        config, stored = LesionNamerConfig(**entry.config), decode_weights(entry, weights)
        built = without_data(lambda: LesionNamer(config, _tree_size(stored)))
        namer = with_weights(entry, built, stored)
        namer.require_sound()
    except UNUSABLE as error:
        raise BundleError(_unusable_config(entry, error)) from error
    _require(entry, "tissue classes", namer.config.classes, len(manifest.tissues))
    return namer


def fluid_network(entry: FluidEntry, weights: bytes) -> FluidNetwork:
    """Network that looks for intraretinal fluid, ready to infer.

    Raises
    ------
    BundleError
        If configuration and weights do not fit each other, or this library.
    """
    try:
        config = FluidConfig(**_tuples(entry.config))
        built = without_data(lambda: FluidNetwork(config))
        built.require_sound()
    except UNUSABLE as error:
        raise BundleError(_unusable_config(entry, error)) from error
    return with_weights(entry, built, decode_weights(entry, weights))


def joint_network(entry: ClassifierEntry, weights: bytes, manifest: Manifest) -> JointNetwork:
    """Classifier of all tissue maps together, with its weights, ready to infer.

    Raises
    ------
    BundleError
        If configuration, weights and manifest do not fit one another.
    """
    try:
        config = ClassificationConfig(**_with_heads(entry.config))
        network = without_data(lambda: JointNetwork(config))
    except UNUSABLE as error:
        raise BundleError(_unusable_config(entry, error)) from error
    _require_answers(entry, config, manifest)
    return with_weights(entry, network, decode_weights(entry, weights))


def classifier_grid(manifest: Manifest) -> ClassifierGrid:
    """Grid on which the classifiers of a bundle see tissue maps."""
    grid = manifest.classifier_grid
    return ClassifierGrid(spacing_mm=grid.spacing_mm, shape=grid.shape)


def _unet(entry: SegmenterEntry, stored: Tensors) -> SegmentationNetwork:
    config = SegmentationConfig(**_tuples(entry.config))
    return with_weights(entry, without_data(lambda: SegmentationNetwork(config)), stored)


def _forest(entry: SegmenterEntry, stored: Tensors) -> ForestSegmenter:
    config = ForestConfig(**_tuples(entry.config))
    built = without_data(lambda: ForestSegmenter(config, _tree_size(stored)))
    network = with_weights(entry, built, stored)
    network.require_sound()
    return network


def _graph_search(entry: SegmenterEntry, stored: Tensors) -> GraphSearchSegmenter:
    config = GraphSearchConfig(**_tuples(entry.config))
    return with_weights(entry, without_data(lambda: GraphSearchSegmenter(config)), stored)


def _densenet(entry: ClassifierEntry, stored: Tensors, _: Manifest) -> ClassificationNetwork:
    config = ClassificationConfig(**_with_heads(entry.config))
    return with_weights(entry, without_data(lambda: ClassificationNetwork(config)), stored)


def _boosted(entry: ClassifierEntry, stored: Tensors, manifest: Manifest) -> BoostedClassifier:
    config = BoostedConfig(**_with_heads(entry.config))
    built = without_data(lambda: BoostedClassifier(config, _tree_size(stored), manifest.tissues))
    network = with_weights(entry, built, stored)
    network.require_sound()
    return network


SEGMENTERS: Mapping[str, Callable[[SegmenterEntry, Tensors], Segmenter]] = {
    UNET: _unet,
    RANDOM_FOREST: _forest,
    GRAPH_SEARCH: _graph_search,
}

CLASSIFIERS: Mapping[str, Callable[[ClassifierEntry, Tensors, Manifest], MapClassifier]] = {
    DENSENET: _densenet,
    GRADIENT_BOOSTED: _boosted,
}


def _tree_size(stored: Tensors) -> TreeSize:
    """Size of stored trees; none where there are no trees, which then do not fit."""
    sizes = [
        stored[name].numel() if name in stored else 0 for name in ("trees.feature", "trees.root")
    ]
    return TreeSize(*sizes)


def _with_heads(config: Mapping[str, Any]) -> dict[str, Any]:
    fields = _tuples(config)
    if "heads" in fields:
        fields["heads"] = tuple(HeadShape(*head) for head in fields["heads"])
    return fields


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _tuple(value) for key, value in fields.items()}


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


def _unusable_config(entry: NetworkEntry, error: Exception) -> str:
    return (
        f"Found a configuration of {entry.name} that makes no {entry.kind} network ({error}); "
        "expected the fields that this version knows. Update RetinaTriage, or ask the author."
    )


def _require_answers(
    entry: ClassifierEntry, config: ClassificationConfig | BoostedConfig, manifest: Manifest
) -> None:
    """Refuse a classifier that sees or answers something else than the manifest declares."""
    _require(entry, "tissue classes", config.grid_classes, len(manifest.tissues))
    features = patient_vector(UNKNOWN_PATIENT).size
    _require(entry, "patient features", config.patient_features, features)
    heads = [(head.name, len(head.outcomes), head.exclusive) for head in manifest.heads]
    _require(entry, "heads", [tuple(head) for head in config.heads], heads)


def _require_branches(entry: SegmenterEntry, branches: tuple[str, ...]) -> None:
    wanted = {*entry.branches.values(), entry.default_branch}
    if not wanted <= set(branches):
        msg = (
            f"Found scanner branches {sorted(wanted)} for {entry.name} in bundle.json; its network "
            f"has {sorted(branches)}. Correct the branches and write the bundle again."
        )
        raise BundleError(msg)


def _require(entry: NetworkEntry, what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        msg = (
            f"Found {entry.name} with {what} {found}; bundle.json declares {wanted}. "
            "Write the bundle again with the vocabulary of its networks."
        )
        raise BundleError(msg)
