"""Widgets tied to parameters: how each kind of widget is read, written and listened to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import vtk

from slicer_host.ctk_widgets import ctkPathLineEdit
from slicer_host.node_combo_box import qMRMLNodeComboBox
from slicer_host.parameter_types import Parameter, WithinRange
from slicer_host.qt_module import install_qt

qt = install_qt()

PROPERTY = "SlicerParameterName"
WIDEST = 2**31 - 1


@dataclass(frozen=True)
class Connector:
    """One widget as a place for one value."""

    read: Callable[[], Any]
    write: Callable[[Any], None]
    changed: Any


def connector(widget: Any, parameter: Parameter) -> Connector:
    """Connector of a widget; as in Slicer, not every widget takes every type."""
    kind = parameter.kind
    if isinstance(widget, qMRMLNodeComboBox) and parameter.isNode:
        return Connector(widget.currentNode, widget.setCurrentNode, widget.currentNodeChanged)
    if isinstance(widget, qt.QComboBox) and issubclass(kind, Enum):
        return _enum_connector(widget, kind)
    if isinstance(widget, qt.QCheckBox) and kind is bool:
        return Connector(lambda: widget.checked, widget.setChecked, widget.toggled)
    if isinstance(widget, ctkPathLineEdit) and issubclass(kind, Path):
        return Connector(
            lambda: kind(widget.currentPath),
            lambda value: widget.setCurrentPath(str(value)),
            widget.currentPathChanged,
        )
    if isinstance(widget, qt.QLineEdit) and kind is str:
        return Connector(lambda: widget.text, widget.setText, widget.textChanged)
    if isinstance(widget, (qt.QSpinBox, qt.QDoubleSpinBox)) and kind in (int, float):
        within = parameter.find(WithinRange)
        if within is not None:
            widget.setRange(kind(within.minimum), kind(within.maximum))
        else:  # Slicer too forgets the range of the widget
            widget.setRange(-WIDEST, WIDEST)
        return Connector(lambda: kind(widget.value), widget.setValue, widget.valueChanged)
    msg = f"No connector from {kind.__name__} to {type(widget).__name__} ({parameter.name})"
    raise RuntimeError(msg)


def _enum_connector(widget: Any, kind: type[Enum]) -> Connector:
    members = list(kind)
    widget.clear()
    for member in members:
        widget.addItem(member.label() if hasattr(member, "label") else member.name)
    return Connector(
        lambda: members[widget.currentIndex],
        lambda value: widget.setCurrentIndex(members.index(value)),
        widget.currentIndexChanged,
    )


class GuiConnection:
    """Keeps some widgets and the parameters of one node equal until `disconnect`."""

    def __init__(self, wrapper: Any, widgets: dict[str, Any]) -> None:
        parameters = type(wrapper).allParameters
        self._wrapper = wrapper
        self._busy = False
        self._slots = []
        self._connectors = {n: connector(w, parameters[n]) for n, w in widgets.items()}
        self._pull()
        for name, place in self._connectors.items():
            slot = self._pusher(name, place)
            place.changed.connect(slot)
            self._slots.append((place.changed, slot))
        self._tag = wrapper.AddObserver(vtk.vtkCommand.ModifiedEvent, self._pull)

    def disconnect(self) -> None:
        self._wrapper.RemoveObserver(self._tag)
        for changed, slot in self._slots:
            changed.disconnect(slot)

    def _pusher(self, name: str, place: Connector) -> Callable[..., None]:
        def push(*_args: Any) -> None:
            if not self._busy:
                setattr(self._wrapper, name, place.read())

        return push

    def _pull(self, *_args: Any) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            for name, place in self._connectors.items():
                value = getattr(self._wrapper, name)
                if place.read() != value:
                    place.write(value)
        finally:
            self._busy = False
