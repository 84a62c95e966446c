"""Drawings of the report as SVG: en-face maps with ETDRS circles, color legends, localizer."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from RetinaTriageLib.measures.regions import ETDRS_DIAMETERS_MM
from RetinaTriageLib.result import Fovea, TriageResult
from RetinaTriageLib.volume import Localizer
from RetinaTriageLib.writers.report_maps import (
    EnFaceFrame,
    EnFaceMap,
    hex_color,
)
from RetinaTriageLib.writers.report_pictures import gray_levels, jpeg

ETDRS_RADII_MM = tuple(diameter / 2 for diameter in ETDRS_DIAMETERS_MM)
LEGEND_STOPS = 16


def enface_picture(result: TriageResult, frame: EnFaceFrame, overlay: str, label: str) -> str:
    """En-face projection with one map over it, ETDRS circles, fovea, marks and a B-scan line.

    ``overlay`` is the id of a picture in the page, empty for the bare projection.
    """
    measured = result.measurements
    center = measured.etdrs.center if measured.etdrs else measured.fovea
    layers = [_use("projection", frame)]
    if overlay:
        layers.append(_use(overlay, frame, kind="overlay"))
    layers.append(_grid_circles(center, frame))
    layers.append(f'<line class="position" x1="0" x2="{frame.width:.1f}" y1="-9" y2="-9"/>')
    if center is not None:
        layers.append(_fovea_mark(center, frame))
    layers.append(_orientation_marks(result, frame))
    if frame.per_mm is not None:
        layers.append(_scale_bar(frame, frame.per_mm))
    return (
        f'<svg class="enface" viewBox="0 0 {frame.width:.1f} {frame.height:.1f}" role="img" '
        f'aria-label="{escape(label)}">{"".join(layers)}</svg>'
    )


def color_legend(enface_map: EnFaceMap) -> str:
    """Color scale of a map with its numbers and unit."""
    low, high = enface_map.limits
    stops = ", ".join(
        hex_color(low + (high - low) * at / LEGEND_STOPS, enface_map.limits, enface_map.palette)
        for at in range(LEGEND_STOPS + 1)
    )
    with np.errstate(invalid="ignore"):
        above = bool((enface_map.values > high).any())
        below = bool((enface_map.values < low).any())
    ticks = [low + (high - low) * at / 4 for at in range(5)]
    texts = [f"{tick:.3g}" for tick in ticks]
    texts[0] = f"≤ {texts[0]}" if below else texts[0]
    texts[-1] = f"≥ {texts[-1]}" if above else texts[-1]
    numbers = "".join(f"<span>{text}</span>" for text in texts)
    return (
        f'<div class="legend"><div class="ramp" style="background:linear-gradient(90deg, {stops})">'
        f'</div><div class="ticks">{numbers}</div><div class="unit">{escape(enface_map.unit)}</div>'
        "</div>"
    )


def localizer_picture(localizer: Localizer) -> str:
    """Draw the B-scans on the en-face picture that the scanner took."""
    rows, columns = localizer.pixels.shape
    height, width = rows * localizer.spacing_mm[0] * 100, columns * localizer.spacing_mm[1] * 100
    ends = np.asarray(localizer.bscan_ends_mm) * 100
    lines = "".join(
        f'<line class="scan" x1="{first[0]:.1f}" y1="{first[1]:.1f}" x2="{last[0]:.1f}" '
        f'y2="{last[1]:.1f}"><title>B-scan {number + 1}</title></line>'
        for number, (first, last) in enumerate(ends)
    )
    return (
        f'<svg class="localizer" viewBox="0 0 {width:.1f} {height:.1f}" role="img" '
        f'aria-label="Localizer with {len(ends)} B-scan lines"><image width="{width:.1f}" '
        f'height="{height:.1f}" preserveAspectRatio="none" '
        f'href="data:image/jpeg;base64,{jpeg(gray_levels(localizer.pixels))}"/>{lines}</svg>'
    )


def _use(picture: str, frame: EnFaceFrame, kind: str = "base") -> str:
    return f'<use class="{kind}" href="#{picture}" width="{frame.width:.1f}"/>'


def _grid_circles(center: Fovea | None, frame: EnFaceFrame) -> str:
    if center is None or frame.per_mm is None:
        return ""
    x, y = frame.column(center.width), frame.row(center.bscan)
    circles = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius * frame.per_mm:.1f}"/>'
        for radius in ETDRS_RADII_MM
    )
    inner, outer = (radius * frame.per_mm * math.sqrt(0.5) for radius in ETDRS_RADII_MM[::2])
    spokes = "".join(
        f'<line x1="{x + a * inner:.1f}" y1="{y + b * inner:.1f}" x2="{x + a * outer:.1f}" '
        f'y2="{y + b * outer:.1f}"/>'
        for a in (-1, 1)
        for b in (-1, 1)
    )
    return f'<g class="circles">{circles}{spokes}</g>'


def _fovea_mark(center: Fovea, frame: EnFaceFrame) -> str:
    x, y = frame.column(center.width), frame.row(center.bscan)
    title = f"Fovea: {center.source}, ± {center.uncertainty_mm * 1000:.0f} µm"
    return (
        f'<path class="fovea" d="M{x - 11:.1f} {y:.1f}h22M{x:.1f} {y - 11:.1f}v22">'
        f"<title>{escape(title)}</title></path>"
    )


def _orientation_marks(result: TriageResult, frame: EnFaceFrame) -> str:
    marks = [("S", frame.width / 2, 26.0), ("I", frame.width / 2, frame.height - 14)]
    nasal = result.volume.nasal_sign
    if nasal is not None:
        right, left = ("N", "T") if nasal > 0 else ("T", "N")
        marks += [
            (left, 16.0, frame.height / 2 + 8),
            (right, frame.width - 16, frame.height / 2 + 8),
        ]
    return "".join(f'<text class="mark" x="{x:.1f}" y="{y:.1f}">{m}</text>' for m, x, y in marks)


def _scale_bar(frame: EnFaceFrame, per_mm: float) -> str:
    x, y = 16.0, frame.height - 16
    return (
        f'<path class="scale" d="M{x} {y:.1f}h{per_mm:.1f}"/>'
        f'<text class="scale" x="{x}" y="{y - 9:.1f}">1 mm</text>'
    )
