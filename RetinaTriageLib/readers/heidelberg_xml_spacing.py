"""Spacing of a Heidelberg XML export, which rounds its pixel sizes to 0.1 µm."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.readers.heidelberg import Placement
from RetinaTriageLib.readers.safe_xml import positive_number, text
from RetinaTriageLib.readers.spacing import checked_spacing
from RetinaTriageLib.volume import VoxelSpacing

CONTEXT = "OphthalmicAcquisitionContext"

# The XML rounds the depth of a pixel to 0.1 µm. The .vol headers of the same device family hold
# 3.87167 µm (in all four files seen); the rounded 3.9 µm would thicken a retina by 0.7 %.
ROUNDED_DEPTH = "0.0039"
SPECTRALIS_DEPTH_MM = 0.00387167
DEPTH_ASSUMED = (
    "Spacing along the depth is taken as 3.87167 µm, which .vol exports of the Spectralis hold; "
    "the XML export rounds it to 3.9 µm."
)


def export_spacing(
    series: Element, bscans: Sequence[Element], placement: Placement, widths: int
) -> tuple[VoxelSpacing | None, str, tuple[str, ...]]:
    """Spacing, where each part of it was read, and sentences on what is not in the export.

    Raises
    ------
    GeometryError
        If B-scans state different pixel sizes.
    """
    scales = {(text(b, f"{CONTEXT}/ScaleX"), text(b, f"{CONTEXT}/ScaleY")) for b in bscans}
    if len(scales) != 1:
        msg = (
            f"Found B-scans of different pixel sizes {sorted(scales)}; expected one. Export again."
        )
        raise GeometryError(msg)
    written_width, written_depth = scales.pop()
    scale_mm, depth_mm = (positive_number(bscans[0], f"{CONTEXT}/Scale{axis}") for axis in "XY")
    assumed: tuple[str, ...] = ()
    depth_source = f"ScaleY {written_depth}"
    if is_spectralis(series) and written_depth == ROUNDED_DEPTH:
        depth_mm, depth_source, assumed = SPECTRALIS_DEPTH_MM, ".vol headers", (DEPTH_ASSUMED,)
    # Ends are written to 1 µm over several mm, ScaleX to 0.1 µm a pixel: the ends are sharper,
    # unless ScaleX was written with more digits.
    ends_mm = placement.length_mm / widths
    sharper_scale = _rounding(written_width) / scale_mm < 0.0005 / placement.length_mm
    by_precision = (scale_mm, ends_mm) if sharper_scale else (ends_mm, scale_mm)
    width_source = f"ScaleX {written_width}" if sharper_scale else "Start to End of the B-scans"
    spacing, doubts = checked_spacing(placement.bscan_mm, depth_mm, *by_precision)
    if spacing is None:
        return None, "", doubts
    source = f"HEYEX XML (width: {width_source}; depth: {depth_source}; B-scan: their positions)"
    return spacing, source, assumed


def is_spectralis(series: Element) -> bool:
    """Whether maker or model say that a Spectralis made the scan."""
    names = (
        series.findtext(f"GeneralEquipment/Manufacturer{part}", "") for part in ("", "ModelName")
    )
    return any(word in name.lower() for name in names for word in ("heidelberg", "spectralis"))


def sharpened_mm(image: Element, tag: str, ascan_mm: float) -> float:
    """Size of a localizer pixel, in mm, free of the rounding where A-scans tell it better.

    The scanner sets A-scans on localizer pixels, or two to one pixel, or one to two.
    """
    written_mm = positive_number(image, tag)
    for ascans in (1.0, 2.0, 0.5):
        if abs(ascan_mm * ascans - written_mm) <= _rounding(text(image, tag)):
            return ascan_mm * ascans
    return written_mm


def _rounding(written: str) -> float:
    """Half a unit of the last digit of a decimal number."""
    return 0.5 * 10.0 ** -len(written.partition(".")[2])
