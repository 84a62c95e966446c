"""The wire between client and worker: one JSON object a line, ASCII, in either direction.

Client: ``{"op": "hello", "protocol", "library", "folder"}``, ``{"op": "triage" | "judge" |
"check_bundle" | "devices", "id", "request"}``, ``{"op": "cancel", "id"}``, ``{"op": "shutdown"}``.
Worker: ``{"event": "ready", "protocol", "info"}``, ``{"event": "progress", "id", "progress"}``,
``{"event": "result", "id", "answer"}``, ``{"event": "error", "id", "failure"}``. Keys that are not
known are ignored. The worker ends when its input ends, so it never outlives its client.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, BinaryIO

from RetinaTriageLib.version import VERSION
from RetinaTriageLib.worker.errors import ErrorKind, WorkerProtocolError, WorkerVersionError

PROTOCOL = 1
"""Raised whenever an older client or worker could misread a message."""

MAX_LINE_BYTES = 16 << 20  # an answer takes about 100 kB; its arrays go through files

Json = dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """Why there is no answer; ``details`` is a traceback or empty."""

    kind: ErrorKind
    text: str
    details: str = ""


def encode_line(message: Json) -> bytes:
    """Message as one line."""
    return json.dumps(message, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"


def decode_line(line: bytes) -> Json:
    """Message of one line.

    Raises
    ------
    WorkerProtocolError
        If the line is no JSON object.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WorkerProtocolError(_garbage(line)) from error
    if not isinstance(message, dict):
        raise WorkerProtocolError(_garbage(line))
    return message


def read_line(pipe: BinaryIO) -> bytes:
    """Next line, empty at the end of the pipe.

    Raises
    ------
    WorkerProtocolError
        If a line is longer than any message; the rest of it has been skipped.
    """
    line = pipe.readline(MAX_LINE_BYTES)
    if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
        return line
    start = line
    while line and not line.endswith(b"\n"):
        line = pipe.readline(MAX_LINE_BYTES)
    raise WorkerProtocolError(_garbage(start))


def require_same_protocol(found: object, library: object, whose: str) -> None:
    """Refuse another protocol; ``whose`` is "client" or "worker".

    Raises
    ------
    WorkerVersionError
        If the other side speaks another protocol.
    """
    if found != PROTOCOL:
        msg = (
            f"Found protocol {found!r} (RetinaTriage {library!r}) on the side of the {whose}; "
            f"expected {PROTOCOL} (RetinaTriage {VERSION}). Two versions are installed: remove the "
            "older one, then restart Slicer."
        )
        raise WorkerVersionError(msg)


def _garbage(line: bytes) -> str:
    return (
        f"Found {line[:80]!r} on the pipe; expected one JSON object a line. Something else wrote "
        "to it: start the job again, and report this with the log if it comes back."
    )
