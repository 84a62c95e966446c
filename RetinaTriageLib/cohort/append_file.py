"""Lines appended to a shared file, each whole or not at all, by several programs at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from RetinaTriageLib.errors import InputError, OutputError


def append_line(path: Path, line: str, header: str) -> None:
    """Append one line to a text file, which starts with a header; both without line end.

    The line is written at once and forced to the disk, under a lock that other programs of
    RetinaTriage wait for. A last line that was cut off, as by a full disk, stays a line of its own.

    Raises
    ------
    InputError
        If the file starts with another header.
    OutputError
        If the line cannot be written; the file is then as it was.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags, 0o644)
        try:
            with _locked(descriptor):
                _append(descriptor, path, line, header)
        finally:
            os.close(descriptor)
    except OSError as problem:
        if isinstance(problem, OutputError):
            raise
        msg = f"Could not write {path}: {problem.strerror}. Free space or check the permissions."
        raise OutputError(msg) from problem


def _append(descriptor: int, path: Path, line: str, header: str) -> None:
    size = os.fstat(descriptor).st_size
    text = f"{line}\n"
    if size == 0:
        text = f"{header}\n{text}"
    else:
        os.lseek(descriptor, 0, os.SEEK_SET)
        found = os.read(descriptor, len(header.encode()) + 5).removeprefix(b"\xef\xbb\xbf")
        if not found.startswith(header.encode()):
            msg = (
                f"{path} starts with another line than {header}; it was altered, or belongs to "
                "another version. Rename it to start a new one."
            )
            raise InputError(msg)
        os.lseek(descriptor, size - 1, os.SEEK_SET)
        if os.read(descriptor, 1) != b"\n":
            text = f"\n{text}"
    data = text.encode("utf-8", "replace")
    try:
        written = os.write(descriptor, data)
        if written < len(data):
            msg = f"Could not write all of a line to {path}; free space on that disk."
            raise OutputError(msg)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    """Hold the file for this program alone."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)  # waits up to 10 s
        try:
            yield
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
