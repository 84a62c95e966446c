"""The private folder through which arrays travel; they are patient data, so it never stays.

The client makes the folder, readable by its user alone. Whoever of client and worker ends last
removes it, so it goes even if one of them is killed.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import stat
import tempfile
import threading
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.worker.errors import WorkerProtocolError

PREFIX = "retina-triage-"
INLINE_BYTES = 4096
"""Arrays up to this size travel inside their message: score vectors, not images."""

Array = npt.NDArray[Any]
Reference = dict[str, Any]

# Names that this file makes; neither separators nor dots, so they cannot lead out of the folder.
_NAME = re.compile(r"(request|answer)_[0-9]{1,9}\.npy")
_DTYPE = re.compile(r"[<>|][biuf][0-9]{1,2}")


class ArrayFolder:
    """Arrays in and out of one private folder.

    Parameters
    ----------
    writes : the word that names of arrays written on this side start with
    """

    def __init__(self, path: Path, writes: Literal["request", "answer"]) -> None:
        self.path = path
        self._writes = writes
        self._numbers = count(1)
        self._open = True
        self._lock = threading.Lock()

    def store(self, array: Array) -> Reference:
        """Write an array; gives what a message refers to it by.

        Raises
        ------
        OutputError
            If the folder is gone or the disk is full.
        """
        if array.dtype.hasobject:
            msg = f"Expected numbers, got an array of {array.dtype}."
            raise TypeError(msg)
        if array.nbytes <= INLINE_BYTES:
            text = base64.b64encode(array.tobytes()).decode("ascii")
            return {"dtype": array.dtype.str, "shape": list(array.shape), "base64": text}
        name = f"{self._writes}_{next(self._numbers)}.npy"
        try:
            with self._create(name) as file:
                np.save(file, array, allow_pickle=False)
        except OSError as error:
            msg = (
                f"Could not write {array.nbytes >> 20} MB to {self.path}: {error}. Free space on "
                "that disk, or point the variable TMPDIR (Windows: TEMP) to another one."
            )
            raise OutputError(msg) from error
        return {"file": name}

    def load(self, reference: object) -> Array:
        """Array of a reference; its file is removed.

        Raises
        ------
        WorkerProtocolError
            If the reference leads out of the folder, or to no array.
        """
        if not isinstance(reference, dict):
            raise WorkerProtocolError(_unusable(reference, "no reference"))
        if "file" in reference:
            return self._load_file(reference["file"])
        try:
            if not _DTYPE.fullmatch(reference["dtype"]):
                raise WorkerProtocolError(_unusable(reference, "no numbers"))
            values = base64.b64decode(reference["base64"], validate=True)
            array: Array = np.frombuffer(values, reference["dtype"])
            return array.reshape(reference["shape"]).copy()
        except (KeyError, TypeError, ValueError) as error:
            raise WorkerProtocolError(_unusable(reference, str(error))) from error

    def remove(self) -> None:
        """Remove the folder and all arrays; nothing can be written to it afterwards."""
        with self._lock:
            self._open = False
        shutil.rmtree(self.path, ignore_errors=True)

    def _create(self, name: str) -> BinaryIO:
        # Under the lock, so that no file appears behind the back of `remove`.
        with self._lock:
            if not self._open:
                msg = "the folder has been removed"
                raise FileNotFoundError(msg)
            return (self.path / name).open("xb")

    def _load_file(self, name: object) -> Array:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise WorkerProtocolError(_unusable(name, "not a name of this folder"))
        path = self.path / name
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise WorkerProtocolError(_unusable(name, "not a file"))
            with path.open("rb") as file:
                array: Array = np.lib.format.read_array(file, allow_pickle=False)
            path.unlink()
        except (OSError, ValueError, EOFError) as error:
            raise WorkerProtocolError(_unusable(name, str(error))) from error
        return array


def create_private_folder() -> Path:
    """Make a new temporary folder that only this user may enter."""
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def require_private_folder(path: Path) -> Path:
    """Refuse a folder that is not one of ours, or that others may enter.

    Raises
    ------
    WorkerProtocolError
        If it is none that `create_private_folder` makes.
    """
    try:
        status = path.lstat()
    except OSError as error:
        raise WorkerProtocolError(_unusable(path, str(error))) from error
    if not (path.is_absolute() and path.name.startswith(PREFIX) and stat.S_ISDIR(status.st_mode)):
        raise WorkerProtocolError(_unusable(path, "not a folder of RetinaTriage"))
    # On Windows modes say nothing; there the folder inherits that only its user may enter.
    if hasattr(os, "getuid") and (status.st_mode & 0o077 or status.st_uid != os.getuid()):
        raise WorkerProtocolError(_unusable(path, "others may enter it"))
    return path


def _unusable(found: object, why: str) -> str:
    return (
        f"Found {found!r} for an array ({why}); expected one in the private folder of client and "
        "worker. Start the job again, and report this with the log if it comes back."
    )
