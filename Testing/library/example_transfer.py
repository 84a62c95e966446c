"""Transfer learning small enough for a test: a tiny encoder and pictures of 16 x 16 pixels."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from example_pictures import write_pictures

from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork
from RetinaTriageLib.training.checkpoints import save_weights
from RetinaTriageLib.training.image_patients import PatientRule
from RetinaTriageLib.training.image_sets import ImageSet, class_folders
from RetinaTriageLib.training.transfer_backbone import BackboneSource
from RetinaTriageLib.training.transfer_plan import OPTIMIZATION, TransferPlan

PATTERN = r"([DB]\d+)-"
SHAPE = SegmentationConfig(
    classes=3, channels=(2, 4, 4), slice_levels=(1,), branches=("spectralis",)
)


def pictures(folder: Path, patients: int = 6) -> ImageSet:
    return class_folders(write_pictures(folder, patients), PatientRule(PATTERN))


def segmentation_weights(path: Path) -> Path:
    torch.manual_seed(1)
    save_weights(path, SegmentationNetwork(SHAPE), {"config": json.dumps(asdict(SHAPE))})
    return path


def tiny_plan(folder: Path, iterations: int = 30) -> TransferPlan:
    weights = segmentation_weights(folder / "segmenter.safetensors")
    return TransferPlan(
        BackboneSource(weights=str(weights)),
        size=(16, 16),
        optimization=replace(
            OPTIMIZATION, iterations=iterations, learning_rate=0.05, validate_iterations=10
        ),
        copies=2,
        batch_size=4,
    )


def counting(function: Callable[..., object], calls: list[int]) -> Callable[..., object]:
    """Function that also notes how many pictures it was given."""

    def counted(images: torch.Tensor) -> object:
        calls.append(len(images))
        return function(images)

    return counted
