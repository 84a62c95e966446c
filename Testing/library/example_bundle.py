"""Tiny bundles with random weights, made fresh for each test."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from RetinaTriageLib.bundle import Bundle, save_bundle
from RetinaTriageLib.bundle_manifest import ClassifierEntry, GridSpec, Manifest, SegmenterEntry
from RetinaTriageLib.networks.classification import ClassificationConfig, ClassificationNetwork
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork

SEGMENTATION = SegmentationConfig(
    channels=(4, 8), slice_levels=(1,), branches=("spectralis", "cirrus")
)
CLASSIFICATION = ClassificationConfig(growth=2, blocks=(1,))


def random_network(network: nn.Module, seed: int) -> nn.Module:
    """The network with weights and batch statistics that depend on the seed alone."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.3)
        if name.endswith("running_var"):
            value.abs_().add_(0.5)
    return network.eval()


def example_manifest(segmenters: int = 1, classifiers: int = 1) -> Manifest:
    return Manifest(
        name="example",
        version="1.0",
        license="Apache-2.0",
        description="Random weights for tests.",
        trained_on="Trained on nothing.",
        trained_on_phantoms_only=True,
        segmenters=tuple(
            SegmenterEntry(
                f"segmenter{number}",
                asdict(SEGMENTATION),
                branches={"spectralis": "spectralis", "cirrus": "cirrus"},
                default_branch="spectralis",
            )
            for number in range(segmenters)
        ),
        classifiers=tuple(
            ClassifierEntry(f"classifier{number}", asdict(CLASSIFICATION))
            for number in range(classifiers)
        ),
        classifier_grid=GridSpec(shape=(4, 16, 16), spacing_mm=(0.24, 0.016, 0.048)),
    )


def example_weights(manifest: Manifest) -> dict[str, dict[str, torch.Tensor]]:
    networks: dict[str, nn.Module] = {}
    for number, entry in enumerate(manifest.segmenters):
        networks[entry.name] = random_network(SegmentationNetwork(SEGMENTATION), number)
    for number, entry in enumerate(manifest.classifiers):
        network = ClassificationNetwork(CLASSIFICATION)
        networks[entry.name] = random_network(network, 100 + number)
    return {name: network.state_dict() for name, network in networks.items()}


def example_bundle(folder: Path, segmenters: int = 1, classifiers: int = 1) -> Bundle:
    manifest = example_manifest(segmenters, classifiers)
    return save_bundle(folder, manifest, example_weights(manifest), "# Example\n\nFor tests.\n")


def rewrite_manifest(folder: Path, **changes: object) -> Path:
    """Write a bundle's ``bundle.json`` with other fields; returns its folder."""
    path = folder / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return folder
