"""The en-face maps of a report: which there are, their colors, and where a B-scan lies on them.

En-face pictures are drawn with superior on top. Lengths on them are in units of 10 µm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

from RetinaTriageLib.result import EnFaceArray, TriageResult
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.writers.report_pictures import Bytes, gray_levels

UNITS_PER_MM = 100.0
# Side of the en-face picture where spacing is unknown and nothing is to scale.
UNSCALED_SIDE = 600.0
# One range for all cases, so that two reports can be compared by eye; it holds the normal macula
# (220 to 350 µm) in its middle and most edema.
RETINA_LIMITS_UM = (150.0, 550.0)
LAYER_PALETTE = "viridis"
LESION_PALETTE = "plasma"
DISAGREEMENT_PALETTE = "cividis"
# A map that is above zero nearly everywhere is a layer, otherwise it shows lesions.
LAYER_SHARE = 0.8

# Shown in every report, even where nothing was found; other maps are shown where they hold any.
MAIN_MAPS = {"retina": "Retina", "fluid": "Fluid", "ped": "PED"}


@dataclass(frozen=True)
class EnFaceMap:
    """One colored en-face map.

    Attributes
    ----------
    values : float32 array (B-scan, width), NaN without data
    limits : values at both ends of the color scale
    lesion : zero is left transparent
    """

    name: str
    title: str
    unit: str
    values: EnFaceArray
    limits: tuple[float, float]
    palette: str
    lesion: bool


@dataclass(frozen=True)
class EnFaceFrame:
    """Where B-scans and A-scans lie on the drawn en-face picture; ``per_mm`` None: not to scale."""

    width: float
    height: float
    bscans: int
    widths: int
    superior_sign: int
    per_mm: float | None

    def row(self, bscan: float) -> float:
        """Vertical position of a B-scan index."""
        share = (bscan + 0.5) / self.bscans
        return self.height * (1 - share if self.superior_sign > 0 else share)

    def column(self, width: float) -> float:
        """Horizontal position of an A-scan index."""
        return self.width * (width + 0.5) / self.widths


def enface_frame(volume: OCTVolume) -> EnFaceFrame:
    """Frame of a volume: to scale where the spacing is known, else a square."""
    bscans, _, widths = volume.shape
    spacing = volume.spacing
    if spacing is None or spacing.bscan_mm is None:
        return EnFaceFrame(UNSCALED_SIDE, UNSCALED_SIDE, bscans, widths, volume.superior_sign, None)
    return EnFaceFrame(
        widths * spacing.width_mm * UNITS_PER_MM,
        bscans * spacing.bscan_mm * UNITS_PER_MM,
        bscans,
        widths,
        volume.superior_sign,
        UNITS_PER_MM,
    )


def enface_maps(result: TriageResult) -> tuple[EnFaceMap, ...]:
    """Thickness maps, main ones first, and the disagreement map of more than one hypothesis.

    Maps without any tissue, or equal to one before them, are left out unless they are main ones.
    """
    thickness = result.measurements.thickness_um
    titles = {tissue.name: tissue.title for tissue in result.vocabulary.tissues} | MAIN_MAPS
    maps: list[EnFaceMap] = []
    for name in sorted(thickness, key=lambda name: name not in MAIN_MAPS):
        values = thickness[name]
        known = any(np.array_equal(values, other.values, equal_nan=True) for other in maps)
        if name in MAIN_MAPS or (np.nanmax(values, initial=0.0) > 0 and not known):
            title = titles.get(name, name.replace("_", " ").capitalize())
            maps.append(_thickness_map(name, title, values))
    if len(result.hypotheses) > 1:
        maps.append(_disagreement_map(result.measurements.disagreement))
    return tuple(maps)


def painted(enface_map: EnFaceMap) -> Bytes:
    """Colors of a map as array (B-scan, width, RGBA); transparent without data."""
    low, high = enface_map.limits
    share = np.clip((np.nan_to_num(enface_map.values) - low) / (high - low), 0, 1)
    colors: Bytes = mpl.colormaps[enface_map.palette](share, bytes=True)
    hidden = ~np.isfinite(enface_map.values)
    if enface_map.lesion:
        hidden |= enface_map.values <= 0
    colors[hidden, 3] = 0
    return colors


def projection(result: TriageResult) -> Bytes:
    """En-face projection as array (B-scan, width), 8 bit, stretched to the full gray range."""
    return gray_levels(result.measurements.enface.astype(np.float32), clipped_percent=1.0)


def superior_up(picture: npt.NDArray[Any], frame: EnFaceFrame) -> npt.NDArray[Any]:
    """Picture (B-scan, width, ...) with its superior row first."""
    return np.ascontiguousarray(picture[::-1] if frame.superior_sign > 0 else picture)


def hex_color(value: float, limits: tuple[float, float], palette: str) -> str:
    """Color of one value on a scale, as #rrggbb."""
    share = (value - limits[0]) / (limits[1] - limits[0])
    red, green, blue, _ = mpl.colormaps[palette](float(np.clip(share, 0, 1)), bytes=True)
    return f"#{red:02x}{green:02x}{blue:02x}"


def ink_on(color: str) -> str:
    """Black or white, whichever reads better on a #rrggbb color."""
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    luminance = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    return "#111" if luminance > 0.18 else "#fff"


def _thickness_map(name: str, title: str, values: EnFaceArray) -> EnFaceMap:
    finite = values[np.isfinite(values)]
    top = _rounded_up(float(finite.max(initial=0.0)))
    if finite.size and float((finite > 0).mean()) >= LAYER_SHARE:
        limits = RETINA_LIMITS_UM if name == "retina" else (0.0, top)
        return EnFaceMap(name, title, "µm", values, limits, LAYER_PALETTE, lesion=False)
    return EnFaceMap(name, title, "µm", values, (0.0, top), LESION_PALETTE, lesion=True)


def _disagreement_map(values: EnFaceArray) -> EnFaceMap:
    return EnFaceMap(
        "disagreement",
        "Disagreement",
        "nats",
        values,
        (0.0, _rounded_up(float(np.nanmax(values, initial=0.0)))),
        DISAGREEMENT_PALETTE,
        lesion=False,
    )


def _rounded_up(value: float) -> float:
    """Next number of the form 1, 2, 3, 4, 5, 6 or 8 times a power of ten; 100 for zero."""
    if value <= 0:
        return 100.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(m * power for m in (1, 2, 3, 4, 5, 6, 8, 10) if m * power >= value * 0.9999))
