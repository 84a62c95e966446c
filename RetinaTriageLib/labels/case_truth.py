"""What is known about a case besides its labels: a JSON file beside the scan, ``<name>.json``.

All fields may be missing. An example::

    {"referral": "urgent", "conditions": ["cnv", "drusen"], "patient": "17",
     "laterality": "OD", "scanner": "spectralis", "spacing_um": [122, 3.87, 11.7],
     "background": "vitreous_subhyaloid"}

``conditions`` as a list is complete: what it leaves out is absent. As an object, such as
``{"macular_retinal_edema": false}``, it tells only what it names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.outcomes import OUTCOME_HEADS, OutcomeHead
from RetinaTriageLib.volume import DeviceFamily, Laterality, OCTVolume, VoxelSpacing, with_geometry

Answers = Mapping[str, Mapping[str, bool]]
"""Head name to outcome name to whether it is present; what is not known is left out."""

FACTS = ("patient", "laterality", "scanner", "spacing_um", "background")

# What `retina-triage phantom` writes besides; of no use here.
PHANTOM_FACTS = (
    "seed",
    "shape",
    "spacing",
    "order_of_layers",
    "order_of_reflectivity",
    "parameters",
)


@dataclass(frozen=True)
class CaseTruth:
    """Facts about one case; None where the file does not tell.

    Attributes
    ----------
    patient : tells which cases belong together
    background : tissue, or label set, of voxels that no segment covers
    """

    answers: Answers = field(default_factory=lambda: MappingProxyType({}))
    patient: str | None = None
    laterality: Laterality | None = None
    device: DeviceFamily | None = None
    spacing: VoxelSpacing | None = None
    background: str | None = None


def read_truth(path: Path, heads: tuple[OutcomeHead, ...] = OUTCOME_HEADS) -> CaseTruth:
    """Truth of a JSON file; an empty one where there is no such file.

    Raises
    ------
    InputError
        If the file is no JSON object, or names an unknown field, head or outcome.
    """
    if not path.exists():
        return CaseTruth()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{path.name} is no JSON ({error}); correct it."
        raise InputError(msg) from error
    known = {*FACTS, *(head.name for head in heads)}
    if not isinstance(found, dict) or set(found) - known - set(PHANTOM_FACTS):
        msg = f"{path.name}: found {found!r:.80}; expected an object with some of {sorted(known)}."
        raise InputError(msg)
    try:
        return _truth(found, heads)
    except (TypeError, ValueError) as error:
        msg = f"{path.name}: {error}"
        raise InputError(msg) from error


def with_truth(volume: OCTVolume, truth: CaseTruth) -> OCTVolume:
    """Volume with the geometry that the truth states, marked as assumed."""
    return with_geometry(
        volume, spacing=truth.spacing, laterality=truth.laterality, device=truth.device
    )


def stated_answers(head: OutcomeHead, stated: object) -> Mapping[str, bool]:
    """Outcomes of one head as they stand in JSON: a name, a list of names, or an object.

    Raises
    ------
    InputError
        If an outcome is unknown, or an exclusive head has not one answer.

    Examples
    --------
    >>> from RetinaTriageLib.outcomes import PROGRESSION
    >>> stated_answers(PROGRESSION, "slow")
    {'stable': False, 'slow': True, 'rapid': False}
    """
    if isinstance(stated, dict):
        _require_names(head, stated)
        if not all(isinstance(present, bool) for present in stated.values()):
            msg = f"Found {stated} for {head.name}; expected true or false for each outcome."
            raise InputError(msg)
        return dict(stated)
    names = [stated] if isinstance(stated, str) else stated
    if not isinstance(names, list) or (head.exclusive and len(names) != 1):
        expected = "one name" if head.exclusive else "a list of names, or an object"
        msg = f"Found {stated!r} for {head.name}; expected {expected}."
        raise InputError(msg)
    _require_names(head, names)
    return {name: name in names for name in head.names}


def _truth(found: dict[str, Any], heads: tuple[OutcomeHead, ...]) -> CaseTruth:
    spacing_um = found.get("spacing_um")
    if spacing_um is not None and len(spacing_um) != 3:
        msg = f"found spacing_um {spacing_um}; expected [B-scan, depth, width] in µm."
        raise InputError(msg)
    patient = found.get("patient")
    return CaseTruth(
        {h.name: stated_answers(h, found[h.name]) for h in heads if h.name in found},
        None if patient is None else str(patient),
        Laterality(found["laterality"]) if "laterality" in found else None,
        DeviceFamily(found["scanner"]) if "scanner" in found else None,
        VoxelSpacing.from_um(*spacing_um) if spacing_um is not None else None,
        found.get("background"),
    )


def _require_names(head: OutcomeHead, names: Any) -> None:
    unknown = [name for name in names if name not in head.names]
    if unknown:
        msg = f"Found {unknown} for {head.name}; expected some of {', '.join(head.names)}."
        raise InputError(msg)
