"""``sender.connect("signal(args)", function)``: signatures are checked, as PythonQt does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

_connect = QtCore.QObject.connect
_disconnect = QtCore.QObject.disconnect


def normalized(signature: str) -> str:
    """Signature without its blanks, as Qt compares it."""
    return QtCore.QMetaObject.normalizedSignature(signature).data().decode()


def python_signal(sender: Any, signature: str) -> Any:
    """Bound Python signal of a stand-in widget, or None."""
    for cls in type(sender).__mro__:
        name = cls.__dict__.get("hostSignals", {}).get(signature)
        if name:
            return getattr(sender, name)
    return None


def connect(*args: Any) -> bool:
    """Connect a signal given by its C++ signature; refuse signatures that do not exist."""
    sender, rest = _split(args)
    if not isinstance(rest[0], str):
        return bool(_connect(sender, *rest))
    signature, target = normalized(rest[0]), rest[1]
    signal = python_signal(sender, signature)
    if signal is not None:
        signal.connect(target)
        return True
    _require_signal(sender, signature)
    return bool(_connect(sender, QtCore.SIGNAL(signature), target))


def disconnect(*args: Any) -> bool:
    """Undo `connect`."""
    sender, rest = _split(args)
    if not rest or not isinstance(rest[0], str):
        return bool(_disconnect(sender, *rest))
    signature, target = normalized(rest[0]), rest[1]
    signal = python_signal(sender, signature)
    if signal is not None:
        return bool(signal.disconnect(target))
    _require_signal(sender, signature)
    return bool(_disconnect(sender, QtCore.SIGNAL(signature), target))


def _split(args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Sender and the rest; PySide's own callers pass the object twice, as connect is static."""
    if len(args) > 1 and isinstance(args[1], QtCore.QObject):
        return args[1], args[2:]
    return args[0], args[1:]


def _require_signal(sender: Any, signature: str) -> None:
    if sender.metaObject().indexOfSignal(signature) < 0:
        msg = f"{type(sender).__name__} has no signal '{signature}'"
        raise ValueError(msg)


def signals(**declared: str) -> Callable[[type], type]:
    """Class decorator of stand-ins: Python signal name to C++ signature; marks the class as C++."""

    def mark(cls: type) -> type:
        cls.hostSignals = {normalized(text): name for name, text in declared.items()}  # type: ignore[attr-defined]
        cls.isHostClass = True  # type: ignore[attr-defined]
        return cls

    return mark
