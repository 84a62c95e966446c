"""Where networks run: the device, its number format, and how that is told to the user."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from RetinaTriageLib.errors import DeviceError, InputError
from RetinaTriageLib.inference.convolution import fused_kernels_agree

DeviceName = Literal["cpu", "cuda", "mps"]
DTypeName = Literal["float32", "bfloat16"]
KernelName = Literal["torch", "fused"]
REQUESTS = ("auto", "cpu", "cuda", "mps")

# Without these instructions bfloat16 is emulated and many times slower than float32.
BF16_CPU_FLAGS = ("avx512_bf16", "amx_bf16")

# The first CUDA generation that computes bfloat16 (Ampere).
BF16_CUDA_CAPABILITY = (8, 0)


@dataclass(frozen=True)
class Compute:
    """How one run computes; ``description`` says it to the user and stands in the result.

    Attributes
    ----------
    kernels : "fused" for oneDNN's convolutions with ReLU, "torch" for torch's public functions
    """

    device: DeviceName
    dtype_name: DTypeName
    threads: int
    description: str
    kernels: KernelName = "torch"

    @property
    def torch_device(self) -> torch.device:
        """The device as torch names it."""
        return torch.device(self.device)

    @property
    def dtype(self) -> torch.dtype:
        """The number format as torch names it."""
        return torch.bfloat16 if self.dtype_name == "bfloat16" else torch.float32


def choose_compute(request: str = "auto") -> Compute:
    """Choose the device asked for, or the fastest at hand: CUDA, then MPS, then the CPU.

    Raises
    ------
    DeviceError
        If the device asked for is not there.
    InputError
        If the request is none of "auto", "cpu", "cuda" and "mps".
    """
    if request not in REQUESTS:
        msg = f"Found device {request!r}; expected one of {', '.join(REQUESTS)}."
        raise InputError(msg)
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if request == "cuda" or (request == "auto" and present["cuda"]):
        _require_present("cuda", "an NVIDIA GPU", present=present["cuda"])
        return _cuda()
    if request == "mps" or (request == "auto" and present["mps"]):
        _require_present("mps", "an Apple GPU", present=present["mps"])
        return Compute("mps", "float32", torch.get_num_threads(), "Apple GPU (MPS), float32")
    return _cpu()


def cpu_has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether this processor computes bfloat16 (AVX512-BF16 or AMX)."""
    # torch.cpu's checks are underscored and came and went: without them, ask the kernel.
    checks = [
        getattr(torch.cpu, name, None)
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    ]
    if any(check is not None for check in checks):
        return any(bool(check()) for check in checks if check is not None)
    try:
        flags = set(cpuinfo.read_text().split())
    except OSError:  # not Linux
        return False
    return not flags.isdisjoint(BF16_CPU_FLAGS)


def _cuda() -> Compute:
    fast = torch.cuda.get_device_capability() >= BF16_CUDA_CAPABILITY
    dtype: DTypeName = "bfloat16" if fast else "float32"
    name = torch.cuda.get_device_name()
    return Compute("cuda", dtype, torch.get_num_threads(), f"{name} (CUDA), {dtype}")


def _cpu() -> Compute:
    threads = torch.get_num_threads()
    dtype: DTypeName = "bfloat16" if cpu_has_bfloat16() else "float32"
    name = platform.processor() or platform.machine()
    fused = fused_kernels_agree(getattr(torch, dtype))
    used = "1 thread" if threads == 1 else f"{threads} threads"
    said = f"CPU ({name}), {used}, {dtype}{', fused convolutions' if fused else ''}"
    return Compute("cpu", dtype, threads, said, "fused" if fused else "torch")


def _require_present(device: str, what: str, *, present: bool) -> None:
    if not present:
        msg = (
            f"Found no {device} device; expected {what} that torch {torch.__version__} can use. "
            "Choose the device auto or cpu, or install the torch build for that device."
        )
        raise DeviceError(msg)
