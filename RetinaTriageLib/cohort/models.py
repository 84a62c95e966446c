"""The bundles that the scans of a cohort are worked with, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from RetinaTriageLib.cohort.plan import CohortPlan

if TYPE_CHECKING:
    from RetinaTriageLib.bscan_verdict import ImageTask
    from RetinaTriageLib.bundle import Bundle
    from RetinaTriageLib.bundle_images import ImageBundle


@dataclass(frozen=True)
class Models:
    """Networks of the tissue maps, and whole-image classifiers beside them if there are any.

    Attributes
    ----------
    images : its verdict on a scan's B-scans stands beside that of the tissue maps
    """

    maps: Bundle
    images: ImageBundle | None = None

    @property
    def task(self) -> ImageTask | None:
        """Question that the whole-image classifiers answer; None without them."""
        if self.images is None:
            return None
        from RetinaTriageLib.inference.judge_images import bundle_task

        return bundle_task(self.images)

    @property
    def images_sha256(self) -> str | None:
        """Hash of the bundle of whole-image classifiers; None without one."""
        return None if self.images is None else self.images.sha256


def load_models(plan: CohortPlan) -> Models:
    """Load the bundles of a plan; their networks are built once.

    Raises
    ------
    BundleError
        If one cannot be used.
    """
    from RetinaTriageLib.bundle import load_bundle
    from RetinaTriageLib.bundle_images import load_image_bundle
    from RetinaTriageLib.inference.warm_bundle import WarmBundle
    from RetinaTriageLib.inference.warm_images import WarmImages

    maps = WarmBundle.of(load_bundle(plan.bundle))
    if plan.bscan_bundle is None:
        return Models(maps)
    return Models(maps, WarmImages.of(load_image_bundle(plan.bscan_bundle)))
