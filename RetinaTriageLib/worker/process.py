"""One worker process as its client sees it: three threads between pipes and a queue of events.

One thread writes requests, one reads answers with their arrays, one reads the log, so neither pipes
nor files ever hold up whoever asks. An event carries the process it came from.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.version import VERSION
from RetinaTriageLib.worker.codec import decode
from RetinaTriageLib.worker.errors import (
    WorkerProtocolError,
    WorkerStartError,
    error_kind,
    make_error,
)
from RetinaTriageLib.worker.events import (
    Answered,
    Broken,
    Ended,
    Event,
    Failed,
    Logged,
    Progressed,
    Ready,
)
from RetinaTriageLib.worker.folder import ArrayFolder, create_private_folder
from RetinaTriageLib.worker.messages import Request, WorkerInfo
from RetinaTriageLib.worker.operations import decode_answer, encode_request, operation_of
from RetinaTriageLib.worker.protocol import (
    PROTOCOL,
    Failure,
    Json,
    decode_line,
    encode_line,
    read_line,
    require_same_protocol,
)

END_SECONDS = 5.0


class Sent(NamedTuple):
    """An event and the process that it came from."""

    process: WorkerProcess
    event: Event


class WorkerProcess:
    """A running worker and its private folder.

    Parameters
    ----------
    command : the worker's Python with its arguments
    publish : is told what happens, by threads of this process

    Raises
    ------
    WorkerStartError
        If there is no such program, or no room for the folder.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        publish: Callable[[Sent], None],
    ) -> None:
        self._tell = publish
        self._outbox: queue.SimpleQueue[Json | tuple[int, Request[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._requests: dict[int, Request[Any]] = {}
        self._ready = False
        try:
            folder = create_private_folder()
        except OSError as error:
            msg = f"Could not make a temporary folder ({error}). Free space on that disk."
            raise WorkerStartError(msg) from error
        self._arrays = ArrayFolder(folder, "request")
        try:
            self._popen = _start(command, environment)
        except OSError as error:
            self._arrays.remove()
            msg = (
                f"Could not start {command[0]} ({error}); expected the Python of Slicer, or of an "
                "environment with torch. Choose another one."
            )
            raise WorkerStartError(msg) from error
        atexit.register(self.stop)
        pipes = (self._popen.stdin, self._popen.stdout, self._popen.stderr)
        to_worker, from_worker, log = (pipe for pipe in pipes if pipe is not None)
        self._log_reader = self._thread(self._read_log, log)
        self._writer = self._thread(self._write, to_worker)
        self._reader = self._thread(self._read, from_worker)
        self._outbox.put(
            {"op": "hello", "protocol": PROTOCOL, "library": VERSION, "folder": str(folder)}
        )

    @property
    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self._popen.poll() is None

    def ask(self, number: int, request: Request[Any]) -> None:
        """Send a request; its arrays must not change before the answer."""
        self._requests[number] = request
        self._outbox.put((number, request))

    def cancel(self, number: int) -> None:
        """Ask to stop a job; it fails with `CancelledError` if it had not been done."""
        self._outbox.put({"op": "cancel", "id": number})

    def kill(self) -> None:
        """End the process without asking; its folder goes when it is gone."""
        self._outbox.put(None)  # ends workers behind a launcher, which the signal may not reach
        if sys.platform == "win32":
            self._popen.kill()
        elif self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End the process, by force if it takes longer than a few seconds, and wait for that."""
        self._outbox.put({"op": "shutdown"})
        self._outbox.put(None)
        self._reader.join(END_SECONDS)
        if self._reader.is_alive():
            self.kill()
            self._reader.join(END_SECONDS)
        self._arrays.remove()

    def _thread(self, work: Any, pipe: Any) -> threading.Thread:
        name = f"worker {work.__name__.strip('_')}"
        thread = threading.Thread(target=work, args=(pipe,), name=name, daemon=True)
        thread.start()
        return thread

    def _publish(self, event: Event) -> None:
        self._tell(Sent(self, event))

    def _write(self, pipe: BinaryIO) -> None:
        # A closed pipe means that the worker is gone: the reading thread tells.
        with contextlib.suppress(OSError), pipe:
            while (item := self._outbox.get()) is not None:
                message = item if isinstance(item, dict) else self._message(*item)
                if message is not None:
                    pipe.write(encode_line(message))
                    pipe.flush()

    def _message(self, number: int, request: Request[Any]) -> Json | None:
        try:
            fields = encode_request(request, self._arrays)
        except Exception as error:  # noqa: BLE001 - a dead thread would leave the job waiting
            failure = Failure(error_kind(error), f"The scan could not be sent: {error}")
            self._publish(Failed(number, failure))
            return None
        return {"op": operation_of(request), "id": number, "request": fields}

    def _read(self, pipe: BinaryIO) -> None:
        with pipe:
            while self._take_line(pipe):
                pass
        try:
            code = self._popen.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._popen.wait()
        self._log_reader.join(END_SECONDS)
        self._arrays.remove()
        atexit.unregister(self.stop)
        self._outbox.put(None)
        self._publish(Ended(code))

    def _take_line(self, pipe: BinaryIO) -> bool:
        try:
            line = read_line(pipe)
            if not line.endswith(b"\n"):  # the end, be it in the middle of a message
                return False
            self._publish(self._event(decode_line(line)))
        except WorkerProtocolError as error:
            # Before the worker took its pipe over, start-up files of Python may have printed to it.
            self._publish(Broken(error) if self._ready else Logged(str(error)))
        except RetinaTriageError as error:
            self._publish(Broken(error))
        except Exception as error:  # noqa: BLE001 - a dead thread would leave the job waiting
            text = f"The answer could not be read ({type(error).__name__}: {error})."
            self._publish(Broken(make_error(error_kind(error), text)))
        return True

    def _event(self, message: Json) -> Event:
        arrays = self._arrays
        number = message["id"] if type(message.get("id")) is int else None
        request = None if number is None else self._requests.get(number)
        match message.get("event"):
            case "ready":
                require_same_protocol(message.get("protocol"), message.get("library"), "worker")
                info = decode(WorkerInfo, message.get("info"), arrays)
                self._ready = True
                return Ready(info)
            case "progress" if number is not None and request is not None:
                return Progressed(number, decode(Progress, message.get("progress"), arrays))
            case "result" if number is not None and request is not None:
                del self._requests[number]
                return Answered(number, decode_answer(request, message.get("answer"), arrays))
            case "error":
                if number is not None:
                    self._requests.pop(number, None)
                return Failed(number, decode(Failure, message.get("failure"), arrays))
        msg = (
            f"Found {str(message)[:80]} from the worker; expected an event of a running job. "
            "Client and worker are of different versions: restart Slicer, or install RetinaTriage "
            "again."
        )
        raise WorkerProtocolError(msg)

    def _read_log(self, pipe: BinaryIO) -> None:
        with pipe:
            for line in pipe:
                self._publish(Logged(line.decode("utf-8", errors="replace").rstrip()))


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl+C in a terminal is the client's to answer, and a kill reaches
    # the worker through Slicer's launcher too. On Windows, no console window flashes up.
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
