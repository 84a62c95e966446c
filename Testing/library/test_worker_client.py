from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_worker import LIMIT_SECONDS, ROOT, fake_client, fake_result, triage_request
from same_fields import assert_same

from RetinaTriageLib.errors import CancelledError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.worker.client import WorkerClient
from RetinaTriageLib.worker.errors import WorkerDiedError
from RetinaTriageLib.worker.job import Job, JobState
from RetinaTriageLib.worker.messages import CheckBundleRequest

HEAVY = ("torch", "scipy", "SimpleITK", "matplotlib", "RetinaTriageLib.pipeline")

pytestmark = pytest.mark.usefixtures("temporary")


def worker_pid(client: WorkerClient) -> int:
    client.submit(CheckBundleRequest()).wait(LIMIT_SECONDS)
    assert client.info is not None
    return client.info.pid


def wait_for_cancel(job: Job[Any]) -> None:
    with pytest.raises(CancelledError, match="Stopped as asked"):
        job.wait(LIMIT_SECONDS)
    assert job.state is JobState.CANCELLED


def test_result_is_that_of_the_library(temporary: Path) -> None:
    request = triage_request(bscans=40)
    with fake_client() as client:
        job = client.submit(request)
        result = job.wait(LIMIT_SECONDS)
        assert result.volume is request.volume
        assert_same(result, fake_result(request.volume))
        assert [path.name for path in next(temporary.iterdir()).iterdir()] == []
    assert list(temporary.iterdir()) == []


def test_callbacks_tell_all_in_order() -> None:
    told: list[object] = []
    with fake_client() as client:
        job = client.submit(
            triage_request(bscans=3),
            on_progress=told.append,
            on_result=lambda _result: told.append("result"),
            on_error=told.append,
        )
        assert told == []
        job.wait(LIMIT_SECONDS)
    assert told == [*(Progress("segment", done, 3) for done in (1, 2, 3)), "result"]


def test_poll_never_waits() -> None:
    with fake_client() as client:
        job = client.submit(triage_request("hang"))
        client.poll()
        assert client.busy
        assert not job.ended


def test_wait_gives_up_in_time_and_the_job_goes_on() -> None:
    with fake_client() as client:
        job = client.submit(triage_request("endless"))
        with pytest.raises(TimeoutError, match="still"):
            job.wait(0.01)
        assert not job.ended


def test_one_worker_serves_all_jobs_in_their_order() -> None:
    ended: list[int] = []
    with fake_client() as client:
        pid = worker_pid(client)
        jobs = [
            client.submit(
                triage_request(bscans=count), on_result=lambda r: ended.append(len(r.consensus))
            )
            for count in (3, 1, 2)
        ]
        jobs[-1].wait(LIMIT_SECONDS)
        assert ended == [3, 1, 2]
        assert worker_pid(client) == pid
        assert not client.busy


def test_stray_prints_end_up_in_the_log() -> None:
    with fake_client() as client:
        client.submit(triage_request("noise")).wait(LIMIT_SECONDS)
        with pytest.raises(WorkerDiedError):  # at the end the log is complete
            client.submit(triage_request("crash")).wait(LIMIT_SECONDS)
        assert {"a stray print", "a library's noise"} <= set(client.log)
        assert "a greeting of the start-up files" in client.log[0] + client.log[1]


def test_log_is_told_line_by_line() -> None:
    lines: list[str] = []
    with fake_client(on_log=lines.append) as client:
        with pytest.raises(WorkerDiedError):
            client.submit(triage_request("crash")).wait(LIMIT_SECONDS)
        assert lines == list(client.log)
        assert len(lines) == 2


def test_closed_client_starts_anew() -> None:
    with fake_client() as client:
        pid = worker_pid(client)
        client.close()
        assert client.info is None
        assert worker_pid(client) != pid


def test_open_jobs_are_cancelled_by_closing() -> None:
    client = fake_client()
    jobs = [client.submit(triage_request("hang")), client.submit(triage_request())]
    client.close()
    for job in jobs:
        with pytest.raises(CancelledError, match="closed before"):
            job.wait(LIMIT_SECONDS)


def test_cancel_before_the_worker_is_ready() -> None:
    with fake_client() as client:
        job = client.submit(triage_request("hang"))
        client.cancel(job)
        wait_for_cancel(job)
        assert client.submit(triage_request()).wait(LIMIT_SECONDS)


def test_cancel_in_the_queue_leaves_the_running_job_alone() -> None:
    with fake_client() as client:
        first, second = client.submit(triage_request("endless")), client.submit(triage_request())
        client.cancel(second)
        wait_for_cancel(second)
        assert not first.ended
        client.cancel(first)
        wait_for_cancel(first)


def test_cancel_of_a_running_job_keeps_the_worker() -> None:
    told: list[Progress] = []

    def stop(progress: Progress) -> None:
        told.append(progress)
        client.cancel(job, grace_seconds=LIMIT_SECONDS)

    with fake_client() as client:
        pid = worker_pid(client)
        job = client.submit(triage_request("endless"), on_progress=stop)
        wait_for_cancel(job)
        assert len(told) == 1
        assert worker_pid(client) == pid


def test_worker_that_does_not_listen_is_killed_and_replaced(temporary: Path) -> None:
    with fake_client() as client:
        pid = worker_pid(client)
        job = client.submit(
            triage_request("hang", bscans=1),
            on_progress=lambda _progress: client.cancel(job, grace_seconds=0.05),
        )
        wait_for_cancel(job)
        assert worker_pid(client) != pid
    assert list(temporary.iterdir()) == []


def test_second_cancel_can_hurry() -> None:
    def stop(_progress: Progress) -> None:
        client.cancel(job, grace_seconds=10 * LIMIT_SECONDS)
        client.cancel(job, grace_seconds=0)

    with fake_client() as client:
        job = client.submit(triage_request("hang", bscans=1), on_progress=stop)
        wait_for_cancel(job)


def test_cancel_after_the_end_changes_nothing() -> None:
    with fake_client() as client:
        job = client.submit(triage_request())
        job.wait(LIMIT_SECONDS)
        client.cancel(job, grace_seconds=0)
        client.poll()
        assert job.state is JobState.DONE
        assert client.info is not None


def test_cancelled_job_may_be_followed_from_its_own_callback() -> None:
    followers: list[Job[Any]] = []
    with fake_client() as client:
        job = client.submit(
            triage_request("endless"),
            on_progress=lambda _progress: client.cancel(job),
            on_error=lambda _error: followers.append(client.submit(triage_request())),
        )
        wait_for_cancel(job)
        assert followers[0].wait(LIMIT_SECONDS)


def test_client_loads_nothing_heavy() -> None:
    code = (
        "import sys, RetinaTriageLib.worker.client\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
