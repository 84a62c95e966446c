"""The worker's loop: a thread listens, the main thread works, and the end of input ends both."""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, Protocol

from RetinaTriageLib.errors import CancelledError, RetinaTriageError
from RetinaTriageLib.progress import OnProgress, Progress
from RetinaTriageLib.version import VERSION
from RetinaTriageLib.worker.codec import encode_fields
from RetinaTriageLib.worker.errors import ErrorKind, WorkerProtocolError, error_kind
from RetinaTriageLib.worker.folder import ArrayFolder, require_private_folder
from RetinaTriageLib.worker.messages import Request, WorkerInfo
from RetinaTriageLib.worker.operations import decode_request, encode_answer
from RetinaTriageLib.worker.protocol import (
    PROTOCOL,
    Json,
    decode_line,
    encode_line,
    read_line,
    require_same_protocol,
)
from RetinaTriageLib.worker.streams import take_standard_streams


class Engine(Protocol):
    """What does the work; tests bring a fast one."""

    def info(self) -> WorkerInfo:
        """Get ready for work, and say with what."""

    def answer(self, request: Request[Any], on_progress: OnProgress) -> object:
        """Answer to a request; what ``on_progress`` raises ends the work."""


class _Order(NamedTuple):
    """A message that is answered by the main thread; ``number`` is None for hello."""

    number: int | None
    operation: object
    request: object


def serve(engine: Engine) -> NoReturn:
    """Answer messages until the input ends, then end the process."""
    _Server(engine, *take_standard_streams()).run()


class _Server:
    def __init__(self, engine: Engine, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._engine = engine
        self._incoming, self._outgoing = incoming, outgoing
        self._writing = threading.Lock()
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._arrays: ArrayFolder | None = None

    def run(self) -> NoReturn:
        # First of all: whoever started us may be gone before torch is loaded.
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        while True:
            order = self._orders.get()
            try:
                self._obey(order)
            except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
                self._send_error(order.number, error)
            if order.number is not None:
                self._cancelled.discard(order.number)

    def _listen(self) -> None:
        try:
            while self._take_line():
                pass
        finally:  # at the end of the input, and whatever happens to this thread
            self._leave()

    def _take_line(self) -> bool:
        """Read and sort one message; False at the end of the input."""
        try:
            line = read_line(self._incoming)
            if not line:
                return False
            return self._sort(decode_line(line))
        except RetinaTriageError as error:
            self._send_error(None, error)
            return error_kind(error) is not ErrorKind.VERSION

    def _sort(self, message: Json) -> bool:
        operation, number = message.get("op"), message.get("id")
        if operation == "shutdown":
            return False
        if operation == "hello":
            require_same_protocol(message.get("protocol"), message.get("library"), "client")
            folder = require_private_folder(Path(str(message.get("folder"))))
            self._arrays = ArrayFolder(folder, "answer")
            self._orders.put(_Order(None, operation, None))
        elif not isinstance(number, int) or self._arrays is None:
            msg = (
                f"Found {operation!r} without a number, or before hello; expected hello first, "
                "then numbered messages. Restart Slicer, or install RetinaTriage again."
            )
            raise WorkerProtocolError(msg)
        elif operation == "cancel":
            self._cancelled.add(number)
        else:
            self._orders.put(_Order(number, operation, message.get("request")))
        return True

    def _obey(self, order: _Order) -> None:
        arrays = self._arrays
        assert arrays is not None  # no order is taken before hello
        if order.number is None:
            info = encode_fields(WorkerInfo, self._engine.info(), arrays)
            self._send({"event": "ready", "protocol": PROTOCOL, "library": VERSION, "info": info})
            return
        number = order.number

        def on_progress(progress: Progress) -> None:
            self._require_wanted(number)
            fields = encode_fields(Progress, progress, arrays)
            self._send({"event": "progress", "id": number, "progress": fields})

        request = decode_request(order.operation, order.request, arrays)
        self._require_wanted(number)
        answer = self._engine.answer(request, on_progress)
        self._require_wanted(number)
        data = encode_answer(request, answer, arrays)
        self._send({"event": "result", "id": number, "answer": data})

    def _require_wanted(self, number: int) -> None:
        if number in self._cancelled:
            msg = "Stopped as asked; nothing was changed."
            raise CancelledError(msg)

    def _send_error(self, number: int | None, error: Exception) -> None:
        kind, text, details = error_kind(error), str(error), ""
        if kind is ErrorKind.INTERNAL:
            details = "".join(traceback.format_exception(error))
            text = (
                f"Found a mistake of this program ({type(error).__name__}: {error}). Please "
                "report it with the log; other scans may work."
            )
        elif isinstance(error, MemoryError):
            text = "Memory ran out. Close other programs, or use a computer with more memory."
        failure = {"kind": kind.value, "text": text, "details": details}  # a `Failure`
        self._send({"event": "error", "id": number, "failure": failure})

    def _send(self, message: Json) -> None:
        try:
            with self._writing:
                self._outgoing.write(encode_line(message))
                self._outgoing.flush()
        except OSError:  # nobody is there any more
            self._leave()

    def _leave(self) -> NoReturn:
        """End at once, even in the middle of a computation, and leave no patient data."""
        if self._arrays is not None:
            self._arrays.remove()
        sys.stderr.flush()
        os._exit(0)
