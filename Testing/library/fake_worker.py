"""A worker with a fast engine instead of networks; what it does is the name of the bundle.

Run as a program it is the worker; imported it gives clients and requests for it.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from example_result import result_from_maps

from RetinaTriageLib.errors import BundleError, DeviceError, GeometryError, InputError
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.version import VERSION
from RetinaTriageLib.volume import OCTVolume, VoxelSpacing
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.messages import (
    CheckBundleRequest,
    Device,
    DeviceList,
    Request,
    TriageRequest,
    WorkerInfo,
)
from RetinaTriageLib.worker.server import serve

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 900.0
"""No test takes this long; it turns a hang into a failure, on a busy machine too."""

ERRORS = {
    "no-memory": MemoryError(),
    "device": DeviceError("Found no cuda device."),
    "geometry": GeometryError("Found a circle scan."),
    "input": InputError("Found a constant volume."),
    "bundle": BundleError("Found no bundle."),
    "mistake": ZeroDivisionError("division by zero"),
}
FORGED_ANSWER = (
    b'{"event": "result", "id": 1, "answer": {"consensus": {"file": "../../stolen.npy"}}}\n'
)


def fake_client(**options: Any) -> WorkerClient:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    settings = {"arguments": (__file__,), "start_seconds": LIMIT_SECONDS, **options}
    return WorkerClient(sys.executable, environment, **settings)


def triage_request(does: str = "work", bscans: int = 3) -> TriageRequest:
    voxels = np.random.default_rng(0).integers(0, 255, (bscans, 32, 24), dtype=np.uint8)
    volume = OCTVolume(voxels, VoxelSpacing.from_um(120, 4, 12))
    return TriageRequest(volume, Path(does))


def fake_result(volume: OCTVolume) -> TriageResult:
    return result_from_maps(volume, [volume.voxels // 18, volume.voxels // 20])


class FakeEngine:
    def __init__(self, raw_output: int) -> None:
        self._raw_output = raw_output

    def info(self) -> WorkerInfo:
        cpu = Device("cpu", "test CPU")
        return WorkerInfo(os.getpid(), VERSION, "3.12.0", "none", DeviceList((cpu,)))

    def answer(self, request: Request[Any], on_progress: OnProgress) -> object:
        if isinstance(request, CheckBundleRequest):
            return ()
        assert isinstance(request, TriageRequest)
        assert request.bundle is not None
        return self._triage(request.volume, request.bundle.name, on_progress)

    def _triage(self, volume: OCTVolume, does: str, on_progress: OnProgress) -> TriageResult:
        bscans = volume.shape[0]
        for done in range(bscans):
            on_progress(Progress("segment", done + 1, bscans))
        if does in ERRORS:
            raise ERRORS[does]
        if does == "crash":
            os._exit(7)
        if does == "half":
            os.write(self._raw_output, FORGED_ANSWER[:30])
            os._exit(7)
        if does == "noise":
            print("a stray print")  # noqa: T201 - that is the point
            os.write(1, b"a library's noise\n")
        if does == "garbage":
            os.write(self._raw_output, b"\xff\x00 not JSON\n")
        if does == "forge":
            os.write(self._raw_output, FORGED_ANSWER)
        if does in ("hang", "garbage", "forge"):
            threading.Event().wait()
        while does == "endless":
            threading.Event().wait(0.001)
            on_progress(Progress("segment", 0, bscans))
        return fake_result(volume)


def main() -> NoReturn:
    print("a greeting of the start-up files", flush=True)  # noqa: T201 - may happen in real life
    sys.stderr.write(f"pid {os.getpid()}\n")
    serve(FakeEngine(raw_output=os.dup(1)))


if __name__ == "__main__":
    main()
