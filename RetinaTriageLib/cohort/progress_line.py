"""Progress of a cohort: a bar with the remaining time, or now and then a line in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never, TextIO

from RetinaTriageLib.cohort.run_cohort import Count, OnCount

LINE_SECONDS = 60.0


@contextmanager
def progress_line(stream: TextIO) -> Iterator[OnCount]:
    """Yield a function that shows how far a run is."""
    if stream.isatty():
        with _Bar(stream) as bar:
            yield bar.show
    else:
        yield _Log(stream).show


class _Bar:
    def __init__(self, stream: TextIO) -> None:
        from tqdm import tqdm

        self._bar: tqdm[Never] = tqdm(desc="cohort", unit=" scan", file=stream)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.close()

    def show(self, count: Count) -> None:
        if self._bar.total is None:
            self._bar.reset(count.total)
            self._bar.initial = self._bar.n = count.done  # of earlier runs: not in the rate
        self._bar.set_postfix(failed=count.failed)
        self._bar.update(count.done - self._bar.n)


class _Log:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._first: int | None = None
        self._told = 0.0

    def show(self, count: Count) -> None:
        if self._first is None:
            self._first = count.done
        now = time.monotonic()
        if now - self._told < LINE_SECONDS and count.done < count.total:
            return
        self._told = now
        said = f"{count.done} of {count.total} scans, {count.failed} failed"
        if count.done > self._first:
            rest = (count.total - count.done) * count.seconds / (count.done - self._first)
            said += f", {remaining(rest)} left"
        self._stream.write(said + "\n")
        self._stream.flush()


def remaining(seconds: float) -> str:
    """Duration as a person reads it.

    Examples
    --------
    >>> remaining(45), remaining(600), remaining(9000)
    ('45 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
