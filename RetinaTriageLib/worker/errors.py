"""What can go wrong between client and worker; each error says what to do about it."""

from __future__ import annotations

from enum import Enum

from RetinaTriageLib.errors import (
    BundleError,
    CancelledError,
    DeviceError,
    GeometryError,
    InputError,
    OutputError,
    RetinaTriageError,
)


class WorkerError(RetinaTriageError):
    """The worker, not the case, is the trouble; ``details`` is for the log, not for a dialog."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class WorkerStartError(WorkerError):
    """The worker's Python could not be started, or was not ready in time."""


class WorkerSetupError(WorkerError):
    """The worker's Python lacks a package, such as torch."""


class WorkerVersionError(WorkerError):
    """Client and worker do not speak the same protocol."""


class WorkerDiedError(WorkerError):
    """The worker ended by itself, or something ended it, in the middle of a job."""


class WorkerProtocolError(WorkerError):
    """What came through the pipe, or the folder beside it, is not what was agreed."""


class WorkerInternalError(WorkerError):
    """A mistake of this program inside the worker; ``details`` is the traceback."""


class WorkerMemoryError(DeviceError):
    """Memory of the computer or of its GPU did not suffice."""


class ErrorKind(Enum):
    """What an error is on the wire."""

    OUT_OF_MEMORY = "out_of_memory"
    DEVICE = "device"
    GEOMETRY = "geometry"
    INPUT = "input"
    BUNDLE = "bundle"
    OUTPUT = "output"
    CANCELLED = "cancelled"
    SETUP = "setup"
    VERSION = "version"
    PROTOCOL = "protocol"
    INTERNAL = "internal"


# The more special of two related classes comes first.
ERROR_CLASSES: dict[ErrorKind, type[RetinaTriageError]] = {
    ErrorKind.OUT_OF_MEMORY: WorkerMemoryError,
    ErrorKind.DEVICE: DeviceError,
    ErrorKind.GEOMETRY: GeometryError,
    ErrorKind.INPUT: InputError,
    ErrorKind.BUNDLE: BundleError,
    ErrorKind.OUTPUT: OutputError,
    ErrorKind.CANCELLED: CancelledError,
    ErrorKind.SETUP: WorkerSetupError,
    ErrorKind.VERSION: WorkerVersionError,
    ErrorKind.PROTOCOL: WorkerProtocolError,
    ErrorKind.INTERNAL: WorkerInternalError,
}


def error_kind(error: BaseException) -> ErrorKind:
    """Kind of any error; what was not raised on purpose is internal."""
    if isinstance(error, MemoryError):
        return ErrorKind.OUT_OF_MEMORY
    kinds = (kind for kind, known in ERROR_CLASSES.items() if isinstance(error, known))
    return next(kinds, ErrorKind.INTERNAL)


def make_error(kind: ErrorKind, text: str, details: str = "") -> RetinaTriageError:
    """Error of a kind, as the client raises it."""
    known = ERROR_CLASSES[kind]
    return known(text, details) if issubclass(known, WorkerError) else known(text)
