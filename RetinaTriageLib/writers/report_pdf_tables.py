"""The numbers of the paper report, drawn into axes: ETDRS diagram and table, tissues."""

from __future__ import annotations

import math
from functools import partial

from matplotlib.axes import Axes
from matplotlib.patches import Wedge

from RetinaTriageLib.measures.etdrs_grid import SECTORS
from RetinaTriageLib.measures.volumes import NL_PER_MM3
from RetinaTriageLib.result import EtdrsTable, TriageResult
from RetinaTriageLib.writers.report_figures import ETDRS_RADII_MM
from RetinaTriageLib.writers.report_maps import (
    LAYER_PALETTE,
    RETINA_LIMITS_UM,
    hex_color,
    ink_on,
)
from RetinaTriageLib.writers.report_pdf_panels import INK, QUIET
from RetinaTriageLib.writers.report_tables import color_of
from RetinaTriageLib.writers.report_text import area_text, number_text, signed_text, volume_text


def draw_etdrs(axes: Axes, result: TriageResult, table: EtdrsTable) -> None:
    """Nine sectors with thickness in µm, in the colors of the retina map."""
    right, left = ("N", "T") if (result.volume.nasal_sign or 1) > 0 else ("T", "N")
    angles = {right: 0, "S": 90, left: 180, "I": 270}
    radii = (0.0, *ETDRS_RADII_MM)
    for sector in SECTORS:
        inner, outer = radii[int(sector[1])], radii[int(sector[1]) + 1]
        angle = angles.get(sector[0], 0)
        span = (0, 360) if sector == "C0" else (angle - 45, angle + 45)
        value = table.thickness_um[sector]
        known = math.isfinite(value)
        color = hex_color(value, RETINA_LIMITS_UM, LAYER_PALETTE) if known else "#d9dde3"
        axes.add_patch(Wedge((0, 0), outer, *span, width=outer - inner, fc=color, ec="w", lw=1.2))
        reach = 0.0 if sector == "C0" else (inner + outer) / 2
        x, y = reach * math.cos(math.radians(angle)), reach * math.sin(math.radians(angle))
        text = partial(axes.text, color=ink_on(color), ha="center", va="center")
        text(x, y, number_text(value, 0), fontsize=11, weight="bold")
        coverage = table.coverage.get(sector, 1.0)
        if coverage < 0.995:
            text(x, y - 0.32, f"{coverage:.0%} scanned", fontsize=5.5)
    for quadrant, angle in angles.items():
        x, y = 3.2 * math.cos(math.radians(angle)), 3.2 * math.sin(math.radians(angle))
        axes.text(x, y, quadrant, fontsize=9, weight="bold", color=QUIET, ha="center", va="center")
    axes.set(xlim=(-3.4, 3.4), ylim=(-3.4, 3.4), aspect="equal")
    axes.axis("off")


def draw_etdrs_numbers(axes: Axes, result: TriageResult, table: EtdrsTable) -> None:
    """Sectors in numbers, with the scanner's own table beside them where it exists."""
    device = result.volume.record.thickness_table
    heads = ["Sector", "µm", "± SD", "Scanned"] + (["Device", "Diff."] if device else [])
    rows = []
    for sector in SECTORS:
        ours = table.thickness_um[sector]
        row = [sector, number_text(ours), number_text(table.spreads[sector].std)]
        row.append(f"{table.coverage.get(sector, 1.0):.0%}")
        if device:
            theirs = device.thickness_um.get(sector, math.nan)
            row += [number_text(theirs), signed_text(ours - theirs, 1)]
        rows.append(row)
    total = ["Total, mm³", number_text(table.total_mm3, 2), "", ""]
    if device:
        gap = signed_text(table.total_mm3 - device.total_mm3, 2)
        total += [number_text(device.total_mm3, 2), gap]
    deviation = number_text(table.central_point_sd_um, 0)
    point = f"{number_text(table.central_point_um, 0)} ± {deviation} µm"
    axes.set_title(
        f"CST {number_text(table.thickness_um['C0'], 0)} µm    CPT {point}    "
        f"Total {number_text(table.total_mm3, 2)} mm³",
        fontsize=8.5,
        weight="bold",
        loc="left",
        color=INK,
    )
    _draw_table(axes, [heads, *rows, total], [0.0] + [0.2 + 0.8 * at / 5 for at in range(1, 6)])


def draw_tissues(axes: Axes, result: TriageResult) -> None:
    """Size of every tissue by region, absent ones dimmed."""
    measures = result.measurements.tissues
    regions = list(measures[0].volume_mm3)
    heads = ["Tissue", *regions, "all, min – max", *regions]
    rows, dimmed = [heads], [False]
    for measure in measures:
        low, high = (
            volume_text(value * NL_PER_MM3)
            for value in (measure.volume_spread.low, measure.volume_spread.high)
        )
        rows.append(
            [
                measure.tissue.title,
                *(volume_text(measure.volume_mm3[region] * NL_PER_MM3) for region in regions),
                f"{low} – {high}",
                *(area_text(measure.area_mm2[region]) for region in regions),
            ]
        )
        dimmed.append(measure.volume_spread.high == 0)
    step = 0.24 / len(regions)
    volume_edges = [0.31 + step * (at + 1) for at in range(len(regions))]
    area_edges = [0.76 + step * (at + 1) for at in range(len(regions))]
    edges = [0.02, *volume_edges, 0.73, *area_edges]
    _draw_table(axes, rows, edges, dimmed)
    for at, measure in enumerate(measures, start=1):
        axes.plot(0.006, at, "s", ms=5, color=color_of(measure.tissue), mec=QUIET, mew=0.3)


def _draw_table(
    axes: Axes, rows: list[list[str]], edges: list[float], dimmed: list[bool] | None = None
) -> None:
    """Rows of text; the first column starts at its edge, the others end there."""
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6))
    axes.axis("off")
    for at, row in enumerate(rows):
        color = QUIET if not at else "#a3abb5" if dimmed and dimmed[at] else INK
        for number, (text, edge) in enumerate(zip(row, edges, strict=False)):
            side = "left" if not number else "right"
            weight = "bold" if not at else "normal"
            axes.text(edge, at, text, fontsize=7, color=color, weight=weight, ha=side, va="center")
        axes.plot([0, 1], [at + 0.5, at + 0.5], color="#dfe3e8", lw=0.5)
