"""The pretending worker of the library's tests, on a computer with an NVIDIA GPU.

Run as a program it is the worker; imported it gives clients for it.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "library"))

from fake_worker import FakeEngine, fake_client

from RetinaTriageLib.progress import OnProgress
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.messages import (
    Device,
    DeviceList,
    DevicesRequest,
    Request,
    TriageRequest,
    WorkerInfo,
)
from RetinaTriageLib.worker.server import serve

DEVICES = DeviceList(
    (Device("cuda", "test GPU (CUDA), bfloat16", 80 * 10**9, 72 * 10**9), Device("cpu", "test CPU"))
)


def device_client(**options: Any) -> WorkerClient:
    return fake_client(arguments=(__file__,), **options)


class DeviceEngine(FakeEngine):
    """Writes what it was asked to the log, so that a test can read it there."""

    def info(self) -> WorkerInfo:
        return replace(super().info(), devices=DEVICES)

    def answer(self, request: Request[Any], on_progress: OnProgress) -> object:
        if isinstance(request, DevicesRequest):
            return DEVICES
        if isinstance(request, TriageRequest):
            sys.stderr.write(f"asked for {request.options}\n")
            sys.stderr.write(f"spacing {request.volume.spacing}\n")
            sys.stderr.flush()
        return super().answer(request, on_progress)


if __name__ == "__main__":
    serve(DeviceEngine(raw_output=os.dup(1)))
