from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from test_streaming import bscans, trained_network

from RetinaTriageLib.inference import winograd
from RetinaTriageLib.inference.convolution import kernels_for
from RetinaTriageLib.inference.streaming import StreamedNetwork
from RetinaTriageLib.inference.winograd import PointConv, WinogradConv, winograd_agrees
from RetinaTriageLib.networks.segmentation import SegmentationConfig

NARROW = SegmentationConfig()
WIDE = SegmentationConfig(5, (48, 56, 64), (1, 2), ("cirrus",))


@pytest.fixture(autouse=True)
def _ask_anew() -> Iterator[None]:
    winograd_agrees.cache_clear()
    yield
    winograd_agrees.cache_clear()


@pytest.fixture
def _nnpack() -> None:
    if not winograd_agrees():
        pytest.skip("this torch has no NNPACK")


@pytest.mark.usefixtures("_nnpack")
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (16, 32), (31, 70)])
@pytest.mark.parametrize("count", [1, 3])
def test_winograd_gives_the_features_of_a_convolution(size: tuple[int, int], count: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, 48, *size, generator=generator)
    weight = torch.randn(50, 48, 3, 3, generator=generator)
    bias = torch.randn(50, generator=generator)
    expected = torch.nn.functional.conv2d(x.double(), weight.double(), bias.double(), padding=1)
    expected = expected.relu().float()
    found = WinogradConv(weight, bias)(x)
    torch.testing.assert_close(found, expected, atol=2e-5 * float(expected.max()), rtol=0)


def test_point_convolution_gives_the_features_of_a_convolution() -> None:
    x, weight, bias = torch.randn(2, 6, 5, 4), torch.randn(3, 6, 1, 1), torch.randn(3)
    expected = torch.nn.functional.conv2d(x, weight, bias).relu()
    torch.testing.assert_close(PointConv(weight, bias)(x), expected)


@pytest.mark.usefixtures("_nnpack")
@pytest.mark.parametrize("sizes", [[3], [1, 2]])
def test_a_wide_network_gives_the_scores_of_torch(sizes: list[int]) -> None:
    network, volume = trained_network(WIDE), bscans(3)
    plain = StreamedNetwork(network, "cirrus").push(volume, last=True)
    stream = StreamedNetwork(network, "cirrus", fused=True)
    chunks = torch.split(volume, sizes)
    scores = [stream.push(chunk, last=False) for chunk in chunks[:-1]]
    found = torch.cat([*scores, stream.push(chunks[-1], last=True)])
    torch.testing.assert_close(found, plain, atol=1e-4 * float(plain.abs().max()), rtol=0)


@pytest.mark.usefixtures("_nnpack")
@pytest.mark.parametrize(
    ("config", "dtype", "fused", "taken"),
    [
        (WIDE, torch.float32, True, True),
        (WIDE, torch.bfloat16, True, False),
        (WIDE, torch.float32, False, False),
        (NARROW, torch.float32, True, False),
    ],
)
def test_only_wide_networks_in_single_precision_take_it(
    config: SegmentationConfig, dtype: torch.dtype, *, fused: bool, taken: bool
) -> None:
    kernels = kernels_for(config, dtype, fused=fused)
    assert kernels.winograd == taken
    assert kernels.fused == (fused and not taken)


def test_torch_without_nnpack_takes_other_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.nnpack, "is_available", lambda: False)
    assert not kernels_for(WIDE, torch.float32, fused=True).winograd


def test_an_operator_that_fails_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_conv: WinogradConv, _x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError

    monkeypatch.setattr(torch.backends.nnpack, "is_available", lambda: True)
    monkeypatch.setattr(winograd.WinogradConv, "__call__", failing)
    assert not winograd_agrees()


def test_an_operator_that_computes_something_else_is_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.backends.nnpack, "is_available", lambda: True)
    monkeypatch.setattr(
        winograd.WinogradConv, "__call__", lambda conv, x: x[:, : len(conv.bias)] + 9
    )
    assert not winograd_agrees()
