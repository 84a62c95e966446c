"""Numbers and scan facts as a reader sees them, alike on the page and on paper."""

from __future__ import annotations

import math

from RetinaTriageLib.volume import Laterality, OCTVolume, describe

_EYES = {Laterality.OD: "Right eye (OD)", Laterality.OS: "Left eye (OS)"}


def scan_line(volume: OCTVolume) -> str:
    """Eye, device and size of a scan in one line."""
    bscans, depths, widths = volume.shape
    eye = "Eye side unknown" if volume.laterality is None else _EYES[volume.laterality]
    device = "device unknown" if volume.device is None else volume.device.value.capitalize()
    spacing = "spacing unknown" if volume.spacing is None else describe(volume.spacing)
    count = "1 B-scan" if bscans == 1 else f"{bscans} B-scans"
    return f"{eye} · {device} · {count} of {depths} × {widths} · {spacing}"


def number_text(value: float, digits: int = 1) -> str:
    """Text of a value with so many digits; a dash where there is no value."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def signed_text(value: float, digits: int = 1) -> str:
    """Difference with its sign, minus as a minus; a dash where there is no value."""
    return f"{value:+.{digits}f}".replace("-", "\u2212") if math.isfinite(value) else "–"


def volume_text(nanoliters: float) -> str:
    """Volume in nl with the digits that matter: fewer for large ones.

    Examples
    --------
    >>> volume_text(0.0), volume_text(12.34)
    ('0', '12.3')
    """
    if nanoliters == 0:
        return "0"
    if nanoliters < 100:
        return f"{nanoliters:.1f}"
    return f"{nanoliters:,.0f}".replace(",", "\u202f")


def area_text(square_mm: float) -> str:
    """Area in mm² with two digits; a bare 0 where there is none."""
    return f"{square_mm:.2f}" if square_mm else "0"
