"""A bundle whose networks stay in memory from one volume to the next."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from RetinaTriageLib.bundle import Bundle

if TYPE_CHECKING:
    from RetinaTriageLib.networks.fluid_network import FluidNetwork
    from RetinaTriageLib.networks.joint_classification import JointNetwork
    from RetinaTriageLib.networks.kinds import MapClassifier, Segmenter
    from RetinaTriageLib.networks.lesion_naming import LesionNamer


class WarmBundle(Bundle):
    """A bundle whose networks are built once; they stay on the device of the last run."""

    @staticmethod
    def of(bundle: Bundle) -> WarmBundle:
        """Make the same bundle warm."""
        return WarmBundle(bundle.manifest, bundle.sha256, bundle.model_card, bundle.weights)

    def segmentation_networks(self) -> tuple[Segmenter, ...]:
        """Segmentation networks in the order of the manifest."""
        return self._segmentation_networks

    def lesion_namer(self) -> LesionNamer | None:
        """Trees that name lesions, if the bundle brings some."""
        return self._lesion_namer

    def fluid_network(self) -> FluidNetwork | None:
        """Network that looks for intraretinal fluid, if the bundle brings one."""
        return self._fluid_network

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
    def _lesion_namer(self) -> LesionNamer | None:
        return super().lesion_namer()

    @cached_property
    def _fluid_network(self) -> FluidNetwork | None:
        return super().fluid_network()

    @cached_property
    def _classification_networks(self) -> tuple[MapClassifier, ...]:
        return super().classification_networks()

    @cached_property
    def _joint_networks(self) -> tuple[JointNetwork, ...]:
        return super().joint_networks()
