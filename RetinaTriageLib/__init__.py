"""RetinaTriage: tissue hypotheses, opinions and measurements of retinal OCT. Research use only.

The names below are loaded when first used: importing the package loads neither torch nor SciPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from RetinaTriageLib.bundle import load_bundle
    from RetinaTriageLib.pipeline import TriageOptions, triage
    from RetinaTriageLib.readers.registry import read_volume
    from RetinaTriageLib.result import TriageResult
    from RetinaTriageLib.volume import (
        DeviceFamily,
        Laterality,
        OCTVolume,
        VoxelSpacing,
        with_geometry,
    )
    from RetinaTriageLib.writers.case import save_case

__all__ = [
    "DeviceFamily",
    "Laterality",
    "OCTVolume",
    "TriageOptions",
    "TriageResult",
    "VoxelSpacing",
    "load_bundle",
    "read_volume",
    "save_case",
    "triage",
    "with_geometry",
]

_HOMES = {
    "DeviceFamily": "volume",
    "Laterality": "volume",
    "OCTVolume": "volume",
    "TriageOptions": "pipeline",
    "TriageResult": "result",
    "VoxelSpacing": "volume",
    "load_bundle": "bundle",
    "read_volume": "readers.registry",
    "save_case": "writers.case",
    "triage": "pipeline",
    "with_geometry": "volume",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        msg = f"module 'RetinaTriageLib' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"RetinaTriageLib.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
