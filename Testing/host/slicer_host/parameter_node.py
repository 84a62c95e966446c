"""``slicer.parameterNodeWrapper``: typed parameters kept in a node of the scene.

Only flat parameters of the types in `parameter_types`; storage keys and texts are Slicer's.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import slicer

from slicer_host.parameter_gui import PROPERTY, GuiConnection
from slicer_host.parameter_types import Default, Parameter, WithinRange, parameters_of
from slicer_host.qt_module import install_qt

qt = install_qt()


def parameterNodeWrapper(cls: type) -> type:
    """Class decorator: its annotated fields become properties stored in a parameter node."""
    parameters = parameters_of(cls)
    cls.allParameters = parameters  # type: ignore[attr-defined]
    for parameter in parameters.values():
        setattr(cls, parameter.name, _property(parameter))
    for function in (__init__, connectGui, disconnectGui, AddObserver, RemoveObserver):
        setattr(cls, function.__name__, function)
    return cls


def _property(parameter: Parameter) -> property:
    return property(
        lambda self: parameter.read(self.parameterNode),
        lambda self, value: parameter.write(self.parameterNode, value),
    )


def __init__(self: Any, parameterNode: Any) -> None:
    self.parameterNode = parameterNode
    self._connections = {}
    for parameter in type(self).allParameters.values():
        if not parameter.isStored(parameterNode):
            parameter.write(parameterNode, parameter.default())


def connectGui(self: Any, gui: Any) -> int:
    """Tie the widgets that carry a ``SlicerParameterName`` to their parameters."""
    candidates = gui.findChildren(qt.QWidget) if isinstance(gui, qt.QWidget) else vars(gui).values()
    widgets = {
        widget.property(PROPERTY): widget
        for widget in candidates
        if isinstance(widget, qt.QWidget) and widget.property(PROPERTY)
    }
    unknown = set(widgets) - set(type(self).allParameters)
    if unknown:
        msg = f"Widgets name parameters that do not exist: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    tag = len(self._connections)
    self._connections[tag] = GuiConnection(self, widgets)
    return tag


def disconnectGui(self: Any, tag: int) -> None:
    self._connections.pop(tag).disconnect()


def AddObserver(self: Any, *args: Any) -> int:
    return int(self.parameterNode.AddObserver(*args))


def RemoveObserver(self: Any, tag: int) -> None:
    self.parameterNode.RemoveObserver(tag)


def install_parameter_node() -> None:
    """Register ``slicer.parameterNodeWrapper``."""
    module = types.ModuleType("slicer.parameterNodeWrapper")
    for name in (parameterNodeWrapper, Default, WithinRange):
        setattr(module, name.__name__, name)
    module.SlicerParameterNamePropertyName = PROPERTY  # type: ignore[attr-defined]
    sys.modules["slicer.parameterNodeWrapper"] = module
    slicer.parameterNodeWrapper = module
