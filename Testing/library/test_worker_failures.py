from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import fake_worker
import numpy as np
import pytest
from fake_worker import LIMIT_SECONDS, ROOT, fake_client, triage_request

from RetinaTriageLib.errors import (
    BundleError,
    CancelledError,
    DeviceError,
    GeometryError,
    InputError,
    OutputError,
    RetinaTriageError,
)
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.death import describe_end
from RetinaTriageLib.worker.errors import (
    WorkerDiedError,
    WorkerInternalError,
    WorkerMemoryError,
    WorkerProtocolError,
    WorkerSetupError,
    WorkerStartError,
    WorkerVersionError,
)

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are of POSIX")

pytestmark = pytest.mark.usefixtures("temporary")


@pytest.mark.parametrize(
    ("does", "error", "match"),
    [
        ("no-memory", WorkerMemoryError, "Memory ran out. Close other programs"),
        ("device", DeviceError, "Found no cuda device"),
        ("geometry", GeometryError, "Found a circle scan"),
        ("input", InputError, "Found a constant volume"),
        ("bundle", BundleError, "Found no bundle"),
        ("mistake", WorkerInternalError, "ZeroDivisionError: division by zero.*report"),
    ],
)
def test_failed_job_says_why_and_the_worker_goes_on(
    does: str, error: type[RetinaTriageError], match: str
) -> None:
    told: list[RetinaTriageError] = []
    with fake_client() as client:
        job = client.submit(triage_request(does), on_error=told.append)
        with pytest.raises(error, match=match) as caught:
            job.wait(LIMIT_SECONDS)
        assert told == [caught.value]
        info = client.info
        assert client.submit(triage_request()).wait(LIMIT_SECONDS)
        assert client.info is info


def test_mistake_of_ours_leaves_its_traceback_in_the_log() -> None:
    with fake_client() as client:
        with pytest.raises(WorkerInternalError) as caught:
            client.submit(triage_request("mistake")).wait(LIMIT_SECONDS)
        assert "fake_worker.py" in caught.value.details
        assert "ZeroDivisionError: division by zero" in client.log


@pytest.mark.parametrize("does", ["garbage", "forge"])
def test_untrustworthy_worker_is_replaced(does: str, temporary: Path) -> None:
    with fake_client() as client:
        with pytest.raises(WorkerProtocolError, match="Found"):
            client.submit(triage_request(does, bscans=1)).wait(LIMIT_SECONDS)
        assert client.submit(triage_request()).wait(LIMIT_SECONDS)
    assert list(temporary.iterdir()) == []


def test_crash_is_told_and_the_next_job_runs(temporary: Path) -> None:
    with fake_client() as client:
        crash, after = client.submit(triage_request("crash")), client.submit(triage_request())
        with pytest.raises(WorkerDiedError, match="exit code 7") as caught:
            crash.wait(LIMIT_SECONDS)
        assert "pid" in caught.value.details
        assert after.wait(LIMIT_SECONDS)
    assert list(temporary.iterdir()) == []


def test_end_in_the_middle_of_an_answer_is_an_end() -> None:
    with fake_client() as client:
        with pytest.raises(WorkerDiedError, match="exit code 7"):
            client.submit(triage_request("half")).wait(LIMIT_SECONDS)
        assert client.submit(triage_request()).wait(LIMIT_SECONDS)


class Killer:
    """Kills a worker with its greeting, or after some words on progress."""

    def __init__(self) -> None:
        self.words_left: int | None = None
        self.killed: set[int] = set()

    def hear(self, line: str) -> None:
        if line.startswith("pid"):
            self.count(int(line.split()[1]))

    def count(self, pid: int) -> None:
        if pid in self.killed:
            return  # on a busy machine its greeting may be heard after its end
        if self.words_left == 0:
            os.kill(pid, signal.SIGKILL)
            self.killed.add(pid)
        self.words_left = self.words_left - 1 if self.words_left else None


@POSIX
def test_worker_killed_at_random_moments_leaves_a_client_that_works(temporary: Path) -> None:
    rng, killer = np.random.default_rng(20), Killer()
    with fake_client(on_log=killer.hear) as client:
        for _ in range(20):
            killer.words_left = int(rng.integers(0, 8))  # 0: before the worker is ready
            job = client.submit(
                triage_request("endless"), on_progress=lambda _: killer.count(ready_pid(client))
            )
            with pytest.raises((WorkerDiedError, WorkerStartError), match="signal 9"):
                job.wait(LIMIT_SECONDS)
            assert list(temporary.iterdir()) == []
        assert client.submit(triage_request()).wait(LIMIT_SECONDS)


def ready_pid(client: WorkerClient) -> int:
    assert client.info is not None
    return client.info.pid


@pytest.mark.parametrize("end", ["kill", "exit"])
@POSIX
def test_worker_and_folder_go_with_the_client(end: str, temporary: Path) -> None:
    program = (
        "from fake_worker import fake_client, triage_request\n"
        "client = fake_client()\n"
        "job = client.submit(triage_request('hang', bscans=1),\n"
        "    on_progress=lambda _: print(client.info.pid, flush=True))\n"
        "while job.progress is None:\n"
        "    client._step(None)\n"
        "input()\n"
    )
    folders = os.pathsep.join((str(ROOT), str(ROOT / "Testing" / "library")))
    environment = {**os.environ, "PYTHONPATH": folders, "TMPDIR": str(temporary)}
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert runs(worker)
    assert len(list(temporary.iterdir())) == 1
    if end == "kill":
        parent.kill()
    parent.stdin.close()  # ends input()
    parent.wait(LIMIT_SECONDS)
    parent.stdout.close()
    wait_until(lambda: not runs(worker) and not list(temporary.iterdir()))


@pytest.mark.skipif(shutil.which("setsid") is None, reason="setsid is of Linux")
def test_worker_behind_a_launcher_goes_with_its_pipe(temporary: Path) -> None:
    launch = ("-c", 'setsid "$0" "$1"; exit 1', sys.executable, fake_worker.__file__)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pids: list[int] = []

    def kill(_progress: Progress) -> None:
        pids.append(ready_pid(client))
        client.cancel(job, grace_seconds=0)

    with WorkerClient("sh", environment, arguments=launch, start_seconds=LIMIT_SECONDS) as client:
        job = client.submit(triage_request("hang", bscans=1), on_progress=kill)
        with pytest.raises(CancelledError):
            job.wait(LIMIT_SECONDS)
    wait_until(lambda: not runs(pids[0]) and not list(temporary.iterdir()))


def runs(pid: int) -> bool:
    """Tell whether a process runs; one that has ended but was not collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.02)  # another process: nothing tells us


def test_missing_program_is_told_with_a_remedy(temporary: Path) -> None:
    client = WorkerClient("/nowhere/PythonSlicer")
    jobs = [client.submit(triage_request()), client.submit(triage_request())]
    for job in jobs:
        with pytest.raises(WorkerStartError, match="Could not start /nowhere/PythonSlicer"):
            job.wait(LIMIT_SECONDS)
    assert list(temporary.iterdir()) == []


def test_program_that_is_no_worker_is_told() -> None:
    code = "import sys; sys.exit('no worker here')"
    with WorkerClient(sys.executable, arguments=("-c", code)) as client:
        with pytest.raises(WorkerStartError, match=r"before it was ready.*exit code 1") as caught:
            client.submit(triage_request()).wait(LIMIT_SECONDS)
        assert caught.value.details == "no worker here"


def test_worker_that_never_gets_ready_is_given_up(temporary: Path) -> None:
    silent = ("-c", "import sys; sys.stdin.read()")
    with WorkerClient(sys.executable, arguments=silent, start_seconds=0.05) as client:
        job = client.submit(triage_request())
        with pytest.raises(WorkerStartError, match="not ready after"):
            job.wait(LIMIT_SECONDS)
    assert list(temporary.iterdir()) == []


def test_client_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("RetinaTriageLib.worker.process.PROTOCOL", 0)
    with fake_client() as client:
        job = client.submit(triage_request())
        with pytest.raises(WorkerVersionError, match=r"protocol 0 .* side of the client.*remove"):
            job.wait(LIMIT_SECONDS)


def test_worker_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("RetinaTriageLib.worker.protocol.PROTOCOL", 2)
    with fake_client() as client:
        job = client.submit(triage_request())
        with pytest.raises(WorkerVersionError, match=r"protocol 1 .* side of the worker.*remove"):
            job.wait(LIMIT_SECONDS)


def test_missing_torch_is_told_with_a_remedy(tmp_path: Path) -> None:
    missing = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')"
    (tmp_path / "torch.py").write_text(missing)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with WorkerClient(sys.executable, environment) as client:
        job = client.submit(triage_request())
        with pytest.raises(WorkerSetupError, match=r"no torch that loads.*PyTorch module"):
            job.wait(LIMIT_SECONDS)


def test_folder_that_is_gone_fails_the_job(temporary: Path) -> None:
    with fake_client() as client:
        client.submit(triage_request()).wait(LIMIT_SECONDS)
        next(temporary.iterdir()).rmdir()
        with pytest.raises(OutputError, match=r"Could not write .* MB to"):
            client.submit(triage_request(bscans=30)).wait(LIMIT_SECONDS)


@pytest.mark.parametrize(
    ("code", "match"),
    [(-9, "memory"), (-11, "SIGSEGV"), (0xC0000005, "0xc0000005"), (-250, "signal 250")],
)
def test_exit_codes_are_explained(code: int, match: str) -> None:
    assert match in describe_end(code)
