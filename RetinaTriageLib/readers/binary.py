"""Parts of a binary file, never beyond its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError

Content = npt.NDArray[np.uint8]


def open_content(path: Path) -> Content:
    """Bytes of a file, mapped: only what is looked at is read.

    Raises
    ------
    InputError
        If the file is empty.
    """
    if not path.stat().st_size:
        msg = f"{path.name} is empty; copy or export it again."
        raise InputError(msg)
    # Slices of a memmap take ten times as long as those of a plain array on the same memory.
    return np.memmap(path, np.uint8, mode="r").view(np.ndarray)


def part(content: Content, start: int, count: int, what: str) -> Content:
    """Bytes ``start`` to ``start + count``.

    Parameters
    ----------
    what : names the part and its file in the error, such as "B-scan 3 of scan.vol"

    Raises
    ------
    InputError
        If they do not all lie within the file.
    """
    start, count = int(start), int(count)
    if start < 0 or count < 0 or start + count > len(content):
        msg = (
            f"{what} should lie at bytes {start} to {start + count}, and the file has "
            f"{len(content)}; it is truncated or damaged, copy or export it again."
        )
        raise InputError(msg)
    return content[start : start + count]


def record(content: Content, start: int, layout: np.dtype[Any], what: str) -> np.void:
    """Fields of a header.

    Raises
    ------
    InputError
        If it does not lie within the file.
    """
    fields: np.void = np.frombuffer(part(content, start, layout.itemsize, what).tobytes(), layout)[
        0
    ]
    return fields


def text(field: bytes) -> str:
    """Text up to the first zero byte, without surrounding blanks."""
    return field.split(b"\0")[0].decode("latin-1").strip()
