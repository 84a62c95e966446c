"""A report file that appears complete or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from RetinaTriageLib.errors import OutputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Path to write to; it takes the place of ``path`` when the block ends well.

    Raises
    ------
    OutputError
        If the file cannot be written; what was there before stays.
    """
    unfinished = path.with_name(path.name + ".part")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as problem:
        msg = f"Could not write {path}: {problem.strerror}. Free space or choose another folder."
        raise OutputError(msg) from problem
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def write_whole_text(text: str, path: Path) -> None:
    """Write a text in UTF-8, as `whole_file` does."""
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
