"""What a GPU finds is what the processor finds; skipped where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from example_bundle import example_bundle

from RetinaTriageLib import OCTVolume
from RetinaTriageLib.bundle import Bundle
from RetinaTriageLib.inference.compute import Compute
from RetinaTriageLib.inference.ensemble import EnsembleOutput, run_ensemble
from RetinaTriageLib.networks.classifier_input import ClassifierInput
from RetinaTriageLib.volume import DeviceFamily, VoxelSpacing

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="found no NVIDIA GPU")

CPU = Compute("cpu", "float32", 1, "test CPU")
GPU = Compute("cuda", "float32", 1, "test GPU")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder: Path = tmp_path_factory.mktemp("bundle")
    return example_bundle(folder / "bundle", segmenters=3, classifiers=2)


def example_volume() -> OCTVolume:
    voxels = np.random.default_rng(3).integers(0, 255, (9, 64, 48), dtype=np.uint8)
    spacing = VoxelSpacing(bscan_mm=0.1, depth_mm=0.004, width_mm=0.02)
    return OCTVolume(voxels, spacing, device=DeviceFamily.CIRRUS)


def assert_alike(found: EnsembleOutput, expected: EnsembleOutput) -> None:
    for ours, theirs in zip(found.tissue_maps, expected.tissue_maps, strict=True):
        assert (ours == theirs).mean() > 0.999
    assert (found.consensus == expected.consensus).mean() > 0.999
    for ours, theirs in zip(sum(found.opinions, ()), sum(expected.opinions, ()), strict=True):
        for head in theirs.scores:
            np.testing.assert_allclose(ours.scores[head], theirs.scores[head], atol=0.005)


@pytest.mark.parametrize("source", ClassifierInput)
def test_gpu_finds_what_the_processor_finds(bundle: Bundle, source: ClassifierInput) -> None:
    volume = example_volume()
    found, expected = (
        run_ensemble(volume, bundle, compute=compute, classifier_input=source)
        for compute in (GPU, CPU)
    )
    assert_alike(found, expected)


def test_small_slabs_of_a_gpu_find_the_same(bundle: Bundle) -> None:
    volume = example_volume()
    found, expected = (
        run_ensemble(volume, bundle, compute=GPU, slab_bscans=slab) for slab in (2, None)
    )
    assert_alike(found, expected)
