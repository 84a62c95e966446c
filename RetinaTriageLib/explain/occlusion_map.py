"""What an occlusion test of a picture found: plain arrays, read where torch must not be loaded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.errors import InputError

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

AUTO: Literal["auto"] = "auto"
SIDES: Literal["sides"] = "sides"
GrayChoice = float | Literal["auto", "sides"]
"""What a box may be filled with: a gray, that of the picture's tissue, or what lies beside it."""

REGION_SHARE = 0.5
"""Share of the largest drop from which a place belongs to the region of interest; ours."""

LEAST_DROP = 1e-4
"""Smaller drops are rounding of a network's arithmetic; ours."""


class OcclusionMode(Enum):
    """Where the box is put: at every position, or only where finer steps change the answer."""

    EXHAUSTIVE = "exhaustive"
    FAST = "fast"


@dataclass(frozen=True)
class OcclusionBox:
    """Box that hides a part of the picture, in pixels.

    Attributes
    ----------
    gray : fills the box, 0 is black; None fills it with what lies on its left and right, see
        `hidden_box.hide`

    References
    ----------
    Kermany et al., Cell 172:1122 (2018): a blank box of 20 x 20 pixels.
    """

    depth: int = 20
    width: int = 20
    gray: float | None = 0.0

    def __post_init__(self) -> None:
        """Refuse boxes that hide nothing or are filled with what no picture has."""
        filled = self.gray is None or 0 <= self.gray <= 1
        if min(self.depth, self.width) < 1 or not filled:
            msg = (
                f"Found a box of {self.depth} x {self.width} pixels of gray {self.gray}; expected "
                "at least 1 x 1 and a gray of 0 to 1, such as 20 x 20 of 0."
            )
            raise InputError(msg)

    def around(self, depth: int, width: int) -> tuple[slice, slice]:
        """Rows and columns that the box hides where it is centered on a pixel.

        A box of even size reaches one pixel farther up and left. At the border of the picture it
        hangs over.

        Examples
        --------
        >>> OcclusionBox(4, 2).around(1, 5)
        (slice(0, 3, None), slice(4, 6, None))
        """
        first_depth, first_width = depth - self.depth // 2, width - self.width // 2
        return (
            slice(max(0, first_depth), first_depth + self.depth),
            slice(max(0, first_width), first_width + self.width),
        )


@dataclass(frozen=True)
class OcclusionMap:
    """Drop of one class's probability wherever a box hides a part of the picture.

    Attributes
    ----------
    probability : of the class on the whole picture
    drop : float32 array (depth, width), that probability less the one with the box centered on
        the pixel; interpolated where no box was judged
    region : bool array (depth, width), the connected area around the largest drop where the drop
        is at least ``share`` of it; empty where no box lowers the probability by `LEAST_DROP`
    judged : how many pictures with a box were judged
    """

    probability: float
    drop: FloatArray
    region: BoolArray
    judged: int
    mode: OcclusionMode = OcclusionMode.FAST
    box: OcclusionBox = OcclusionBox()
    share: float = REGION_SHARE

    @property
    def largest(self) -> float:
        """Largest drop; 0 or less where no box lowers the probability at all."""
        return float(self.drop.max())

    @property
    def place(self) -> tuple[int, int]:
        """Pixel (depth, width) that the box of the largest drop is centered on."""
        depth, width = np.unravel_index(int(self.drop.argmax()), self.drop.shape)
        return int(depth), int(width)

    @property
    def extent(self) -> tuple[int, int, int, int] | None:
        """First and last row, first and last column of the region; None where it is empty."""
        if not self.region.any():
            return None
        rows, columns = (np.flatnonzero(self.region.any(axis=axis)) for axis in (1, 0))
        return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])
