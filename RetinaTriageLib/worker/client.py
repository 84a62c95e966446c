"""The client of the worker: jobs in, callbacks out, no waiting; needs neither torch nor Qt.

Callbacks run inside `WorkerClient.poll` and `Job.wait` only, in the thread that calls them, so a
timer of the user interface may call `poll` and touch everything. Use a client from one thread.
"""

from __future__ import annotations

import os
import queue
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from RetinaTriageLib.errors import CancelledError, RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.worker.boot import WORKER_ARGUMENTS
from RetinaTriageLib.worker.deadline import NEVER, Deadline
from RetinaTriageLib.worker.death import died_at_work, died_early, never_ready
from RetinaTriageLib.worker.errors import WorkerStartError, make_error
from RetinaTriageLib.worker.events import (
    Answered,
    Broken,
    Ended,
    Event,
    Failed,
    Logged,
    Progressed,
    Ready,
)
from RetinaTriageLib.worker.job import Job, JobState, cancelled, ignore
from RetinaTriageLib.worker.messages import Answer, Request, WorkerInfo
from RetinaTriageLib.worker.process import Sent, WorkerProcess

START_SECONDS = 300.0  # the first import of torch from a slow disk takes minutes
GRACE_SECONDS = 5.0
LOG_LINES = 1000
DETAIL_LINES = 20


@dataclass(frozen=True)
class _Settled:
    """A job that ends without word from the worker."""

    job: Job[Any]
    error: RetinaTriageError


class WorkerClient:
    """Runs jobs one after the other in a worker process, which stays warm in between.

    The worker starts with the first job, or with `start`; after a kill or a crash the next job
    starts a new one. Call `close` at the end (or use ``with``): it frees the worker's memory.

    Parameters
    ----------
    python_executable : a Python that has torch; in Slicer the program PythonSlicer
    environment : variables of the worker; None for those of this process
    arguments : what the Python is to run
    on_log : is told each line that the worker writes to its log

    Examples
    --------
    >>> with WorkerClient("python") as client:  # doctest: +SKIP
    ...     result = client.submit(TriageRequest(volume)).wait()
    """

    def __init__(
        self,
        python_executable: str | Path,
        environment: Mapping[str, str] | None = None,
        *,
        arguments: Sequence[str] = WORKER_ARGUMENTS,
        start_seconds: float = START_SECONDS,
        on_log: Callable[[str], object] = ignore,
    ) -> None:
        self.info: WorkerInfo | None = None  # None unless the worker is ready
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._command = (str(python_executable), *arguments)
        variables = os.environ if environment is None else environment
        self._environment = {**variables, "PYTHONIOENCODING": "utf-8"}
        self._start_seconds = start_seconds
        self._on_log = on_log
        self._events: queue.SimpleQueue[Sent | _Settled] = queue.SimpleQueue()
        self._process: WorkerProcess | None = None
        self._dying: list[WorkerProcess] = []
        self._current: Job[Any] | None = None
        self._waiting: deque[Job[Any]] = deque()
        self._jobs = 0
        self._deadline = Deadline()  # when the worker is killed unless something happens

    def __enter__(self) -> Self:
        """Use the client; its worker starts with the first job."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the client."""
        self.close()

    @property
    def busy(self) -> bool:
        """Tell whether a job runs or waits; if not, nothing is missed by not polling."""
        return self._current is not None or bool(self._waiting)

    def start(self) -> None:
        """Start the worker ahead of the first job, unless it runs; `info` is set when it is ready.

        Raises
        ------
        WorkerStartError
            If there is no such program.
        """
        if self._process is not None and not self._process.alive:
            self._let_go(self._process)
        if self._process is None:
            self._process = WorkerProcess(self._command, self._environment, self._events.put)
            self._deadline.set(self._start_seconds)

    def submit(
        self,
        request: Request[Answer],
        *,
        on_progress: Callable[[Progress], object] = ignore,
        on_result: Callable[[Answer], object] = ignore,
        on_error: Callable[[RetinaTriageError], object] = ignore,
    ) -> Job[Answer]:
        """Have a request answered after those before it; its arrays must not change until then.

        Whatever goes wrong, the job fails; this function does not. Jobs that are cancelled get
        ``on_error`` with a `CancelledError`.
        """
        self._jobs += 1
        job = Job(self._jobs, request, self._step)
        job.on_progress, job.on_result, job.on_error = on_progress, on_result, on_error
        self._waiting.append(job)
        self._advance()
        return job

    def poll(self) -> None:
        """Handle all that has happened, without waiting; for a timer of the user interface."""
        while self._step(0.0):
            pass

    def cancel(self, job: Job[Any], grace_seconds: float = GRACE_SECONDS) -> None:
        """Stop a job: ask first, kill the worker if that takes too long; nothing if it has ended.

        Called again, it may shorten the time; with 0 the worker is killed at the next poll.
        """
        if job in self._waiting:
            self._waiting.remove(job)
            job.state = JobState.CANCELLING
            self._events.put(_Settled(job, cancelled()))
        elif job is self._current and self._process is not None:
            if job.state is JobState.RUNNING:
                job.state = JobState.CANCELLING
                self._process.cancel(job.number)
            self._deadline.hasten(grace_seconds)

    def close(self) -> None:
        """End the worker and remove its folder; open jobs are cancelled at the next poll.

        The client stays usable: a later job starts a new worker.
        """
        if self._process is not None:
            self._let_go(self._process)
        while self._dying:
            self._dying.pop().stop()
        self._fail_all(CancelledError("The worker was closed before this job was done."))

    def _step(self, wait_seconds: float | None) -> bool:
        """Handle the next event, waiting for it if need be; False where none came in time."""
        left = self._deadline.left_seconds
        if left == 0.0:
            self._enforce_deadline()
            return True
        try:
            arrived = self._arrival(left if wait_seconds is None else min(wait_seconds, left))
        except queue.Empty:
            return False
        if isinstance(arrived, _Settled):
            arrived.job.fail(arrived.error)
        else:
            self._handle(arrived.process, arrived.event)
        return True

    def _arrival(self, wait_seconds: float) -> Sent | _Settled:
        if wait_seconds == NEVER:
            return self._events.get()
        return self._events.get(block=wait_seconds > 0, timeout=min(wait_seconds, 3600.0))

    def _handle(self, process: WorkerProcess, event: Event) -> None:
        if isinstance(event, Logged):
            self.log.append(event.line)
            self._on_log(event.line)
        elif process is self._process:
            self._handle_current(process, event)
        elif isinstance(event, Ended) and process in self._dying:
            self._dying.remove(process)

    def _handle_current(self, process: WorkerProcess, event: Event) -> None:
        match event:
            case Ready(info):
                self.info = info
                self._deadline.lift()
                self._advance()
            case Progressed(number, progress) if job := self._running(number):
                job.advance(progress)
            case Answered(number, answer) if job := self._running(number):
                self._finish_current()
                job.succeed(answer)
            case Failed(number, failure):
                self.log.extend(failure.details.splitlines())
                error = make_error(failure.kind, failure.text, failure.details)
                if job := self._running(number):
                    self._finish_current()
                    job.fail(error)
                else:
                    self._give_up(process, error)
            case Broken(error):
                self._give_up(process, error)
            case Ended(code):
                died = died_early if self.info is None else died_at_work
                self._give_up(process, died(code, self._log_tail()))
                self._dying.remove(process)

    def _running(self, number: int | None) -> Job[Any] | None:
        job = self._current
        return job if job is not None and job.number == number else None

    def _advance(self) -> None:
        """Give the worker the next job if it is free; start a worker if there is none."""
        if self._current is not None or not self._waiting:
            return
        try:
            self.start()
        except WorkerStartError as error:
            self._fail_all(error)
            return
        if self._process is not None and self.info is not None:
            self._current = self._waiting.popleft()
            self._current.state = JobState.RUNNING
            self._process.ask(self._current.number, self._current.request)

    def _finish_current(self) -> None:
        self._current = None
        self._deadline.lift()
        self._advance()

    def _enforce_deadline(self) -> None:
        """Kill a worker that did not get ready, or did not stop, in time."""
        self._deadline.lift()
        if self._process is None:
            return
        if self._current is not None:
            self._give_up(self._process, cancelled())
            return
        error = never_ready(self._start_seconds, self._command[0], self._log_tail())
        self._give_up(self._process, error)

    def _give_up(self, process: WorkerProcess, error: RetinaTriageError) -> None:
        """Kill the worker; its job fails, or all jobs if it never got ready."""
        ready, job = self.info is not None, self._current
        self._let_go(process)
        process.kill()
        if not ready:
            self._fail_all(error)
            return
        self._finish_current()
        if job is not None:
            job.fail(error)

    def _let_go(self, process: WorkerProcess) -> None:
        self._process = self.info = None
        self._deadline.lift()
        self._dying.append(process)

    def _fail_all(self, error: RetinaTriageError) -> None:
        jobs = [*([self._current] if self._current is not None else []), *self._waiting]
        self._current = None
        self._waiting.clear()
        for job in jobs:
            self._events.put(_Settled(job, error))

    def _log_tail(self) -> str:
        return "\n".join(list(self.log)[-DETAIL_LINES:])
