"""Our surfaces beside the lines that the scanner itself drew, in axial pixels and µm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from RetinaTriageLib.errors import GeometryError
from RetinaTriageLib.evaluation.contact_sheet import Tile, as_rgb
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.measures.surfaces import SurfaceArray, retina_borders
from RetinaTriageLib.tissues import TISSUES, Tissue
from RetinaTriageLib.volume import FloatArray, LabelArray, OCTVolume
from RetinaTriageLib.writers.report_pictures import gray_levels

ILM, BRUCH = "ILM", "BM"  # as the device names its lines
DEVICE_COLOR, OUR_COLOR = (230, 159, 0), (86, 180, 233)
PERCENTILE = 95


@dataclass(frozen=True)
class LineDistance:
    """How far our surface lies from one line of the device, over the A-scans that have both.

    Attributes
    ----------
    median_px, high_px : median and 95th percentile of the absolute distance, in axial pixels
    signed_px : median of ours minus the device's, positive where ours lies deeper
    pixel_um : µm an axial pixel
    compared : A-scans that have both
    missed : share of the A-scans with the device's line that lack our surface
    """

    line: str
    median_px: float
    high_px: float
    signed_px: float
    pixel_um: float
    compared: int
    missed: float


def line_distances(
    volume: OCTVolume, tissue_map: LabelArray, tissues: tuple[Tissue, ...] = TISSUES
) -> tuple[LineDistance, ...]:
    """Distance of ILM and Bruch's membrane, as far as the device drew them.

    Parameters
    ----------
    tissue_map : uint8 array (B-scan, depth, width)

    Raises
    ------
    GeometryError
        If the scan holds neither line, or its spacing is unknown.
    """
    lines = require_lines(volume)
    pixel_um = volume.require_spacing().depth_mm * 1000
    ours = _our_surfaces(tissue_map, tissues)
    return tuple(_distance(name, line, ours[name], pixel_um) for name, line in lines.items())


def require_lines(volume: OCTVolume) -> Mapping[str, FloatArray]:
    """ILM and Bruch's membrane of the device, (B-scan, width) in px, or an error without them."""
    lines = {n: volume.record.lines[n] for n in (ILM, BRUCH) if n in volume.record.lines}
    if not lines:
        msg = (
            f"{volume.name} holds no {ILM} or {BRUCH} line of the device; expected a Heidelberg "
            ".vol export with its segmentation."
        )
        raise GeometryError(msg)
    return lines


def line_tiles(
    volume: OCTVolume, tissue_map: LabelArray, tissues: tuple[Tissue, ...] = TISSUES
) -> list[Tile]:
    """Every B-scan as it is, and with both lines over it: the device's orange, ours blue."""
    lines, ours = require_lines(volume), _our_surfaces(tissue_map, tissues)
    gray = gray_levels(volume.voxels)
    tiles = []
    for bscan in range(volume.shape[0]):
        shown = Image.fromarray(as_rgb(gray[bscan]))
        draw = ImageDraw.Draw(shown)
        for name, line in lines.items():
            _draw(draw, line[bscan], DEVICE_COLOR)
            _draw(draw, ours[name][bscan], OUR_COLOR)
        title = f"{volume.name}, B-scan {bscan + 1}: device orange, ours blue"
        tiles.append(Tile(title, (as_rgb(gray[bscan]), np.asarray(shown))))
    return tiles


def lines_text(name: str, distances: Sequence[LineDistance]) -> str:
    """One line a surface of one scan, for a terminal."""
    lines = [f"{name}: absolute distance to the device's line, along the A-scan"]
    for found in distances:
        um = found.pixel_um
        lines.append(
            f"  {found.line:<4} median {found.median_px:.2f} px ({found.median_px * um:.1f} µm), "
            f"{PERCENTILE} % within {found.high_px:.2f} px ({found.high_px * um:.1f} µm), "
            f"signed median {found.signed_px:+.2f} px; {found.compared} A-scans, "
            f"{100 * found.missed:.1f} % missed"
        )
    return "\n".join(lines) + "\n"


def lines_json(name: str, distances: Sequence[LineDistance]) -> dict[str, object]:
    """Distances of one scan as JSON takes them; None where there is no number."""
    return {
        "name": name,
        "lines": {
            found.line: {
                "median_px": finite_or_none(found.median_px),
                "median_um": finite_or_none(found.median_px * found.pixel_um),
                "percentile_95_px": finite_or_none(found.high_px),
                "percentile_95_um": finite_or_none(found.high_px * found.pixel_um),
                "signed_median_px": finite_or_none(found.signed_px),
                "compared": found.compared,
                "missed": finite_or_none(found.missed),
            }
            for found in distances
        },
    }


def _our_surfaces(
    tissue_map: LabelArray, tissues: tuple[Tissue, ...]
) -> Mapping[str, SurfaceArray]:
    ilm, bruch = retina_borders(tissue_map, tissues)
    return {ILM: ilm, BRUCH: bruch}


def _distance(name: str, line: FloatArray, ours: SurfaceArray, pixel_um: float) -> LineDistance:
    there = np.isfinite(line)
    both = there & np.isfinite(ours)
    missed = float(1 - both.sum() / there.sum()) if there.any() else float("nan")
    if not both.any():
        nan = float("nan")
        return LineDistance(name, nan, nan, nan, pixel_um, 0, missed)
    deeper = ours[both].astype(np.float64) - line[both]
    median, high = np.percentile(np.abs(deeper), (50, PERCENTILE))
    signed = float(np.median(deeper))
    return LineDistance(name, float(median), float(high), signed, pixel_um, int(both.sum()), missed)


def _draw(draw: ImageDraw.ImageDraw, depth: FloatArray, color: tuple[int, int, int]) -> None:
    places = np.flatnonzero(np.isfinite(depth))
    for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):
        if len(run) > 1:
            draw.line([(float(width), float(depth[width])) for width in run], fill=color)
