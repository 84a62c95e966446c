"""Names that the wheel puts into ``slicer`` but the application does not: hidden, and why.

With ``slicer.arrayFromVolume`` within reach, code could pass its tests here and fail in Slicer.
"""

from __future__ import annotations

import sys

import slicer
import slicer_core

# What the wheel's ``slicer/__init__.py`` leaves behind of its own.
LEFT_BEHIND = (
    "extend_path",
    "import_module",
    "info",
    "item_name",
    "iter_modules",
    "me",
    "module",
    "sys",
)


def hide_wheel_names() -> None:
    """Take out of ``slicer`` what the wheel copies there from ``slicer.util`` or leaves behind."""
    for name in (*leaked_names(), *LEFT_BEHIND):
        if name in vars(slicer):
            delattr(slicer, name)


def leaked_names() -> list[str]:
    """Names of ``slicer.util`` that stand in ``slicer`` too; none once they are hidden."""
    shown = vars(slicer)
    return [
        name
        for name, value in vars(slicer.util).items()
        if not name.startswith("_") and name in shown and shown[name] is value
    ]


def add_library_aliases() -> None:
    """Make the wrapped C++ libraries importable by their application names."""
    for name, module in list(vars(slicer_core).items()):
        if getattr(module, "__name__", "").startswith("slicer_core."):
            sys.modules.setdefault(name if name.endswith("Python") else f"{name}Python", module)
