"""What a phantom was made from, as plain values that JSON can hold."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np

from RetinaTriageLib.phantoms.anatomy import LAYERS, Vessel
from RetinaTriageLib.phantoms.devices import DeviceProfile
from RetinaTriageLib.phantoms.fields import SmoothField
from RetinaTriageLib.phantoms.phantom import Phantom
from RetinaTriageLib.phantoms.surfaces import REGIONS
from RetinaTriageLib.volume import describe

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def describe_phantom(phantom: Phantom, seed: int, device: DeviceProfile) -> dict[str, Plain]:
    """Truth and parameters of a phantom; lengths are mm unless their name says otherwise.

    Smooth random fields and the courses of vessels are left out: the seed brings them back.
    """
    return {
        "seed": seed,
        "referral": phantom.truth.referral,
        "conditions": list(phantom.truth.conditions),
        "progression": phantom.truth.progression,
        "treatment": phantom.truth.treatment,
        "laterality": phantom.placement.laterality.value,
        "scanner": device.family.value,
        "shape": list(phantom.volume.shape),
        "spacing": describe(device.spacing),
        "order_of_layers": [*LAYERS, "rpe"],
        "order_of_reflectivity": [*REGIONS, "cyst", "exudate", "hyaloid"],
        "parameters": {
            "anatomy": _plain(phantom.eye.anatomy),
            "lesions": _plain(phantom.eye.lesions),
            "placement": _plain(phantom.placement),
            "exposure": _plain(phantom.exposure),
        },
    }


def _plain(value: object) -> Plain:
    """Value with arrays, enumerations and dataclasses turned into lists, names and objects."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Vessel):
        return {"radius_mm": value.radius_mm}
    if is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: _plain(part) for name, part in parts.items() if not _is_random_field(part)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return [_plain(item) for item in sorted(value)]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if value is None or isinstance(value, bool | int | float | str):
        return value
    msg = f"No plain form of {type(value).__name__}."
    raise TypeError(msg)


def _is_random_field(value: object) -> bool:
    fields_in_row = isinstance(value, tuple) and value and isinstance(value[0], SmoothField)
    return isinstance(value, SmoothField) or bool(fields_in_row)
