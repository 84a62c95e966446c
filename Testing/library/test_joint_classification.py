from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from example_bundle import CLASSIFICATION, random_network
from test_classification_loop import PLAN, healthy_and_wet

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.classification import ClassificationNetwork
from RetinaTriageLib.networks.joint_classification import JointNetwork, mean_and_deviation
from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.classification_loop import train_classification

NOBODY = torch.zeros(1, 6)


def drawn_maps(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, count, 15, 3, 16, 16, generator=generator)


@torch.inference_mode()
def referral(network: JointNetwork, maps: torch.Tensor) -> torch.Tensor:
    return network.eval()(maps, NOBODY)["referral"]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_maps_gets_one_opinion(count: int) -> None:
    assert referral(JointNetwork(CLASSIFICATION), drawn_maps(count)).shape == (1, 4)


def test_order_of_the_maps_does_not_matter() -> None:
    network, maps = random_network(JointNetwork(CLASSIFICATION), 3), drawn_maps(3)
    torch.testing.assert_close(referral(network, maps), referral(network, maps.flip(1)))


def test_disagreement_is_seen_beside_the_mean() -> None:
    maps = drawn_maps(2)
    agreed = maps.mean(dim=1, keepdim=True)
    assert not mean_and_deviation(agreed)[:, 15:].any()
    torch.testing.assert_close(mean_and_deviation(maps)[:, :15], agreed[:, 0])
    network = random_network(JointNetwork(CLASSIFICATION), 3)
    assert not torch.allclose(referral(network, maps), referral(network, agreed))


def test_network_begins_as_the_one_it_was_made_like() -> None:
    single = random_network(ClassificationNetwork(CLASSIFICATION), 5)
    joint = JointNetwork(CLASSIFICATION, like=single)
    maps = drawn_maps(1)
    with torch.inference_mode():
        expected = single(maps[:, 0], NOBODY)["referral"]
    torch.testing.assert_close(referral(joint, maps), expected)


def test_single_map_without_its_axis_is_refused() -> None:
    with pytest.raises(InputError, match="stack the maps"):
        JointNetwork(CLASSIFICATION)(drawn_maps(1)[0], NOBODY)


def test_training_command_trains_the_joint_kind(tmp_path: Path) -> None:
    folder = healthy_and_wet(tmp_path / "maps")
    plan = replace(PLAN, joint_maps=2)
    state = train_classification(plan, [folder], tmp_path / "run")
    assert state.iteration == PLAN.optimization.iterations
    _, header = read_tensors(tmp_path / "run" / "final.safetensors")
    assert header["kind"] == "joint"
