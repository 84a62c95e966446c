"""The manifest of a whole-image classifier: what it sees, what it answers, and how well.

``bundle.json`` follows ``image_bundle.schema.json``. Reading it needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from RetinaTriageLib.bundle_json import (
    FORMAT,
    WHOLE_IMAGE,
    bundle_fields,
    bundle_text,
    require_schema,
)
from RetinaTriageLib.bundle_manifest import ClassifierEntry, Measured
from RetinaTriageLib.bundle_vocabulary import require_unique
from RetinaTriageLib.errors import BundleError, InputError
from RetinaTriageLib.image_classes import Head, ImageClass, Pooling, require_referral
from RetinaTriageLib.outcomes import CONDITIONS

SCHEMA_VERSION = 1

BSCAN = "bscan"
"""Kind of the networks of such a bundle."""


@dataclass(frozen=True)
class ImageManifest:
    """Everything that a bundle of whole-image classifiers says about itself.

    Attributes
    ----------
    images : one sentence on the images that it is for, such as "Macular OCT B-scans, Spectralis."
    trained_on : one sentence, shown beside each score
    size : (depth, width) in pixels that images are resampled to
    networks : one or more whole-image networks, whose probabilities are averaged
    otherwise : referral where no class of binary heads is present; None says nothing then
    pooling : how the verdicts of B-scans become that of a volume unless the user chooses
    """

    name: str
    version: str
    license: str
    description: str
    images: str
    trained_on: str
    trained_on_phantoms_only: bool
    classes: tuple[ImageClass, ...]
    head: Head
    size: tuple[int, int]
    networks: tuple[ClassifierEntry, ...] = ()
    otherwise: str | None = None
    pooling: Pooling = Pooling.MAXIMUM
    measured: tuple[Measured, ...] = ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the scores."""
        return tuple(found.name for found in self.classes)


def is_image_manifest(text: bytes) -> bool:
    """Tell whether ``bundle.json`` describes whole-image classifiers.

    Raises
    ------
    BundleError
        If it is no JSON or of another program.
    """
    return bundle_fields(text).get("kind") == WHOLE_IMAGE


def parse_image_manifest(text: bytes) -> ImageManifest:
    """Manifest from the bytes of ``bundle.json``.

    Raises
    ------
    BundleError
        If it is no JSON, no manifest of whole-image classifiers, of a newer version, or
        contradicts itself.
    """
    found = bundle_fields(text)
    if found.get("kind") != WHOLE_IMAGE:
        msg = (
            "Found a bundle of tissue-map networks; expected a whole-image classifier. "
            "Give this one with --bundle, and a classifier of images with --bscan-bundle."
        )
        raise BundleError(msg)
    require_schema(found, "image_bundle.schema.json", SCHEMA_VERSION)
    manifest = _manifest(found)
    _require_sense(manifest)
    return manifest


def image_manifest_json(manifest: ImageManifest) -> bytes:
    """Bytes of ``bundle.json``."""
    return bundle_text(
        {
            "format": FORMAT,
            "kind": WHOLE_IMAGE,
            "schema_version": SCHEMA_VERSION,
            **asdict(manifest),
        }
    )


def _manifest(found: Mapping[str, Any]) -> ImageManifest:
    known = {k: v for k, v in found.items() if k not in ("format", "kind", "schema_version")}
    depth, width = known["size"]
    return ImageManifest(
        **{
            **known,
            "classes": tuple(ImageClass(**entry) for entry in known["classes"]),
            "head": Head(known["head"]),
            "size": (depth, width),
            "networks": tuple(ClassifierEntry(**entry) for entry in known["networks"]),
            "pooling": Pooling(known.get("pooling", Pooling.MAXIMUM)),
            "measured": tuple(Measured(**entry) for entry in known.get("measured", ())),
        }
    )


def _require_sense(manifest: ImageManifest) -> None:
    """Refuse what a schema cannot see: doubles and words that nothing stands behind."""
    require_unique("class", manifest.class_names)
    require_unique("network", (entry.name for entry in manifest.networks))
    require_unique("weight file", (entry.file.lower() for entry in manifest.networks))
    asked = (*(found.referral for found in manifest.classes), manifest.otherwise)
    try:
        for referral in filter(None, asked):
            require_referral(referral)
    except InputError as error:
        msg = f"{error} Correct it in bundle.json, or leave it out."
        raise BundleError(msg) from error
    for found in manifest.classes:
        if found.condition is not None and found.condition not in CONDITIONS.names:
            msg = (
                f"Found condition {found.condition!r} of class {found.name!r}; expected one of "
                f"{', '.join(CONDITIONS.names)}, or null. Correct it in bundle.json."
            )
            raise BundleError(msg)
