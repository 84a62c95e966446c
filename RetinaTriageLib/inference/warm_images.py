"""A bundle of whole-image classifiers whose networks stay in memory from one volume to the next."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from RetinaTriageLib.bundle_images import ImageBundle

if TYPE_CHECKING:
    from RetinaTriageLib.networks.bscan import BscanNetwork


class WarmImages(ImageBundle):
    """A bundle whose networks are built once; they stay on the device of the last run."""

    @staticmethod
    def of(bundle: ImageBundle) -> WarmImages:
        """Make the same bundle warm."""
        return WarmImages(bundle.manifest, bundle.sha256, bundle.model_card, bundle.weights)

    def networks(self) -> tuple[BscanNetwork, ...]:
        """Networks in the order of the manifest."""
        return self._networks

    @cached_property
    def _networks(self) -> tuple[BscanNetwork, ...]:
        return super().networks()
