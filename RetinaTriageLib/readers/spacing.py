"""Spacing as a file states it: believed, or unknown with a sentence that says why."""

from __future__ import annotations

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.volume import VoxelSpacing

# Two statements of one length must agree within this share, else the spacing stays unknown.
AGREEMENT = 0.02


def checked_spacing(
    bscan_mm: float | None, depth_mm: float, width_mm: float, other_mm: float
) -> tuple[VoxelSpacing | None, tuple[str, ...]]:
    """Spacing, or None with a sentence on why it cannot be believed.

    Parameters
    ----------
    width_mm : distance between A-scans, the sharper of two statements
    other_mm : the same distance from the other statement
    """
    if abs(width_mm / other_mm - 1) > AGREEMENT:
        sentence = (
            "Spacing is unknown: the file contradicts itself. Pixel size and ends of the B-scans "
            f"put A-scans {width_mm * 1000:.2f} or {other_mm * 1000:.2f} µm apart; state it with "
            "--spacing-um."
        )
        return None, (sentence,)
    return believed_spacing(bscan_mm, depth_mm, width_mm)


def believed_spacing(
    bscan_mm: float | None, depth_mm: float, width_mm: float
) -> tuple[VoxelSpacing | None, tuple[str, ...]]:
    """Spacing, or None with a sentence where no scanner has it; a user may then state it."""
    try:
        return VoxelSpacing(bscan_mm, depth_mm, width_mm), ()
    except GeometryError as error:
        return None, (f"Spacing is unknown: {error}",)
