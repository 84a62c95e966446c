from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from example_bundle import random_network
from example_image_bundle import CLASSES, ENCODER_SHAPE, SIZE, example_image_manifest
from example_transfer import pictures, tiny_plan

from RetinaTriageLib.bundle_images import write_image_bundle
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Evidence, Head
from RetinaTriageLib.networks.bscan import ENCODER, BscanConfig, BscanNetwork, over_places
from RetinaTriageLib.training.image_sets import presence
from RetinaTriageLib.training.image_store import ImageStore
from RetinaTriageLib.training.transfer_figures import class_figures
from RetinaTriageLib.training.transfer_plan import Splitting, single_split
from RetinaTriageLib.training.transfer_run import TransferTraining

NAMES = tuple(found.name for found in CLASSES)
HALVES = Splitting(held_out_share=0.25, test_share=0.25)


def placed_network() -> BscanNetwork:
    config = BscanConfig(
        ENCODER, NAMES, Head.SOFTMAX, SIZE, ENCODER_SHAPE, evidence=Evidence.PLACES
    )
    network = BscanNetwork(config)
    random_network(network, 0)
    return network.eval()


def test_one_telling_place_outweighs_many_silent_ones() -> None:
    places = torch.full((1, 100, 1), -2.0)
    places[0, 7] = 6.0
    assert over_places(places).item() > 4
    assert places.mean().item() < 0


def test_every_place_has_features_of_its_own() -> None:
    network = placed_network()
    features = network.backbone(torch.rand(2, *SIZE))
    assert features.shape == (2, SIZE[0] // 2 * SIZE[1], network.head.in_features)
    assert network(torch.rand(2, *SIZE)).shape == (2, len(NAMES))


def test_a_bundle_keeps_what_its_scores_rest_on(tmp_path: Path) -> None:
    network, images = placed_network(), torch.rand(2, *SIZE)
    bundle = write_image_bundle(
        tmp_path / "bundle", example_image_manifest(), {"network1": network}, "# Example\n"
    )
    (stored,) = bundle.networks()
    assert stored.config.evidence is Evidence.PLACES
    with torch.inference_mode():
        assert torch.allclose(stored(images), network(images), atol=0.01)  # stored in 16 bits


def test_places_need_the_own_encoder() -> None:
    with pytest.raises(InputError, match="evidence of the whole picture"):
        BscanConfig("timm:resnet18", NAMES, Head.SOFTMAX, SIZE, evidence=Evidence.PLACES)


@pytest.mark.parametrize("unfreeze_from", [None, "encoder.level2"])
def test_places_learn_bright_from_dark(tmp_path: Path, unfreeze_from: str | None) -> None:
    found = pictures(tmp_path / "set")
    plan = replace(tiny_plan(tmp_path), evidence=Evidence.PLACES, unfreeze_from=unfreeze_from)
    parts = single_split(found.images, HALVES)
    network, scores = TransferTraining(found, plan, tmp_path / "cache").train(
        parts, tmp_path / "run"
    )
    assert class_figures(scores, presence(parts.test), plan.head)["auc"] == 1
    with torch.inference_mode():
        alone = network.probabilities(network(ImageStore(plan.size).batch(parts.test)))
    assert torch.allclose(alone.double(), torch.from_numpy(scores), atol=0.05)
