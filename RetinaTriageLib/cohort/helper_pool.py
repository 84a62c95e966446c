"""Processes of our own that do one task at a time, and whose end ends nothing else.

A file that crashes its reader, hangs it or fills the memory costs one such process. They end with
the process that started them, however that ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from RetinaTriageLib.cohort.channel import receive, send
from RetinaTriageLib.errors import InputError, RetinaTriageError

TRIES = 3
END_SECONDS = 5.0
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Task = Callable[[Any], object]

_environment = threading.Lock()


class HelperDiedError(RetinaTriageError):
    """A process ended in the middle of its task, in each of several tries."""


class HelperTimeoutError(RetinaTriageError):
    """A task took longer than it may; its process was ended."""


class UnexpectedTaskError(RetinaTriageError):
    """A task failed in a way that this program does not know."""


@dataclass(frozen=True)
class Limits:
    """What a task may take; None is no limit. Memory is limited on POSIX systems only."""

    seconds: float | None = None
    memory_bytes: int | None = None


NO_LIMITS = Limits()


class HelperPool:
    """Processes that do the same kind of task; a caller's thread waits for its own task.

    Parameters
    ----------
    task : function of a module, called in the processes with what is asked
    count : how many processes; they are started when first needed
    """

    def __init__(self, task: Task, count: int, limits: Limits = NO_LIMITS) -> None:
        self._task, self._limits = task, limits
        self._free: queue.LifoQueue[_Helper | None] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._all: set[_Helper] = set()
        self._closed = False
        for _ in range(count):
            self._free.put(None)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Numbers of the processes that run now."""
        with self._lock:
            return tuple(helper.process_id for helper in self._all)

    def ask(self, request: object) -> Any:
        """Answer of a process; a task whose process dies is given to another one.

        Raises
        ------
        HelperDiedError
            If three processes died of it.
        HelperTimeoutError
            If it took longer than the limit.
        RetinaTriageError
            What the task raised.
        """
        ends: list[str] = []
        while len(ends) < TRIES:
            with self._helper() as helper:
                try:
                    return helper.ask(request, self._limits.seconds)
                except (EOFError, OSError):
                    ends.append(helper.end())
        msg = f"The process that worked on it ended {TRIES} times ({ends[-1]})."
        raise HelperDiedError(msg)

    def close(self) -> None:
        """End all processes; tasks under way fail."""
        with self._lock:
            self._closed = True
            helpers, self._all = self._all, set()
        for helper in helpers:
            helper.end()

    @contextmanager
    def _helper(self) -> Iterator[_Helper]:
        helper = self._free.get()
        try:
            if helper is None or not helper.alive:
                helper = self._started(helper)
            yield helper
        finally:
            self._free.put(helper if helper is not None and helper.alive else None)

    def _started(self, dead: _Helper | None) -> _Helper:
        helper = _Helper(self._task, self._limits.memory_bytes)
        with self._lock:
            self._all.discard(dead) if dead is not None else None
            closed = self._closed
            if not closed:
                self._all.add(helper)
        if closed:
            helper.end()
            msg = "The work was stopped."
            raise HelperDiedError(msg)
        return helper


class _Helper:
    """One process and the connection to it."""

    def __init__(self, task: Task, memory_bytes: int | None) -> None:
        # A fresh interpreter: forked copies of a process with threads can hang.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, task, memory_bytes), daemon=True
        )
        with _single_threaded():
            self._process.start()
        theirs.close()

    @property
    def process_id(self) -> int:
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        return not self._connection.closed and self._process.is_alive()

    def ask(self, request: object, seconds: float | None) -> Any:
        send(self._connection, request)
        if not self._connection.poll(seconds):
            self.end()
            msg = f"It took longer than the {seconds:g} s that it may take."
            raise HelperTimeoutError(msg)
        answer = receive(self._connection)
        if isinstance(answer, RetinaTriageError):
            raise answer
        return answer

    def end(self) -> str:
        """End the process; says how it ended."""
        self._connection.close()
        self._process.join(0.2)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join(END_SECONDS)
        code = self._process.exitcode or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Let processes that start now use one thread each: the network has the cores."""
    with _environment:
        before = {name: os.environ.get(name) for name in ONE_THREAD}
        os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _serve(connection: Connection, task: Task, memory_bytes: int | None) -> None:
    """Do tasks until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if memory_bytes is not None:
        _limit_memory(memory_bytes)
    with contextlib.suppress(EOFError, OSError):
        while True:
            answer = _answer(task, receive(connection))
            try:
                send(connection, answer)
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                # Nothing has been sent by then.
                send(connection, UnexpectedTaskError(f"{error}. Report it with the file."))


def _answer(task: Task, request: object) -> object:
    try:
        return task(request)
    except RetinaTriageError as error:
        return type(error)(str(error))  # without its traceback and what it holds
    except MemoryError:
        return InputError(
            "It needs more memory than one scan may take. Is the header damaged? Export it again."
        )
    except Exception as error:  # noqa: BLE001 - of any file; the next one may be fine
        return UnexpectedTaskError(f"{type(error).__name__}: {error}. Report it with the file.")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _limit_memory(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory_bytes if most == resource.RLIM_INFINITY else min(memory_bytes, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))
