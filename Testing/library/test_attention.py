from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_image_bundle import example_network

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.attention import (
    AttentionPlan,
    Volumes,
    pooled,
    train_attention,
    volume_truth,
    volumes_of,
)
from RetinaTriageLib.training.image_sets import LabeledImage
from RetinaTriageLib.training.image_store import ImageStore


def volumes(features: int, count: int, seed: int) -> Volumes:
    """Volumes of 6 B-scans; the first feature tells the one of them that is to be believed."""
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=(count * 6, features)).astype(np.float32)
    scores = rng.uniform(0, 1, (count * 6, 3)).astype(np.float32)
    truth = np.zeros((count, 3), np.bool_)
    for number in range(count):
        told, shown = number * 6 + int(rng.integers(6)), int(rng.integers(3))
        seen[told, 0] += 6
        scores[told] = 0.05
        scores[told, shown] = 0.95
        truth[number, shown] = True
    members = tuple(torch.arange(number * 6, number * 6 + 6) for number in range(count))
    return Volumes(torch.from_numpy(seen), torch.from_numpy(scores), members, truth)


def right(found: torch.Tensor, truth: np.ndarray) -> float:
    return float((found.argmax(dim=1).numpy() == truth.argmax(axis=1)).mean())


def test_attention_learns_which_bscan_tells_most() -> None:
    network = example_network()
    width = network.head.in_features
    train_attention(network, volumes(width, 60, seed=1), AttentionPlan(hidden=4))
    fresh = volumes(width, 60, seed=2)
    with torch.inference_mode():
        found = pooled(network, fresh)
    mean = torch.stack([fresh.scores[own].mean(dim=0) for own in fresh.members])
    assert right(found, fresh.truth) > 0.95 > right(mean, fresh.truth)


def test_nothing_but_attention_changes() -> None:
    network = example_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    train_attention(network, volumes(network.head.in_features, 8, seed=1), AttentionPlan(hidden=4))
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())
    assert network.config.attention == 4


def test_a_volume_is_normal_only_if_all_of_it_is() -> None:
    bscans = np.array([[False, True], [False, True]])
    assert volume_truth(bscans, ("cnv", "normal"), ("normal",)).tolist() == [False, True]
    bscans[0] = [True, False]
    assert volume_truth(bscans, ("cnv", "normal"), ("normal",)).tolist() == [True, False]


def test_pictures_without_a_volume_are_refused() -> None:
    image = LabeledImage(Path("a.png"), "a.png", (True, False, False), "anna")
    with pytest.raises(InputError, match="column scan"):
        volumes_of(example_network(), [image], ImageStore((16, 24)), ())


def test_volumes_are_told_by_their_scan(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    image = LabeledImage(tmp_path / "a.png", "a.png", (True, False, False), "anna", "one")
    others = [replace(image, present=(False, False, True)), replace(image, scan="two")]
    found = volumes_of(example_network(), [image, *others], ImageStore((16, 24)), ("NORMAL",))
    assert [own.tolist() for own in found.members] == [[0, 1], [2]]
    assert found.truth.tolist() == [[True, False, False]] * 2
