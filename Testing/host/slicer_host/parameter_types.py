"""How parameters of each type are stored in a ``vtkMRMLScriptedModuleNode``, and checked."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import slicer

EMPTY = {str: "", bool: False, int: 0, float: 0.0, Path: Path()}


@dataclass(frozen=True)
class Default:
    """Annotation: the first value."""

    value: Any


@dataclass(frozen=True)
class WithinRange:
    """Annotation: a number from ``minimum`` to ``maximum``."""

    minimum: float
    maximum: float

    def validate(self, value: float) -> None:
        if not self.minimum <= value <= self.maximum:
            msg = f"{value} is not within {self.minimum} to {self.maximum}"
            raise ValueError(msg)


@dataclass(frozen=True)
class Parameter:
    """One typed parameter: name, plain type and annotations; nodes are stored by reference."""

    name: str
    kind: Any
    annotations: tuple[Any, ...]

    @property
    def isNode(self) -> bool:
        return issubclass(self.kind, slicer.vtkMRMLNode)

    def find(self, kind: type) -> Any:
        return next((one for one in self.annotations if isinstance(one, kind)), None)

    def default(self) -> Any:
        stated = self.find(Default)
        if stated is not None:
            return stated.value
        if issubclass(self.kind, Enum):
            return next(iter(self.kind))
        return EMPTY[self.kind]

    def read(self, node: Any) -> Any:
        if self.isNode:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if self.kind is bool:
            return text == "True"
        return self.kind[text] if issubclass(self.kind, Enum) else self.kind(text)

    def write(self, node: Any, value: Any) -> None:
        if self.isNode:
            self._require(value, self.kind | None)
            node.SetParameter(self.name, "")  # as Slicer does: None is a value too
            node.SetNodeReferenceID(self.name, None if value is None else value.GetID())
            return
        if self.kind is float and type(value) is int:
            value = float(value)
        self._require(value, self.kind)
        within = self.find(WithinRange)
        if within is not None:
            within.validate(value)
        node.SetParameter(self.name, value.name if isinstance(value, Enum) else str(value))

    def isStored(self, node: Any) -> bool:
        return self.isNode or bool(node.HasParameter(self.name))

    def _require(self, value: Any, kind: Any) -> None:
        if not isinstance(value, kind) or (self.kind is int and isinstance(value, bool)):
            msg = f"{self.name} takes {self.kind.__name__}, not {value!r}"
            raise TypeError(msg)


def parameters_of(cls: type) -> dict[str, Parameter]:
    """Parameters that a class declares; a type that the host does not know is an error."""
    found = {}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        plain, *annotations = (
            typing.get_args(hint) if typing.get_origin(hint) is typing.Annotated else (hint,)
        )
        if name in vars(cls):
            annotations.append(Default(vars(cls)[name]))
        known = isinstance(plain, type) and (
            plain in EMPTY or issubclass(plain, (Enum, slicer.vtkMRMLNode))
        )
        if not known:
            msg = f"The host has no parameters of type {plain} ({name})."
            raise NotImplementedError(msg)
        found[name] = Parameter(name, plain, tuple(annotations))
    return found
