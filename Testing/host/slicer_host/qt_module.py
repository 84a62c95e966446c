"""The ``qt`` module: PySide6 with PythonQt's manners."""

from __future__ import annotations

import sys
import types
from typing import Any

from PySide6 import QtCore, QtGui, QtNetwork, QtUiTools, QtWidgets

from slicer_host import qt_attributes, qt_signals
from slicer_host.qt_properties import ObjectName, make_properties_attributes

LIBRARIES = (QtCore, QtGui, QtWidgets, QtNetwork, QtUiTools)


def install_qt() -> types.ModuleType:
    """Patch PySide6 in place, once, and register it as ``qt``."""
    if "qt" in sys.modules:
        return sys.modules["qt"]
    names = {
        name: getattr(library, name)
        for library in LIBRARIES
        for name in dir(library)
        if not name.startswith("_")
    }
    classes = [c for c in names.values() if isinstance(c, type) and issubclass(c, QtCore.QObject)]
    own_setters = [cls for cls in classes if "__setattr__" in cls.__dict__]
    make_properties_attributes(classes)
    _patch_objects(QtCore.QObject)
    for cls in own_setters:
        cls.__setattr__ = qt_attributes.set_attribute  # type: ignore[method-assign]
    module = types.ModuleType("qt", "PySide6 with the manners of PythonQt")
    vars(module).update(names)
    sys.modules["qt"] = module
    return module


def _patch_objects(cls: Any) -> None:
    cls.name = ObjectName()
    cls.connect = qt_signals.connect
    cls.disconnect = qt_signals.disconnect
    cls.findChild = qt_attributes.find_child
    cls.findChildren = qt_attributes.find_children
    cls.className = lambda self: type(self).__name__
    cls.delete = lambda self: self.deleteLater()
    cls.__getattribute__ = qt_attributes.get_attribute
    cls.__getattr__ = qt_attributes.get_missing
    cls.__setattr__ = qt_attributes.set_attribute
