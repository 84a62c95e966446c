"""Progress of long work: a caller passes a function that is told how far the work is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far one stage is; ``message`` is set when there is something to say aloud."""

    stage: str
    done: int
    total: int
    message: str = ""


OnProgress = Callable[[Progress], None]
"""Called at least once per B-scan. Raise `CancelledError` from it to stop the work."""


def ignore_progress(_progress: Progress) -> None:
    """Tell nobody."""
