"""Attributes of Qt objects as PythonQt has them: children by name, unknown names refused.

Assigning an unknown attribute to a C++ object is an error in Slicer (a typing mistake such as
``button.tooltip = ...`` does not pass); on Python subclasses it is allowed.
"""

from __future__ import annotations

import types
from typing import Any

import shiboken6
from PySide6 import QtCore

from slicer_host import qt_signals

_getattribute = QtCore.QObject.__getattribute__
# The only original slot that CPython lets one call once a class is patched.
_setattr = shiboken6.Object.__setattr__
_read = QtCore.QObject.property
_write = QtCore.QObject.setProperty


def get_attribute(self: Any, name: str) -> Any:
    """Route connect and disconnect, which PySide hard-wires, to ours."""
    if name == "connect":
        return types.MethodType(qt_signals.connect, self)
    if name == "disconnect":
        return types.MethodType(qt_signals.disconnect, self)
    return _getattribute(self, name)


def get_missing(self: Any, name: str) -> Any:
    """Dynamic property or child of this name; called where the normal look-up failed."""
    if not name.startswith("_"):
        if name.encode() in _dynamic_names(self):
            return _read(self, name)
        for child in self.children():
            if _read(child, "objectName") == name:
                return child
    msg = f"{type(self).__name__} has no attribute named '{name}'"
    raise AttributeError(msg)


def set_attribute(self: Any, name: str, value: Any) -> None:
    """Set a property; refuse to make attributes on C++ objects."""
    cls = type(self)
    declared = next((c.__dict__[name] for c in cls.__mro__ if name in c.__dict__), None)
    if isinstance(declared, QtCore.Property):
        if declared.fset is None:
            msg = f"property '{name}' of {cls.__name__} is not writable"
            raise AttributeError(msg)
        declared.fset(self, value)
    elif hasattr(type(declared), "__set__") or not _is_cpp(cls, name, value):
        _setattr(self, name, value)
    elif name.encode() in _dynamic_names(self):
        _write(self, name, value)
    else:
        msg = f"'{name}' does not exist on {cls.__name__}, and C++ objects take no new attributes"
        raise AttributeError(msg)


def _is_cpp(cls: type, name: str, value: Any) -> bool:
    private = name.startswith("_") or isinstance(value, QtCore.SignalInstance)
    marked = cls.__module__.startswith("PySide6") or cls.__dict__.get("isHostClass", False)
    return marked and not private


def _dynamic_names(self: Any) -> list[bytes]:
    return [bytes(name.data()) for name in self.dynamicPropertyNames()]


def find_children(self: Any, kind: Any = QtCore.QObject, name: str = "") -> list[Any]:
    """All descendants of a class, given itself or by its name, and of an object name."""
    found = []
    for child in self.children():
        fits = (
            any(cls.__name__ == kind for cls in type(child).__mro__)
            if isinstance(kind, str)
            else isinstance(child, kind)
        )
        if fits and name in ("", _read(child, "objectName")):
            found.append(child)
        found += find_children(child, kind, name)
    return found


def find_child(self: Any, kind: Any = QtCore.QObject, name: str = "") -> Any:
    """First of `find_children`, or None."""
    return next(iter(find_children(self, kind, name)), None)
