"""Files that appear whole or not at all, each under its final name only when all are written."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from RetinaTriageLib.errors import OutputError


@contextmanager
def whole_files(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Yield hidden paths to write to, beside the final ones; they are renamed at the end.

    Parameters
    ----------
    paths : final places; their folders are made, files that are there are replaced

    Raises
    ------
    OutputError
        If anything could not be written; what was there before is unchanged.
    """
    token = secrets.token_hex(4)
    # The token goes in front because writers choose the format by the ending.
    partial = tuple(path.with_name(f".{token}.{path.name}") for path in paths)
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        for written, path in zip(partial, paths, strict=True):
            written.replace(path)
    except OutputError:
        raise
    except OSError as error:
        msg = (
            f"{paths[0]} could not be written ({error}). Make room on the disk, check the "
            "permissions or choose another place."
        )
        raise OutputError(msg) from error
    finally:
        for written in partial:
            written.unlink(missing_ok=True)


def require_free_files(*paths: Path, overwrite: bool) -> None:
    """Refuse to replace files unless the user said so.

    Raises
    ------
    OutputError
        If one is there already and ``overwrite`` is False.
    """
    taken = [path for path in paths if path.exists()]
    if taken and not overwrite:
        msg = f"Found {taken[0]}, which is there already; pass --overwrite or choose another name."
        raise OutputError(msg)
