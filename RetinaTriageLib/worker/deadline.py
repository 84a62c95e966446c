"""A moment by which something has to happen."""

from __future__ import annotations

import time

NEVER = float("inf")


class Deadline:
    """Time that is left; there is no end to it unless one is set.

    Examples
    --------
    >>> deadline = Deadline()
    >>> deadline.left_seconds
    inf
    >>> deadline.set(0.0)
    >>> deadline.left_seconds
    0.0
    """

    def __init__(self) -> None:
        self._moment = NEVER

    @property
    def left_seconds(self) -> float:
        """Seconds that are left, 0 when the moment has come."""
        return max(self._moment - time.monotonic(), 0.0)

    def set(self, seconds: float) -> None:
        """End so many seconds from now."""
        self._moment = time.monotonic() + seconds

    def hasten(self, seconds: float) -> None:
        """End so many seconds from now, unless the end is nearer already."""
        self._moment = min(self._moment, time.monotonic() + seconds)

    def lift(self) -> None:
        """Wait without an end again."""
        self._moment = NEVER
