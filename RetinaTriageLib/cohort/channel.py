"""Objects with large arrays, sent between processes of our own without copying the arrays."""

from __future__ import annotations

import io
import pickle
from multiprocessing.connection import Connection
from types import MappingProxyType
from typing import Any

import numpy as np


def send(connection: Connection, thing: object) -> None:
    """Send an object; its arrays go straight from where they lie into the pipe.

    Raises
    ------
    OSError
        If the other end is gone.
    """
    buffers: list[pickle.PickleBuffer] = []
    file = io.BytesIO()
    _Pickler(file, protocol=5, buffer_callback=buffers.append).dump(thing)
    arrays = [buffer.raw() for buffer in buffers]
    connection.send([array.nbytes for array in arrays])
    connection.send_bytes(file.getbuffer())
    for array in arrays:
        if array.nbytes:
            connection.send_bytes(array)


def receive(connection: Connection) -> Any:
    """Receive what the other end sent with `send`; arrays can be written to.

    Raises
    ------
    EOFError, OSError
        If the other end is gone.
    """
    sizes = connection.recv()
    content = connection.recv_bytes()
    arrays = [np.empty(size, np.uint8) for size in sizes]
    for array in arrays:
        if array.nbytes:
            connection.recv_bytes_into(array.data)
    return pickle.loads(content, buffers=arrays)


class _Pickler(pickle.Pickler):
    """Knows read-only mappings, which the standard pickler refuses."""

    def reducer_override(self, thing: object) -> Any:
        return (
            (_read_only, (dict(thing),)) if isinstance(thing, MappingProxyType) else NotImplemented
        )


def _read_only(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)
