import numpy as np
import pytest
import torch

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.blocks import conv_units, with_neighbors
from RetinaTriageLib.networks.gray import INVERSION, normalize
from RetinaTriageLib.networks.inverted_gray import invert_gray
from RetinaTriageLib.networks.segmentation import (
    SegmentationConfig,
    SegmentationNetwork,
    fold_depth,
    unfold_depth,
)

SMALL = SegmentationConfig(
    classes=5, channels=(4, 6, 8), slice_levels=(1, 2), branches=("spectralis", "cirrus")
)


def small_network() -> SegmentationNetwork:
    torch.manual_seed(0)
    return SegmentationNetwork(SMALL).eval()


@pytest.mark.parametrize("shape", [(1, 1, 16, 16), (2, 3, 33, 21)])
def test_every_voxel_gets_one_score_a_class(shape):
    batch, bscans, depth, width = shape
    scores = small_network()(torch.randn(shape), "cirrus")
    assert scores.shape == (batch, 5, bscans, depth, width)


def test_default_network_sees_nine_bscans_and_stays_small():
    network = SegmentationNetwork()
    assert network.config.context_bscans == 9
    assert sum(weight.numel() for weight in network.parameters()) < 1.2e6


def test_answer_rests_on_the_stated_context_and_no_more():
    network = small_network()
    bscans = torch.randn(1, 9, 16, 16)
    changed = bscans.clone()
    changed[0, 0] += 1
    with torch.no_grad():
        difference = network(changed, "cirrus") - network(bscans, "cirrus")
    moved = difference.abs().amax(dim=(0, 1, 3, 4)) > 1e-6
    assert moved.tolist() == [True, True, True] + [False] * 6


def test_volumes_of_a_batch_do_not_see_each_other():
    network = small_network()
    volumes = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        together = network(volumes, "cirrus")
        alone = network(volumes[1:], "cirrus")
    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=1e-4)


def test_neighbors_are_the_bscans_on_either_side():
    features = torch.arange(1.0, 7.0).reshape(6, 1, 1, 1)
    joined = with_neighbors(features, bscans=3).flatten(1)
    expected = [[0, 1, 2], [1, 2, 3], [2, 3, 0], [0, 4, 5], [4, 5, 6], [5, 6, 0]]
    assert joined.tolist() == expected


def test_folding_the_depth_can_be_undone():
    bscans = torch.randn(2, 8, 5)
    assert torch.equal(unfold_depth(fold_depth(bscans))[:, 0], bscans)


def test_other_scanner_has_its_own_branch_only():
    network = small_network()
    bscans = torch.randn(1, 2, 16, 16)
    network(bscans, "cirrus").sum().backward()
    trained = {
        name.split(".")[1]
        for name, w in network.named_parameters()
        if name.startswith("branches") and w.grad is not None
    }
    assert trained == {"cirrus"}


def test_copied_branch_answers_like_its_model():
    network = small_network()
    network.add_branch("new_scanner", like="cirrus")
    bscans = torch.randn(1, 2, 16, 16)
    with torch.no_grad():
        assert torch.equal(network(bscans, "new_scanner"), network(bscans, "cirrus"))
    assert network.config.branches[-1] == "new_scanner"


def test_inverted_branch_answers_inverted_pictures_like_its_model():
    network = small_network()
    network.add_branch("printed", like="cirrus")
    gray = torch.from_numpy(normalize(np.random.default_rng(0).random((1, 2, 32, 32))))
    with torch.no_grad():
        for unit in conv_units(network.branches["printed"]):
            unit.norm.running_mean.uniform_(-1, 1)
            unit.norm.running_var.uniform_(0.5, 2)
        network.branches["cirrus"].load_state_dict(network.branches["printed"].state_dict())
        invert_gray(network.branches["printed"])
        middle = (..., slice(2, -2), slice(2, -2))  # the border sees zeros past it
        upright = network.branches["cirrus"](fold_depth(gray[0]))[middle]
        inverted = network.branches["printed"](fold_depth(INVERSION - gray[0]))[middle]
    torch.testing.assert_close(inverted, upright, rtol=1e-4, atol=1e-5)


def test_unknown_branch_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="spectralis, cirrus"):
        small_network()(torch.randn(1, 1, 16, 16), "topcon")


def test_missing_axis_is_refused():
    with pytest.raises(InputError, match="batch, B-scan, depth, width"):
        small_network()(torch.randn(1, 16, 16), "cirrus")


def test_cross_slice_convolution_in_the_scanner_branch_is_refused():
    with pytest.raises(InputError, match="Level 0 belongs"):
        SegmentationConfig(slice_levels=(0, 1))


def test_weights_have_one_key_each():
    network = small_network()
    tensors = [tensor.data_ptr() for tensor in network.parameters()]
    assert len(tensors) == len(set(tensors))
    assert "encoder.level1.slices.unit.conv.weight" in network.state_dict()


def test_bfloat16_trains():
    network = small_network().train()
    with torch.autocast("cpu", torch.bfloat16):
        scores = network(torch.randn(1, 2, 16, 16), "cirrus")
    scores.float().square().mean().backward()
    assert all(w.grad.isfinite().all() for w in network.encoder.parameters())
