"""The bundle of the last run, kept with its networks so that the next run starts at once."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.bundle import Bundle, load_bundle
from RetinaTriageLib.bundle_files import MANIFEST

if TYPE_CHECKING:
    from RetinaTriageLib.networks.joint_classification import JointNetwork
    from RetinaTriageLib.networks.kinds import MapClassifier, Segmenter


class WarmBundle(Bundle):
    """A bundle whose networks are built once; they stay on the device of the last run."""

    def segmentation_networks(self) -> tuple[Segmenter, ...]:
        """Segmentation networks in the order of the manifest."""
        return self._segmentation_networks

    def classification_networks(self) -> tuple[MapClassifier, ...]:
        """Classification networks in the order of the manifest."""
        return self._classification_networks

    def joint_networks(self) -> tuple[JointNetwork, ...]:
        """Joint classifiers in the order of the manifest."""
        return self._joint_networks

    @cached_property
    def _segmentation_networks(self) -> tuple[Segmenter, ...]:
        return super().segmentation_networks()

    @cached_property
    def _classification_networks(self) -> tuple[MapClassifier, ...]:
        return super().classification_networks()

    @cached_property
    def _joint_networks(self) -> tuple[JointNetwork, ...]:
        return super().joint_networks()


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
            fresh = load_bundle(path)
            self._bundle = WarmBundle(fresh.manifest, fresh.sha256, fresh.model_card, fresh.weights)
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
