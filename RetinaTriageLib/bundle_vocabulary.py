"""Tissues and outcome heads in a bundle's manifest.

An entry that belongs to the standard vocabulary is written as its name alone, so that its title,
color and code stay in one place; any other entry brings its full definition.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.outcomes import OUTCOME_HEADS, Outcome, OutcomeHead
from RetinaTriageLib.tissues import TISSUE_BY_NAME, Code, Tissue, TissueGroup

JsonEntry = str | dict[str, Any]

HEAD_BY_NAME = {head.name: head for head in OUTCOME_HEADS}


def tissue_from_json(label: int, entry: JsonEntry) -> Tissue:
    """Tissue of one label; the label is the entry's place in the manifest."""
    if isinstance(entry, str):
        if entry not in TISSUE_BY_NAME:
            raise BundleError(_not_standard("tissue", entry, TISSUE_BY_NAME))
        return replace(TISSUE_BY_NAME[entry], label=label)
    groups = {group.value: group for group in TissueGroup}
    if entry["group"] not in groups:
        msg = (
            f"Found tissue group {entry['group']!r}; expected one of {', '.join(groups)}. "
            "Correct it in bundle.json."
        )
        raise BundleError(msg)
    details = {
        "color": tuple(entry["color"]),
        "group": groups[entry["group"]],
        "code": Code(**entry["code"]),
    }
    return Tissue(label=label, **{**entry, **details})


def tissue_to_json(tissue: Tissue) -> JsonEntry:
    """Name of a standard tissue, full definition of any other."""
    standard = TISSUE_BY_NAME.get(tissue.name)
    if standard is not None and replace(standard, label=tissue.label) == tissue:
        return tissue.name
    fields = {**asdict(tissue), "group": tissue.group.value}
    del fields["label"]  # the place in the list says it
    return fields


def head_from_json(entry: JsonEntry) -> OutcomeHead:
    """Outcome head of one manifest entry."""
    if isinstance(entry, str):
        if entry not in HEAD_BY_NAME:
            raise BundleError(_not_standard("outcome head", entry, HEAD_BY_NAME))
        return HEAD_BY_NAME[entry]
    outcomes = tuple(Outcome(**outcome) for outcome in entry["outcomes"])
    require_unique(f"outcome of {entry['name']}", (outcome.name for outcome in outcomes))
    return OutcomeHead(entry["name"], entry["title"], outcomes, exclusive=entry["exclusive"])


def head_to_json(head: OutcomeHead) -> JsonEntry:
    """Name of a standard head, full definition of any other."""
    return head.name if head in OUTCOME_HEADS else asdict(head)


def require_unique(what: str, names: Iterable[str]) -> None:
    """Refuse a manifest in which two entries carry one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            msg = (
                f"Found two entries for {what} {name!r} in bundle.json; expected one of a name. "
                "Ask whoever made the bundle."
            )
            raise BundleError(msg)
        seen.add(name)


def _not_standard(what: str, name: str, standard: Iterable[str]) -> str:
    return (
        f"Found {what} {name!r}, which the standard vocabulary lacks; expected one of "
        f"{', '.join(standard)}, or a full definition in bundle.json."
    )
