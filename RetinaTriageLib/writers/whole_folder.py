"""Folders that appear whole or not at all.

Everything is written into a hidden folder beside the final one, forced to the disk, and renamed.
A run that is killed may leave that hidden folder (``.NAME.*.partial``) behind, never a half-written
one under the final name.
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from RetinaTriageLib.errors import OutputError


def write_whole_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Let ``fill`` write a folder, then put it in place of whatever folder was there.

    Parameters
    ----------
    folder : final place; its parents are made
    fill : writes everything below the path that it is given

    Raises
    ------
    OutputError
        If anything could not be written; what was at ``folder`` before is unchanged. Other errors
        of ``fill`` pass through, with the same promise.
    """
    partial = _sibling(folder, "partial")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        fill(partial)
        _sync_tree(partial)
        _put_in_place(partial, folder)
    except OutputError:
        raise
    except OSError as error:
        msg = (
            f"{folder} could not be written ({error}); nothing that was there before has been "
            "changed. Make room on the disk, check the permissions or choose another folder."
        )
        raise OutputError(msg) from error
    finally:
        # Renamed away on success.
        shutil.rmtree(partial, ignore_errors=True)


def recover_folder(folder: Path) -> None:
    """Bring back a folder whose replacement was killed between its two renames."""
    if folder.exists():
        return
    formers = folder.parent.glob(f".{glob.escape(folder.name)}.*.former")
    latest = max(formers, key=lambda former: former.stat().st_mtime, default=None)
    if latest is not None:
        latest.rename(folder)


def _put_in_place(partial: Path, folder: Path) -> None:
    if not folder.exists():
        partial.rename(folder)
        _sync_folder(folder.parent)
        return
    former = _sibling(folder, "former")
    folder.rename(former)
    try:
        partial.rename(folder)
    except BaseException:
        former.rename(folder)
        raise
    _sync_folder(folder.parent)
    shutil.rmtree(former, ignore_errors=True)


def _sibling(folder: Path, purpose: str) -> Path:
    # Not tempfile.mkdtemp, whose folders only their owner may read.
    return folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.{purpose}")


def _sync_tree(folder: Path) -> None:
    """Force files to the disk; some file systems report only here that it is full."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("r+b") as file:  # Windows syncs writable files only
                os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot open folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
