from __future__ import annotations

import torch
from example_bundle import SEGMENTATION, random_network

from RetinaTriageLib.inference.streaming import StreamedNetwork
from RetinaTriageLib.networks.blocks import ConvUnit
from RetinaTriageLib.networks.inference_weights import round_for_inference
from RetinaTriageLib.networks.segmentation import SegmentationNetwork


def network(seed: int) -> SegmentationNetwork:
    found = random_network(SegmentationNetwork(SEGMENTATION), seed)
    assert isinstance(found, SegmentationNetwork)
    return found


def bscans() -> torch.Tensor:
    return torch.randn(4, 32, 24, generator=torch.Generator().manual_seed(0))


def test_rounded_network_answers_nearly_the_same() -> None:
    rounded = network(1)
    round_for_inference(rounded)
    with torch.inference_mode():
        before, after = (one(bscans()[None], "cirrus") for one in (network(1), rounded))
    torch.testing.assert_close(after, before, rtol=0, atol=0.05 * before.std().item())
    assert not torch.equal(after, before)


def test_weights_that_inference_folds_are_bfloat16_numbers_already() -> None:
    rounded = network(2)
    round_for_inference(rounded)
    for unit in (module for module in rounded.modules() if isinstance(module, ConvUnit)):
        weight, _bias = unit.folded()
        stored = weight.to(torch.bfloat16)
        torch.testing.assert_close(stored.float(), weight, rtol=1e-5, atol=0)
        torch.testing.assert_close(stored, unit.conv.weight.to(torch.bfloat16), rtol=0, atol=0)


def test_training_goes_on_from_rounded_weights_where_it_was() -> None:
    rounded = network(3)
    round_for_inference(rounded)
    with torch.no_grad():
        before, after = (one.train()(bscans()[None], "cirrus") for one in (network(3), rounded))
    torch.testing.assert_close(after, before, rtol=0, atol=0.05 * before.std().item())


def test_bfloat16_errs_less_in_the_mean_with_rounded_weights() -> None:
    errors = []
    for rounding in (False, True):
        found = [network(seed) for seed in range(8)]
        for one in found if rounding else ():
            round_for_inference(one)
        errors.append([mean_error(one) for one in found])
    as_trained, rounded = torch.tensor(errors).abs().mean(dim=1)
    assert rounded < 0.9 * as_trained


def mean_error(one: SegmentationNetwork) -> float:
    """Mean over voxels of the change of a score between float32 and bfloat16."""
    exact, fast = (
        StreamedNetwork(one, "cirrus", dtype).push(bscans(), last=True)
        for dtype in (torch.float32, torch.bfloat16)
    )
    return float((fast - exact).mean(dim=(0, 2, 3)).abs().mean())
