import importlib.util

import pytest
import torch
from example_bundle import random_network
from example_image_bundle import ENCODER_SHAPE, example_network

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Head
from RetinaTriageLib.networks.bscan import BscanConfig, BscanNetwork
from RetinaTriageLib.networks.bscan_backbones import EncoderBackbone, encoder_config
from RetinaTriageLib.networks.gray import CENTER, SPREAD
from RetinaTriageLib.networks.segmentation import (
    SegmentationConfig,
    SegmentationNetwork,
    fold_depth,
)

SOURCE = SegmentationConfig(channels=(2, 4, 6), slice_levels=(1, 2), branches=("cirrus", "topcon"))


def source_network() -> SegmentationNetwork:
    network = SegmentationNetwork(SOURCE)
    random_network(network, 1)
    return network


def backbone_of(source: SegmentationNetwork) -> EncoderBackbone:
    backbone = EncoderBackbone(encoder_config(SOURCE, "topcon"))
    backbone.take_weights(source, "topcon")
    return backbone.eval()


def test_encoder_features_are_those_of_the_middle_of_equal_bscans() -> None:
    source = source_network()
    image = torch.rand(1, 16, 16)
    bscans = ((image - CENTER) / SPREAD).expand(7, -1, -1)
    x = source.branches["topcon"](fold_depth(bscans))
    levels = [x := level(x, 7) for level in source.encoder.values()]
    means = torch.cat([level[3].mean(dim=(1, 2)) for level in levels])
    features = backbone_of(source)(image)[0]
    assert torch.allclose(features[: means.numel()], means, rtol=1e-4, atol=1e-4)


def test_backbone_of_another_shape_takes_no_weights() -> None:
    with pytest.raises(InputError, match="encoder_config"):
        EncoderBackbone(ENCODER_SHAPE).take_weights(source_network(), "topcon")


def test_frozen_backbone_leaves_the_head_alone_to_learn() -> None:
    network = example_network()
    network.learn_last(0)
    learning = [name for name, value in network.named_parameters() if value.requires_grad]
    assert learning == ["head.weight", "head.bias"]


def test_frozen_layers_keep_their_statistics_in_training() -> None:
    network = example_network()
    network.learn_last(1)
    network.train()
    before = {name: value.clone() for name, value in network.backbone.named_buffers()}
    network(torch.rand(4, 16, 24))
    changed = {
        name.split(".")[0]
        for name, value in network.backbone.named_buffers()
        if not torch.equal(value, before[name])
    }
    assert changed == {"encoder"}


def test_every_stage_can_learn() -> None:
    network = example_network()
    network.learn_last(len(network.stages()))
    assert all(value.requires_grad for value in network.parameters())


def test_more_stages_than_there_are_is_an_error() -> None:
    with pytest.raises(InputError, match="0 to 2"):
        example_network().learn_last(3)


def test_softmax_probabilities_add_up_to_one_and_binary_ones_need_not() -> None:
    scores = torch.tensor([[2.0, 2.0, 2.0]])
    assert example_network().probabilities(scores).sum() == pytest.approx(1)
    assert example_network(Head.BINARY).probabilities(scores).sum() > 2


def test_unknown_backbone_names_what_is_known() -> None:
    with pytest.raises(InputError, match="timm:inception_v3"):
        BscanConfig("resnet", ("a", "b"), Head.SOFTMAX, (16, 16))


@pytest.mark.skipif(importlib.util.find_spec("timm") is not None, reason="timm is installed")
def test_missing_timm_names_the_command_that_installs_it() -> None:
    with pytest.raises(InputError, match=r"pip install 'retina-triage\[transfer\]'"):
        BscanNetwork(BscanConfig("timm:resnet18", ("a", "b"), Head.SOFTMAX, (32, 32)))


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is not installed")
@pytest.mark.parametrize(
    "name",
    [
        "inception_v3",
        "resnet18",
        "densenet121",
        "efficientnet_b0",
        "mobilenetv3_small_100",
        "vit_tiny_patch16_224",
    ],
)
def test_backbones_of_timm_give_the_features_that_they_say(name: str) -> None:
    network = BscanNetwork(BscanConfig(f"timm:{name}", ("a", "b"), Head.SOFTMAX, (96, 96))).eval()
    assert network.backbone(torch.rand(1, 96, 96)).shape == (1, network.backbone.features)
    parameters = {name for name, _ in network.backbone.named_parameters()}
    assert {key for _, keys in network.stages() for key in keys} == parameters
