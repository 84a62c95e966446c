"""The bundle that made a result, found again by the hash that the result carries."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from RetinaTriageLib.bundle import SHIPPED
from RetinaTriageLib.bundle_files import MANIFEST
from RetinaTriageLib.bundle_manifest import Manifest
from RetinaTriageLib.bundle_manifest_json import parse_manifest
from RetinaTriageLib.errors import BundleError
from RetinaTriageSlicer.bundle_facts import manifestText


def findBundle(sha256: str, chosen: Path | None) -> Path | None:
    """Path of the bundle with this hash, among the chosen one and those that are shipped."""
    return next((path for path in _candidates(chosen) if _hash(path) == sha256), None)


def readBundleManifest(path: Path) -> Manifest | None:
    """Manifest of a bundle, read without torch; None where it cannot be used."""
    text = _manifest(path)
    return None if text is None else usableManifest(text)


def usableManifest(text: bytes) -> Manifest | None:
    """Parse a manifest; None where it is damaged, or a package is missing to check it."""
    try:
        return parse_manifest(text)
    except (BundleError, ImportError, ValueError):
        return None


def _candidates(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        yield chosen
    yield from sorted(path.parent for path in SHIPPED.glob(f"*/{MANIFEST}"))


def _hash(path: Path) -> str:
    text = _manifest(path)
    return "" if text is None else hashlib.sha256(text).hexdigest()


def _manifest(path: Path) -> bytes | None:
    try:
        return manifestText(path)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return None
