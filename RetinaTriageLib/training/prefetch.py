"""Batches of coming iterations, made in a thread while the network learns."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Batch = TypeVar("Batch")


class Prefetch(Generic[Batch]):
    """Makes batches in the order of their iterations, a few ahead."""

    def __init__(self, make: Callable[[int], Batch], first: int, ahead: int = 3) -> None:
        self._queue: queue.Queue[Batch | Exception] = queue.Queue(ahead)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(make, first), daemon=True)
        self._thread.start()

    def _work(self, make: Callable[[int], Batch], iteration: int) -> None:
        while not self._stopped.is_set():
            try:
                item: Batch | Exception = make(iteration)
            except Exception as error:  # noqa: BLE001 - raised again where the batch is asked for
                item = error
            self._put(item)
            iteration += 1

    def _put(self, item: Batch | Exception) -> None:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def take(self) -> Batch:
        """Return the batch of the next iteration."""
        item = self._queue.get()
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        """Stop the thread."""
        self._stopped.set()
        self._thread.join()
