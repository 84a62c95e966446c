"""How large a scan may be, so that a damaged or malicious header cannot exhaust the memory."""

from __future__ import annotations

import math
from collections.abc import Sequence

from RetinaTriageLib.errors import InputError

LARGEST_SIDE = 8192  # more A-scans, depths or B-scans than any retinal scanner makes
MOST_BYTES = 2**31
# Compressed B-scans take a tenth to a hundredth of their size; deflate ends at 1032 to 1.
LARGEST_RATIO = 1100


def require_sides(sides: Sequence[int], name: str) -> None:
    """Refuse sizes that no retinal scan has.

    Parameters
    ----------
    sides : numbers of B-scans, depths and A-scans

    Raises
    ------
    InputError
        If a side is 0, negative or above 8192.
    """
    if not all(0 < side <= LARGEST_SIDE for side in sides):
        msg = (
            f"{name} states {[int(side) for side in sides]} B-scans, depths and A-scans; expected "
            f"1 to {LARGEST_SIDE} each. The file is damaged, copy or export it again."
        )
        raise InputError(msg)


def require_unpackable(sides: Sequence[int], bytes_each: int, packed_bytes: int, name: str) -> None:
    """Refuse compressed voxels that unpack to more than the memory should hold.

    Raises
    ------
    InputError
        If the voxels take more than 2 GiB, or 1100 times the bytes that they were packed into.
    """
    unpacked = math.prod(int(side) for side in sides) * bytes_each
    if unpacked > min(MOST_BYTES, LARGEST_RATIO * packed_bytes):
        msg = (
            f"{name} states {[int(side) for side in sides]} voxels in {packed_bytes} bytes; "
            f"expected at most {LARGEST_RATIO} to 1, and 2 GiB. The file is damaged."
        )
        raise InputError(msg)
