"""How often an occlusion test points at a lesion that a grader marked.

A hit is the largest drop with the center of its box on the lesion. As boxes are larger than small
lesions, boxes that touch the lesion are counted too, each beside what chance would give: the share
of all box positions on tissue that would be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.box_gray import tissue_boxes
from RetinaTriageLib.explain.occlusion_map import (
    LEAST_DROP,
    BoolArray,
    FloatArray,
    OcclusionBox,
    OcclusionMap,
)


@dataclass(frozen=True)
class OcclusionHit:
    """One B-scan: where the largest drop lies against the marked lesion.

    Attributes
    ----------
    probability, drop : of the class on the whole B-scan, and its largest drop
    on_lesion : whether the center of the box of the largest drop lies on the lesion
    touches : whether that box touches the lesion
    region_precision : share of the region of interest that is lesion; NaN without a region
    region_recall : share of the lesion that the region of interest covers
    chance_on, chance_touches : shares of the box positions on tissue that would be such
    lesion_pixels, judged : sizes of the lesion and of the work
    """

    name: str
    probability: float
    drop: float
    on_lesion: bool
    touches: bool
    region_precision: float
    region_recall: float
    chance_on: float
    chance_touches: float
    lesion_pixels: int
    judged: int


@dataclass(frozen=True)
class HitSummary:
    """Hits over B-scans; ``chance_*`` are the hits to be expected of boxes put anywhere on tissue.

    Attributes
    ----------
    without_drop : B-scans on which no box lowers the probability; they count as misses
    """

    bscans: int
    without_drop: int
    on_lesion: int
    touches: int
    chance_on: float
    chance_touches: float
    mean_precision: float
    mean_recall: float


def occlusion_hit(
    name: str, picture: FloatArray, lesion: BoolArray, found: OcclusionMap
) -> OcclusionHit:
    """Where the largest drop of one test lies against a lesion.

    Parameters
    ----------
    picture : float32 array (depth, width), gray values 0 to 1
    lesion : bool array (depth, width), not empty

    Raises
    ------
    InputError
        If there is no lesion, or it has another size than the picture.
    """
    if lesion.shape != picture.shape or not lesion.any():
        msg = (
            f"Found {int(lesion.sum())} marked pixels of {lesion.shape} on {name} of "
            f"{picture.shape}; expected a lesion of that size. Leave out B-scans without one."
        )
        raise InputError(msg)
    fell = found.largest >= LEAST_DROP
    touching = touching_boxes(lesion, found.box)
    tissue = tissue_boxes(picture, found.box)
    region = found.region
    common = int((region & lesion).sum())
    return OcclusionHit(
        name,
        found.probability,
        found.largest,
        bool(fell and lesion[found.place]),
        bool(fell and touching[found.place]),
        common / int(region.sum()) if region.any() else float("nan"),
        common / int(lesion.sum()),
        float(lesion[tissue].mean()),
        float(touching[tissue].mean()),
        int(lesion.sum()),
        found.judged,
    )


def summarize(hits: Sequence[OcclusionHit]) -> HitSummary:
    """Sum up the hits of B-scans.

    Raises
    ------
    InputError
        If there is none.
    """
    if not hits:
        msg = "Found no B-scan with a lesion; expected one or more. Check masks and pattern."
        raise InputError(msg)
    precisions = [hit.region_precision for hit in hits if not np.isnan(hit.region_precision)]
    return HitSummary(
        len(hits),
        sum(hit.drop < LEAST_DROP for hit in hits),
        sum(hit.on_lesion for hit in hits),
        sum(hit.touches for hit in hits),
        sum(hit.chance_on for hit in hits),
        sum(hit.chance_touches for hit in hits),
        float(np.mean(precisions)) if precisions else float("nan"),
        float(np.mean([hit.region_recall for hit in hits])),
    )


def touching_boxes(lesion: BoolArray, box: OcclusionBox) -> BoolArray:
    """Tell for each pixel whether the box around it touches the lesion, bool (depth, width)."""
    touched = ndimage.maximum_filter(
        lesion.astype(np.uint8), (box.depth, box.width), mode="constant"
    )
    return np.asarray(touched, np.bool_)
