from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from RetinaTriageLib.training.augment import AugmentationPlan
from RetinaTriageLib.training.processes import Processes
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.stack_batches import CropSize, StackSource

COUNT = 4


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number in range(8):
        image = rng.integers(0, 255, (1, 24, 24), dtype=np.uint8)
        np.savez(tmp_path / f"{number}.npz", image=image, codes=image // 64)
    return tmp_path


def source(data: Path) -> StackSource:
    """A source of its own, as every process has."""
    return StackSource((Folder(data),), (CropSize(1, 24, 24),), AugmentationPlan(), seed=3)


def own_images(data: Path, rank: int, iterations: int, count: int = COUNT) -> list[torch.Tensor]:
    stacks, place = source(data), Processes(rank, count)
    return [stacks.batch(place.own_batch(iteration)).images for iteration in range(iterations)]


def test_no_process_sees_the_samples_of_another(data: Path) -> None:
    shards = [own_images(data, rank, 3) for rank in range(COUNT)]
    images = [image for shard in shards for image in shard]
    equal = [
        (a, b)
        for a in range(len(images))
        for b in range(a)
        if images[a].shape == images[b].shape and torch.equal(images[a], images[b])
    ]
    assert equal == []


def test_processes_together_see_what_one_sees_in_more_iterations(data: Path) -> None:
    shards = [own_images(data, rank, 2) for rank in range(COUNT)]
    together = [shards[rank][iteration] for iteration in range(2) for rank in range(COUNT)]
    alone = own_images(data, 0, 2 * COUNT, count=1)
    assert all(torch.equal(a, b) for a, b in zip(together, alone, strict=True))
