"""A job as its client sees it: what was asked, how far it is, what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Generic

from RetinaTriageLib.errors import CancelledError, RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.worker.messages import Answer, Request


class JobState(Enum):
    """Where a job stands; the last three are final."""

    WAITING = "waiting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


def ignore(_event: object) -> None:
    """Do nothing about an event."""


class Job(Generic[Answer]):
    """One request and what became of it; made by `WorkerClient.submit`.

    Attributes
    ----------
    progress : the last that was told, None before
    error : why there is no answer; `CancelledError` where the caller stopped it

    Parameters
    ----------
    step : handles the next event of the client, waiting for it up to some seconds
    """

    def __init__(
        self, number: int, request: Request[Answer], step: Callable[[float | None], object]
    ) -> None:
        self.number, self.request = number, request
        self.state = JobState.WAITING
        self.progress: Progress | None = None
        self.error: RetinaTriageError | None = None
        self.on_progress: Callable[[Progress], object] = ignore
        self.on_result: Callable[[Answer], object] = ignore
        self.on_error: Callable[[RetinaTriageError], object] = ignore
        self._answers: list[Answer] = []
        self._step = step

    @property
    def ended(self) -> bool:
        """Tell whether the job is done, has failed or was cancelled."""
        return self.state in FINAL_STATES

    @property
    def answer(self) -> Answer:
        """What the worker answered.

        Raises
        ------
        RetinaTriageError
            The job's error, if it failed or was cancelled.
        """
        if self.error is not None:
            raise self.error
        if not self._answers:
            msg = f"Job {self.number} is {self.state.value}; wait() for its answer."
            raise RuntimeError(msg)
        return self._answers[0]

    def wait(self, timeout_seconds: float | None = None) -> Answer:
        """Handle events of the client until this job has ended; gives its answer.

        Raises
        ------
        RetinaTriageError
            The job's error, if it failed or was cancelled.
        TimeoutError
            If the job has not ended in time; it goes on.
        """
        end = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while not self.ended:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                msg = f"Job {self.number} is still {self.state.value}; wait longer or cancel it."
                raise TimeoutError(msg)
            self._step(left)
        return self.answer

    def advance(self, progress: Progress) -> None:
        """Tell how far the job is; nothing more is told once it is being cancelled."""
        if self.state is JobState.RUNNING:
            self.progress = progress
            self.on_progress(progress)

    def succeed(self, answer: Answer) -> None:
        """End the job with its answer, unless it was cancelled meanwhile."""
        if self.state is JobState.CANCELLING:
            self.fail(cancelled())
        elif not self.ended:
            self.state = JobState.DONE
            self._answers.append(answer)
            self.on_result(answer)

    def fail(self, error: RetinaTriageError) -> None:
        """End the job without an answer; whatever ends a job being cancelled cancels it."""
        if self.ended:
            return
        if self.state is JobState.CANCELLING and not isinstance(error, CancelledError):
            error = cancelled()
        stopped = isinstance(error, CancelledError)
        self.state = JobState.CANCELLED if stopped else JobState.FAILED
        self.error = error
        self.on_error(error)


def cancelled() -> CancelledError:
    """Error of a job that was stopped by its caller."""
    return CancelledError("Stopped as asked; nothing was changed.")
