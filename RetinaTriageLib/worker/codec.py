"""Dataclasses to JSON and back, exactly, guided by their type hints; arrays go through a store.

The message never says which class to make: the reader asks for one. Keys that it does not know are
ignored, missing ones take their default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Protocol, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.worker.errors import WorkerProtocolError

Array = npt.NDArray[Any]


class ArrayStore(Protocol):
    """Where arrays are kept, such as `folder.ArrayFolder`."""

    def store(self, array: Array) -> dict[str, Any]:
        """Keep an array; gives a reference that is JSON."""

    def load(self, reference: object) -> Array:
        """Array of a reference."""


def encode(kind: Any, value: Any, arrays: ArrayStore) -> Any:
    """JSON of a value whose type, or type hint, is ``kind``."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else encode(_optional(arguments), value, arrays)
    if origin is np.ndarray:
        return arrays.store(value)
    if origin is tuple:
        kinds = _item_kinds(arguments, len(value))
        return [encode(item, one, arrays) for item, one in zip(kinds, value, strict=True)]
    if origin is Mapping:
        return {str(key): encode(arguments[1], one, arrays) for key, one in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return encode_fields(kind, value, arrays)
    if issubclass(kind, Enum):
        return value.value
    if kind is float:
        number = float(value)
        return number if math.isfinite(number) else str(number)  # JSON knows no NaN
    if kind in (int, bool, str, Path):
        return str(value) if kind is Path else kind(value)
    msg = f"Expected a kind of value that can be sent, got {kind!r}."
    raise TypeError(msg)


def decode(kind: Any, data: Any, arrays: ArrayStore) -> Any:
    """Value of type ``kind`` from its JSON.

    Raises
    ------
    WorkerProtocolError
        If the JSON is not that of such a value.
    InputError, GeometryError
        If the value refuses itself, such as a spacing that no scanner has.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if data is None else decode(_optional(arguments), data, arrays)
    if origin is np.ndarray:
        return arrays.load(data)
    if origin is tuple:
        _require(data, list, kind)
        kinds = _item_kinds(arguments, len(data))
        if len(kinds) != len(data):
            raise WorkerProtocolError(_misfit(data, kind))
        return tuple(decode(item, one, arrays) for item, one in zip(kinds, data, strict=True))
    if origin is Mapping:
        _require(data, dict, kind)
        return {key: decode(arguments[1], one, arrays) for key, one in data.items()}
    if is_dataclass(kind):
        return decode_fields(kind, data, arrays, {})
    return _decode_plain(kind, data)


def encode_fields(
    kind: type, value: Any, arrays: ArrayStore, without: tuple[str, ...] = ()
) -> dict[str, Any]:
    """JSON of the fields of a dataclass."""
    hints = _hints(kind)
    return {
        name: encode(hint, getattr(value, name), arrays)
        for name, hint in hints.items()
        if name not in without
    }


def decode_fields(kind: Any, data: Any, arrays: ArrayStore, known: Mapping[str, Any]) -> Any:
    """Dataclass from JSON; fields in ``known`` are taken from there."""
    _require(data, dict, kind)
    hints = _hints(kind)
    found = {
        name: decode(hint, data[name], arrays)
        for name, hint in hints.items()
        if name in data and name not in known
    }
    try:
        return kind(**found, **known)
    except TypeError as error:  # a field without default is missing
        raise WorkerProtocolError(_misfit(sorted(data), kind)) from error


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _optional(arguments: tuple[Any, ...]) -> Any:
    (kind,) = (argument for argument in arguments if argument is not NoneType)
    return kind


def _item_kinds(arguments: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    return arguments[:1] * count if arguments[-1] is Ellipsis else arguments


def _decode_plain(kind: Any, data: Any) -> Any:
    if kind is Path:
        _require(data, str, kind)
        return Path(data)
    if kind is float and (data in ("nan", "inf", "-inf") or type(data) is int):
        return float(data)
    if issubclass(kind, Enum):
        try:
            return kind(data)
        except ValueError as error:
            raise WorkerProtocolError(_misfit(data, kind)) from error
    _require(data, kind, kind)
    return data


def _require(data: Any, shape: type, kind: Any) -> None:
    if type(data) is not shape:
        raise WorkerProtocolError(_misfit(data, kind))


def _misfit(data: Any, kind: Any) -> str:
    return (
        f"Found {str(data)[:80]} in a message; expected {getattr(kind, '__name__', kind)}. Client "
        "and worker are of different versions: restart Slicer, or install RetinaTriage again."
    )
