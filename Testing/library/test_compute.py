from __future__ import annotations

from pathlib import Path

import pytest
import torch

from RetinaTriageLib.errors import DeviceError, InputError
from RetinaTriageLib.inference.compute import choose_compute, cpu_has_bfloat16


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H200")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))


@pytest.mark.parametrize(
    ("cuda", "mps", "device"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_fastest_device_at_hand(
    monkeypatch: pytest.MonkeyPatch, device: str, *, cuda: bool, mps: bool
) -> None:
    pretend(monkeypatch, cuda=cuda, mps=mps)
    assert choose_compute().device == device


def test_cpu_is_used_when_asked_for_beside_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=True)
    assert choose_compute("cpu").device == "cpu"


@pytest.mark.parametrize("request_", ["cuda", "mps"])
def test_missing_device_is_refused_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, request_: str
) -> None:
    pretend(monkeypatch, cuda=False, mps=False)
    with pytest.raises(DeviceError, match="Choose the device auto or cpu"):
        choose_compute(request_)


def test_unknown_request_is_refused() -> None:
    with pytest.raises(InputError, match="'tpu'"):
        choose_compute("tpu")


def test_description_names_the_gpu_and_the_number_format(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=False)
    assert choose_compute().description == "NVIDIA H200 (CUDA), bfloat16"


def test_old_gpu_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (7, 5))
    assert choose_compute().dtype is torch.float32


@pytest.mark.parametrize(("amx", "avx"), [(True, False), (False, True), (False, False)])
def test_cpu_takes_bfloat16_only_with_its_instructions(
    monkeypatch: pytest.MonkeyPatch, *, amx: bool, avx: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx, raising=False)
    expected = torch.bfloat16 if amx or avx else torch.float32
    assert choose_compute("cpu").dtype is expected


@pytest.mark.parametrize(
    ("flags", "found"), [("fpu avx512f amx_bf16", True), ("fpu avx512f", False), (None, False)]
)
def test_kernel_is_asked_where_torch_cannot_tell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str | None, *, found: bool
) -> None:
    for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    cpuinfo = tmp_path / "cpuinfo"
    if flags is not None:
        cpuinfo.write_text(f"flags\t\t: {flags}\n")
    assert cpu_has_bfloat16(cpuinfo) is found
