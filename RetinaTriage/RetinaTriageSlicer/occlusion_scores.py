"""Scores that an occlusion test can be of: those of the chosen bundle, read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slicer.i18n import tr as _

from RetinaTriageLib.bundle_image_manifest import parse_image_manifest
from RetinaTriageLib.bundle_json import WHOLE_IMAGE
from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.outcomes import OUTCOME_HEADS
from RetinaTriageSlicer.bundle_facts import readManifest
from RetinaTriageSlicer.bundle_of_result import usableManifest


@dataclass(frozen=True)
class Score:
    """One score: what the worker calls it, and what a person reads."""

    name: str
    title: str


def scoresOf(bundle: Path) -> tuple[Score, ...]:
    """Scores of a bundle: classes of pictures, or outcomes of tissue maps.

    Raises
    ------
    BundleError
        If there is no bundle.
    """
    text, fields = readManifest(bundle)
    if fields.get("kind") == WHOLE_IMAGE:
        return tuple(Score(one.name, one.title) for one in parse_image_manifest(text).classes)
    manifest = usableManifest(text)
    heads = OUTCOME_HEADS if manifest is None else manifest.vocabulary.heads
    if not heads:
        raise BundleError(_("The bundle answers nothing. Choose another one."))
    return tuple(
        Score(
            f"{head.name}.{outcome.name}",
            _("{question}: {outcome}").format(question=head.title, outcome=outcome.title),
        )
        for head in heads
        for outcome in head.outcomes
    )
