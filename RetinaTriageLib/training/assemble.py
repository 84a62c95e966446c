"""From training runs to a model bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as dataclass_fields
from pathlib import Path

from torch import Tensor

from RetinaTriageLib.bundle import Bundle, save_bundle
from RetinaTriageLib.bundle_manifest import (
    DENSENET,
    FLUID_NETWORK,
    LESION_NAMER,
    UNET,
    ClassifierEntry,
    FluidEntry,
    GridSpec,
    Manifest,
    Measured,
    NamerEntry,
    SegmenterEntry,
    SpacingLimits,
)
from RetinaTriageLib.calibration import IDENTITY, Calibration
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.classifier_input import DEFAULT_GRID
from RetinaTriageLib.networks.inference_weights import round_for_inference
from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.trained_segmenter import trained_segmenter


@dataclass(frozen=True)
class BundleFacts:
    """What only its maker knows about a bundle."""

    name: str
    version: str
    license: str
    description: str
    trained_on: str
    trained_on_phantoms_only: bool
    default_branch: str = "spectralis"
    measured: tuple[Measured, ...] = ()
    spacing_limits_mm: SpacingLimits | None = None


def assemble_bundle(
    folder: Path,
    facts: BundleFacts,
    segmenters: Mapping[str, Path],
    classifiers: Mapping[str, Path],
    model_card: str,
    calibration: Calibration = IDENTITY,
    *,
    lesion_namer: Path | None = None,
    fluid_network: Path | None = None,
) -> Bundle:
    """Write a bundle of trained weights, those of U-Nets rounded as inference uses them.

    Parameters
    ----------
    folder : where to write; must not exist
    segmenters, classifiers : name of the network to ``best.safetensors`` of its training run,
        which says what kind of network it is
    lesion_namer, fluid_network : ``best.safetensors`` of what finishes the maps

    Raises
    ------
    InputError
        If a file is not of a training run, or holds other weights than it says.
    BundleError, OutputError
        If the parts do not fit one another, or the folder cannot be written.
    """
    weights: dict[str, Mapping[str, Tensor]] = {}
    segmenter_entries, classifier_entries = [], []
    for name, path in segmenters.items():
        weights[name], header = _trained(path)
        config, kind = json.loads(header["config"]), header.get("kind", UNET)
        if kind == UNET:
            network = trained_segmenter(path, weights[name], header)
            round_for_inference(network)
            weights[name] = network.state_dict()
        families = {str(branch): str(branch) for branch in config.get("branches", ())}
        default = facts.default_branch if families else ""
        segmenter_entries.append(SegmenterEntry(name, config, families, default, kind))
    for name, path in classifiers.items():
        weights[name], header = _trained(path)
        config, kind = json.loads(header["config"]), header.get("kind", DENSENET)
        classifier_entries.append(ClassifierEntry(name, config, kind))
    namer_entry = None
    if lesion_namer is not None:
        weights[LESION_NAMER], header = _trained(lesion_namer)
        namer_entry = NamerEntry(LESION_NAMER, json.loads(header["config"]))
    fluid_entry = None
    if fluid_network is not None:
        weights[FLUID_NETWORK], header = _trained(fluid_network)
        fluid_entry = FluidEntry(FLUID_NETWORK, json.loads(header["config"]))
    manifest = Manifest(
        name=facts.name,
        version=facts.version,
        license=facts.license,
        description=facts.description,
        trained_on=facts.trained_on,
        trained_on_phantoms_only=facts.trained_on_phantoms_only,
        segmenters=tuple(segmenter_entries),
        classifiers=tuple(classifier_entries),
        classifier_grid=GridSpec(**asdict(DEFAULT_GRID)),
        calibration=calibration,
        measured=facts.measured,
        spacing_limits_mm=facts.spacing_limits_mm,
        lesion_namer=namer_entry,
        fluid_network=fluid_entry,
    )
    return save_bundle(folder, manifest, weights, model_card)


def facts_from_json(text: str) -> BundleFacts:
    """Facts from JSON: the fields of `BundleFacts`, lists of ``measured`` and limits as objects.

    Raises
    ------
    InputError
        If the text is no JSON object, or lacks or adds a field.
    """
    try:
        fields = json.loads(text)
        fields["measured"] = tuple(Measured(**row) for row in fields.get("measured", ()))
        limits = fields.get("spacing_limits_mm")
        if limits is not None:
            pairs = {axis: (float(low), float(high)) for axis, (low, high) in limits.items()}
            fields["spacing_limits_mm"] = SpacingLimits(**pairs)
        return BundleFacts(**fields)
    except (ValueError, TypeError, AttributeError) as error:
        expected = ", ".join(field.name for field in dataclass_fields(BundleFacts))
        msg = f"Found facts that cannot be used ({error}); expected a JSON object of {expected}."
        raise InputError(msg) from error


def _trained(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights of a file and its header, which states the configuration of their network."""
    tensors, header = read_tensors(path)
    if "config" not in header:
        msg = f"{path} does not say what network it is of; choose best.safetensors of a run."
        raise InputError(msg)
    return tensors, header
