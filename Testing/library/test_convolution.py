from __future__ import annotations

import pytest
import torch
from test_streaming import bscans, trained_network

from RetinaTriageLib.inference import convolution
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.convolution import fused_kernels_agree, halved
from RetinaTriageLib.inference.streaming import StreamedNetwork

FORMATS = (torch.float32, torch.bfloat16)


@pytest.fixture(autouse=True)
def ask_anew() -> None:
    fused_kernels_agree.cache_clear()


@pytest.mark.parametrize("dtype", FORMATS)
def test_fused_kernels_give_the_scores_of_torch(dtype: torch.dtype) -> None:
    if not fused_kernels_agree(dtype):
        pytest.skip("this torch has no fused kernels that were tried")
    network, volume = trained_network(), bscans(3)
    plain, fused = (
        StreamedNetwork(network, "cirrus", dtype, fused=fused).push(volume, last=True)
        for fused in (False, True)
    )
    largest = float(plain.abs().max())
    tolerance = 1e-5 if dtype is torch.float32 else 0.02
    torch.testing.assert_close(fused, plain, atol=tolerance * largest, rtol=0)


def test_torch_that_was_not_tried_takes_public_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", "2.130.0")
    assert choose_compute("cpu").kernels == "torch"


def test_kernels_that_compute_something_else_are_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "__version__", "2.13.0")
    monkeypatch.setattr(convolution, "FusedConv", lambda conv: lambda x: conv(x) + 1)
    assert not fused_kernels_agree(torch.float32)


def test_missing_operators_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_conv: object) -> None:
        raise AttributeError

    monkeypatch.setattr(torch, "__version__", "2.13.0")
    monkeypatch.setattr(convolution, "FusedConv", missing)
    assert not fused_kernels_agree(torch.float32)


@pytest.mark.parametrize("size", [(8, 6), (7, 6), (8, 5), (1, 3)])
@pytest.mark.parametrize("dtype", FORMATS)
def test_halved_is_max_pooling(dtype: torch.dtype, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size).to(dtype)
    assert torch.equal(halved(x), torch.nn.functional.max_pool2d(x, 2, ceil_mode=True))
