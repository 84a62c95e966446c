"""The devices that torch can use on this computer, and why one that is there cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path

from RetinaTriageLib.worker.messages import Device, DeviceList

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


def find_devices() -> DeviceList:
    """Devices at hand, the fastest first."""
    import torch

    from RetinaTriageLib.inference.compute import choose_compute

    devices, hints = [], []
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        devices.append(Device("cuda", choose_compute("cuda").description, total, free))
    elif NVIDIA_DRIVER.exists() or shutil.which("nvidia-smi"):
        hints.append(_unused_gpu(torch.__version__, torch.version.cuda))
    if torch.backends.mps.is_available():
        devices.append(Device("mps", choose_compute("mps").description))
    devices.append(Device("cpu", choose_compute("cpu").description))
    return DeviceList(tuple(devices), tuple(hints))


def _unused_gpu(version: str, cuda: str | None) -> str:
    if cuda is None:
        return (
            f"Found an NVIDIA driver, but torch {version} is built for the CPU only. "
            "Install torch again in the PyTorch module, with a CUDA computation backend."
        )
    return (
        f"Found an NVIDIA driver that torch {version} (CUDA {cuda}) cannot use. "
        "Update the driver, or install torch for an older CUDA in the PyTorch module."
    )
