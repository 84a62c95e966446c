"""Names that the wheel puts into ``slicer`` but the application does not: hidden, and why.

With ``slicer.arrayFromVolume`` within reach, code could pass its tests here and fail in Slicer.
"""

from __future__ import annotations

import sys

import slicer
import slicer_core


def hide_wheel_names() -> None:
    """Take the functions of ``slicer.util`` out of ``slicer``, where only the wheel has them."""
    for name in slicer.util.__all__:
        if name != "util" and name in vars(slicer):
            delattr(slicer, name)


def add_library_aliases() -> None:
    """Make the wrapped C++ libraries importable by their application names."""
    for name, module in list(vars(slicer_core).items()):
        if getattr(module, "__name__", "").startswith("slicer_core."):
            sys.modules.setdefault(name if name.endswith("Python") else f"{name}Python", module)
