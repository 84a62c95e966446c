"""Occlusion test of a picture: hide a box of it, judge again, see how far a probability drops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.explain.coarse_to_fine import search_drops
from RetinaTriageLib.explain.hidden_box import changed_places, hide
from RetinaTriageLib.explain.occlusion_map import (
    LEAST_DROP,
    REGION_SHARE,
    BoolArray,
    FloatArray,
    OcclusionBox,
    OcclusionMap,
    OcclusionMode,
)
from RetinaTriageLib.progress import OnProgress, Progress, ignore_progress

Judge = Callable[[FloatArray], npt.NDArray[np.floating[Any]]]
"""Pictures (N, depth, width) of gray values 0 to 1 in, probabilities (N, class) out."""

OCCLUDE = "occlude"
"""Stage that progress is reported in: it counts pictures that were judged."""

PAPER_BOX = OcclusionBox()
BATCH = 16
FINEST = 1


@dataclass(frozen=True)
class OcclusionPlan:
    """How a picture is tested.

    Attributes
    ----------
    batch : pictures that are judged together
    share : of the largest drop, from which a place belongs to the region of interest
    finest : step, in pixels, that the fast mode ends with; a power of 2. Coarser ones serve
        judges that take seconds a picture.
    """

    mode: OcclusionMode = OcclusionMode.FAST
    box: OcclusionBox = PAPER_BOX
    batch: int = BATCH
    share: float = REGION_SHARE
    finest: int = FINEST

    def __post_init__(self) -> None:
        """Refuse plans that cannot be followed."""
        if self.batch < 1 or not 0 < self.share <= 1 or self.finest not in (1, 2, 4, 8, 16):
            msg = (
                f"Found batches of {self.batch}, a share of {self.share} and steps down to "
                f"{self.finest} pixels; expected at least 1, above 0 up to 1, and 1, 2, 4, 8 or 16."
            )
            raise InputError(msg)


def occlusion_test(
    image: FloatArray,
    judge: Judge,
    class_index: int,
    plan: OcclusionPlan | None = None,
    *,
    where: BoolArray | None = None,
    on_progress: OnProgress = ignore_progress,
) -> OcclusionMap:
    """Drop of one class's probability wherever a box hides a part of the picture.

    The exhaustive mode centers the box on every pixel, as in the paper. The fast mode starts with
    steps of nearly a box and halves them where the largest drop and the border of the region of
    interest lie; boxes that change nothing are not judged. With the paper's box it judges at most
    one position in 64.

    Parameters
    ----------
    image : float array (depth, width), gray values 0 to 1
    judge : gives the probabilities (N, class) of pictures (N, depth, width)
    class_index : column of the class
    plan : None for the fast mode with the paper's box
    where : bool array (depth, width), centers of boxes to judge in the fast mode; the others have
        a drop of 0. None for all.
    on_progress : what it raises ends the work

    Raises
    ------
    InputError
        If the picture is none of one gray channel in 0 to 1, or the judge has no such class.

    References
    ----------
    Kermany et al., Cell 172:1122 (2018), "Occlusion test".

    Examples
    --------
    >>> image = np.zeros((32, 32), np.float32)
    >>> image[8:12, 20:24] = 1
    >>> def judge(images):
    ...     bright = images.mean(axis=(1, 2), keepdims=True)[:, 0] * 64
    ...     return np.hstack([1 - bright, bright])
    >>> found = occlusion_test(image, judge, 1)
    >>> found.probability, found.largest, bool(found.region[10, 22])
    (1.0, 1.0, True)
    """
    plan = plan or OcclusionPlan()
    _require_picture(image)
    image = np.ascontiguousarray(image, np.float32)
    whole = _probabilities(judge(image[np.newaxis]), 1, class_index)[0]
    boxed = _BoxedPictures(image, judge, class_index, plan, float(whole), on_progress)
    if plan.mode is OcclusionMode.EXHAUSTIVE:
        drop = boxed.drops(all_positions(image.shape), image.size).reshape(image.shape)
    else:
        worth = changed_places(image, plan.box)
        drop = search_drops(
            boxed.drops,
            worth if where is None else worth & where,
            plan.box,
            plan.share,
            plan.finest,
        )
    boxed.finish()
    region = region_of_interest(drop, plan.share)
    return OcclusionMap(float(whole), drop, region, boxed.judged, plan.mode, plan.box, plan.share)


def region_of_interest(drop: FloatArray, share: float = REGION_SHARE) -> BoolArray:
    """Find the connected area around the largest drop with at least a share of it, bool array.

    Empty where that drop is below `LEAST_DROP`. Pixels that touch at a corner belong together.

    Parameters
    ----------
    drop : float32 array (depth, width)
    """
    largest = drop.max()
    if largest < LEAST_DROP:
        return np.zeros(drop.shape, np.bool_)
    areas, _count = ndimage.label(drop >= share * largest, np.ones((3, 3)))
    region: BoolArray = areas == areas.flat[int(drop.argmax())]
    return region


def all_positions(shape: tuple[int, ...]) -> npt.NDArray[np.intp]:
    """Every pixel (depth, width) of a picture, row by row, int array (pixel, 2)."""
    return np.indices(shape).reshape(2, -1).T


class _BoxedPictures:
    """Judges pictures with a box in them, a batch at a time."""

    def __init__(
        self,
        image: FloatArray,
        judge: Judge,
        class_index: int,
        plan: OcclusionPlan,
        whole: float,
        on_progress: OnProgress,
    ) -> None:
        self._image, self._judge, self._class = image, judge, class_index
        self._plan, self._whole, self._on_progress = plan, whole, on_progress
        self._total = 0
        self.judged = 0

    def drops(self, centers: npt.NDArray[np.intp], expected: int) -> FloatArray:
        """Find the drops, float32 array (N,), with the box on some pixels (N, 2).

        Parameters
        ----------
        expected : how many boxes will be judged in all, as far as is known
        """
        found = np.empty(len(centers), np.float32)
        self._total = max(expected, self.judged + len(centers))
        self._tell()
        for first in range(0, len(centers), self._plan.batch):
            part = centers[first : first + self._plan.batch]
            pictures = np.repeat(self._image[np.newaxis], len(part), axis=0)
            for picture, (depth, width) in zip(pictures, part, strict=True):
                hide(picture, self._plan.box, int(depth), int(width))
            probabilities = _probabilities(self._judge(pictures), len(part), self._class)
            found[first : first + len(part)] = self._whole - probabilities
            self.judged += len(part)
            self._tell()
        return found

    def finish(self) -> None:
        """Tell that no box follows."""
        self._total = self.judged
        self._tell()

    def _tell(self) -> None:
        self._on_progress(Progress(OCCLUDE, self.judged, self._total))


def _probabilities(
    answer: npt.NDArray[np.floating[Any]], pictures: int, class_index: int
) -> npt.NDArray[np.float64]:
    found = np.asarray(answer, np.float64)
    if found.ndim != 2 or len(found) != pictures or not 0 <= class_index < found.shape[1]:
        msg = (
            f"Found {found.shape} probabilities; expected ({pictures}, class) with a class "
            f"{class_index}. Choose a class of this judge."
        )
        raise InputError(msg)
    return found[:, class_index]


def _require_picture(image: FloatArray) -> None:
    shape: Sequence[int] = image.shape
    if len(shape) != 2 or 0 in shape or not np.issubdtype(image.dtype, np.floating):
        msg = (
            f"Found an array of {image.dtype} {tuple(shape)}; expected one picture of gray values "
            "0 to 1, float (depth, width). Choose a B-scan and divide 8 bit values by 255."
        )
        raise InputError(msg)
    low, high = float(image.min()), float(image.max())
    if not 0 <= low <= high <= 1:
        msg = f"Found gray values {low:g} to {high:g}; expected 0 to 1. Divide by the largest one."
        raise InputError(msg)
