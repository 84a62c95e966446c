"""Qt properties as PythonQt shows them: attributes, not methods, converted and refused alike."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore

# Getters that C++ calls back through Python's virtual dispatch; they must stay methods.
VIRTUAL = ("sizeHint", "minimumSizeHint", "duration")
VIRTUAL_OF_CLASS = (("QProgressBar", "text"),)
CONVERSIONS = {"bool": bool, "double": float, "QString": str}
LISTS = ("QStringList", "QVariantList")

_read = QtCore.QObject.property
_write = QtCore.QObject.setProperty


class QtProperty:
    """Descriptor of one Q_PROPERTY."""

    def __init__(self, declared: QtCore.QMetaProperty) -> None:
        self._name = declared.name()
        self._writable = declared.isWritable()
        self._type = declared.typeName()

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        if owner is None:
            return self
        value = _read(owner, self._name)
        return tuple(value) if self._type in LISTS and isinstance(value, list) else value

    def __set__(self, owner: Any, value: Any) -> None:
        where = f"property '{self._name}' of {type(owner).__name__}"
        if not self._writable:
            msg = f"{where} is not writable"
            raise AttributeError(msg)
        convert = CONVERSIONS.get(self._type)
        if not _write(owner, self._name, convert(value) if convert else value):
            msg = f"{where} does not accept {value!r}"
            raise AttributeError(msg)


class ObjectName:
    """``name`` is PythonQt's short form of ``objectName``."""

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self if owner is None else _read(owner, "objectName")

    def __set__(self, owner: Any, value: str) -> None:
        _write(owner, "objectName", value)


def make_properties_attributes(classes: list[type]) -> None:
    """Replace the getter methods of all Q_PROPERTYs of these classes by attributes."""
    for cls in classes:
        meta = cls.staticMetaObject  # type: ignore[attr-defined]
        own = meta.propertyOffset()
        for index in range(meta.propertyCount()):
            declared = meta.property(index)
            name = declared.name()
            virtual = name in VIRTUAL or (cls.__name__, name) in VIRTUAL_OF_CLASS
            if not virtual and (index >= own or name in cls.__dict__):
                setattr(cls, name, QtProperty(declared))
