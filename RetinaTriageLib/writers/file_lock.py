"""A lock that processes hold on a file; a killed process lets go of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

WAIT_SECONDS = 0.5


@contextmanager
def locked_file(path: Path) -> Iterator[bool]:
    """Hold the lock of a file, which is made where it is missing; gives whether it was free.

    Raises
    ------
    OSError
        If the file cannot be made.
    """
    with path.open("a") as file:
        yield _locked(file)


@contextmanager
def lock_waited_for(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a file once it is free.

    Parameters
    ----------
    on_wait : called once where another process holds it

    Raises
    ------
    OSError
        If the file cannot be made.
    """
    with path.open("a") as file:
        if not _locked(file):
            on_wait()
            while not _locked(file):
                time.sleep(WAIT_SECONDS)
        yield


def _locked(file: IO[str]) -> bool:
    with suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
