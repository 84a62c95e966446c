"""What a client learns of its worker process, whatever thread noticed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.worker.messages import WorkerInfo
from RetinaTriageLib.worker.protocol import Failure


@dataclass(frozen=True)
class Ready:
    """The worker can take requests."""

    info: WorkerInfo


@dataclass(frozen=True)
class Progressed:
    """A job has come further."""

    number: int
    progress: Progress


@dataclass(frozen=True)
class Answered:
    """A job is done."""

    number: int
    answer: Any


@dataclass(frozen=True)
class Failed:
    """A job failed; ``number`` is None where the worker itself did."""

    number: int | None
    failure: Failure


@dataclass(frozen=True)
class Broken:
    """What came through the pipe cannot be trusted any further."""

    error: RetinaTriageError


@dataclass(frozen=True)
class Logged:
    """A line for the log."""

    line: str


@dataclass(frozen=True)
class Ended:
    """The process is gone, and its folder with it."""

    code: int


Event = Ready | Progressed | Answered | Failed | Broken | Logged | Ended
