"""The bundle of the last run, kept with its networks so that the next run starts at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

from RetinaTriageLib.bundle import Bundle, load_bundle
from RetinaTriageLib.bundle_files import MANIFEST
from RetinaTriageLib.inference.warm_bundle import WarmBundle


class BundleShelf:
    """Room for one bundle, known by its path and the hash of its manifest."""

    def __init__(self) -> None:
        self._key: tuple[Path, str] | None = None
        self._bundle: WarmBundle | None = None

    def get(self, path: Path) -> Bundle:
        """Bundle of a folder or zip, from memory where neither path nor content changed.

        Raises
        ------
        BundleError
            If it cannot be trusted or used.
        """
        key = _key(path)
        if self._bundle is None or key is None or key != self._key:
            self.clear()
            self._bundle = WarmBundle.of(load_bundle(path))
            self._key = key
        return self._bundle

    def clear(self) -> None:
        """Free the memory of the bundle and its networks."""
        self._key = self._bundle = None


def _key(path: Path) -> tuple[Path, str] | None:
    """Path and hash of the manifest, or of a whole zip; None where there is none to hash."""
    path = path.resolve()
    try:
        with (path / MANIFEST if path.is_dir() else path).open("rb") as file:
            return path, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:  # `load_bundle` says what is wrong
        return None
