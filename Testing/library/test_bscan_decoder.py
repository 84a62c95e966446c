from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from example_bundle import random_network
from example_image_bundle import CLASSES, ENCODER_SHAPE, SIZE, example_image_manifest
from example_transfer import pictures, tiny_plan

from RetinaTriageLib.bundle_images import write_image_bundle
from RetinaTriageLib.image_classes import Evidence, Head
from RetinaTriageLib.networks.bscan import DECODER, BscanConfig, BscanNetwork
from RetinaTriageLib.networks.bscan_backbones import encoder_config
from RetinaTriageLib.networks.bscan_decoder import DecoderBackbone
from RetinaTriageLib.networks.gray import CENTER, SPREAD
from RetinaTriageLib.networks.segmentation import (
    SegmentationConfig,
    SegmentationNetwork,
    unfold_depth,
)
from RetinaTriageLib.training.image_sets import presence
from RetinaTriageLib.training.transfer_figures import class_figures
from RetinaTriageLib.training.transfer_plan import Splitting, single_split
from RetinaTriageLib.training.transfer_run import TransferTraining

NAMES = tuple(found.name for found in CLASSES)
SOURCE = SegmentationConfig(channels=(2, 4, 6), slice_levels=(), branches=("cirrus", "topcon"))


def decoded_network() -> BscanNetwork:
    network = BscanNetwork(
        BscanConfig(DECODER, NAMES, Head.SOFTMAX, SIZE, ENCODER_SHAPE, evidence=Evidence.PLACES)
    )
    random_network(network, 0)
    return network.eval()


def test_last_features_give_the_scores_of_the_segmentation_network() -> None:
    source = SegmentationNetwork(SOURCE)
    random_network(source, 1)
    source.eval()
    backbone = DecoderBackbone(encoder_config(SOURCE, "topcon"), Evidence.PLACES).eval()
    backbone.take_weights(source, "topcon")
    image = torch.rand(1, 24, 20)  # neither can be halved at every level
    head = torch.nn.functional.linear(
        backbone(image), source.head.weight[:, :, 0, 0], source.head.bias
    )
    scores = source(((image - CENTER) / SPREAD)[None], "topcon")[0, :, 0]  # (class, 24, 20)
    of_first_place = unfold_depth(head[0, 0].reshape(1, -1, 1, 1)).mean(dim=(2, 3))[0]
    assert torch.allclose(of_first_place, scores[:, :8, :8].mean(dim=(1, 2)), atol=1e-4)


def test_places_are_eight_pixels_wide_and_cover_the_picture() -> None:
    backbone = DecoderBackbone(ENCODER_SHAPE, Evidence.PLACES).eval()
    assert backbone(torch.rand(2, 20, 24)).shape == (2, 3 * 3, backbone.features)


def test_pooled_features_are_as_many_as_stated() -> None:
    backbone = DecoderBackbone(ENCODER_SHAPE).eval()
    assert backbone(torch.rand(2, 20, 24)).shape == (2, backbone.features)


def test_every_layer_of_the_decoder_is_in_a_stage() -> None:
    backbone = decoded_network().backbone
    named = {key for _, keys in backbone.stages() for key in keys}
    assert named == {name for name, _ in backbone.named_parameters()}
    assert backbone.stages()[-1][0] == "decoder.level0"


def test_bundle_keeps_a_decoder(tmp_path: Path) -> None:
    network, images = decoded_network(), torch.rand(2, *SIZE)
    bundle = write_image_bundle(
        tmp_path / "bundle", example_image_manifest(), {"network1": network}, "# Example\n"
    )
    (stored,) = bundle.networks()
    with torch.inference_mode():
        assert torch.allclose(stored(images), network(images), atol=0.01)  # stored in 16 bits


def test_decoder_learns_bright_from_dark(tmp_path: Path) -> None:
    found = pictures(tmp_path / "set")
    plan = tiny_plan(tmp_path)
    plan = replace(plan, source=replace(plan.source, backbone=DECODER), evidence=Evidence.PLACES)
    parts = single_split(found.images, Splitting(held_out_share=0.25, test_share=0.25))
    _, scores = TransferTraining(found, plan, tmp_path / "cache").train(parts, tmp_path / "run")
    assert class_figures(scores, presence(parts.test), plan.head)["auc"] == 1
