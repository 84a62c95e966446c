"""The ETDRS section of a report: diagram of the nine sectors, their table, headline numbers."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from RetinaTriageLib.result import EtdrsTable, TriageResult
from RetinaTriageLib.writers.report_figures import ETDRS_RADII_MM, color_legend
from RetinaTriageLib.writers.report_maps import (
    LAYER_PALETTE,
    RETINA_LIMITS_UM,
    EnFaceMap,
    hex_color,
    ink_on,
)
from RetinaTriageLib.writers.report_tables import device_note, etdrs_rows

# Directions of the quadrants on the drawn grid; N and T change places with the eye.
_SUPERIOR, _IMAGE_RIGHT, _INFERIOR, _IMAGE_LEFT = 90.0, 0.0, 270.0, 180.0


def etdrs_panel(result: TriageResult) -> str:
    """Diagram, table and headline numbers, or why there are none."""
    table, nasal_sign = result.measurements.etdrs, result.volume.nasal_sign
    if table is None or nasal_sign is None:
        reasons = result.measurements.refused or ("No reason was recorded.",)
        device = result.volume.record.thickness_table
        also = " The device's own table is not shown without ours." if device else ""
        return f'<p class="quiet">Not measured. {escape(" ".join(reasons) + also)}</p>'
    device = result.volume.record.thickness_table
    hypotheses = len(result.hypotheses)
    scale = EnFaceMap(
        "retina",
        "Retina",
        "µm",
        np.array([list(table.thickness_um.values())], np.float32),
        RETINA_LIMITS_UM,
        LAYER_PALETTE,
        lesion=False,
    )
    return (
        f'<div class="etdrs-row"><div>{etdrs_diagram(table, nasal_sign, hypotheses)}'
        f"{color_legend(scale)}</div><div>{_headline_numbers(table)}"
        f"{etdrs_rows(table, device, hypotheses)}{device_note(table, result.volume)}"
        f'<p class="fine">Boundaries: {escape(table.boundaries)}. Circles of 1, 3 and 6 mm around '
        f"the fovea ({escape(table.center.source)}, ± {table.center.uncertainty_mm * 1000:.0f} µm)."
        f"</p></div></div>"
    )


def _headline_numbers(table: EtdrsTable) -> str:
    def shown(value: float, digits: int, unit: str) -> str:
        return f"{value:.{digits}f} {unit}" if np.isfinite(value) else "–"

    point = shown(table.central_point_um, 0, "µm")
    if np.isfinite(table.central_point_sd_um):
        point = f"{table.central_point_um:.0f} ± {table.central_point_sd_um:.0f} µm"
    numbers = (
        ("Central subfield (CST)", shown(table.thickness_um["C0"], 0, "µm")),
        ("Center point (CPT) ± SD", point),
        ("Total volume, 6 mm", shown(table.total_mm3, 2, "mm³")),
    )
    cells = "".join(f"<div><span>{name}</span><b>{value}</b></div>" for name, value in numbers)
    return f'<div class="headline-numbers">{cells}</div>'


def etdrs_diagram(table: EtdrsTable, nasal_sign: int, hypotheses: int) -> str:
    """Draw the nine sectors with thickness in µm, in the colors of the retina map."""
    right, left = ("N", "T") if nasal_sign > 0 else ("T", "N")
    angles = {"S": _SUPERIOR, right: _IMAGE_RIGHT, "I": _INFERIOR, left: _IMAGE_LEFT}
    sectors = [_sector(table, "C0", 0.0, hypotheses)]
    sectors += [
        _sector(table, f"{quadrant}{ring}", angle, hypotheses)
        for ring in (1, 2)
        for quadrant, angle in angles.items()
    ]
    marks = "".join(
        f'<text class="mark" x="{330 * math.cos(math.radians(angle)):.1f}" '
        f'y="{-330 * math.sin(math.radians(angle)):.1f}">{quadrant}</text>'
        for quadrant, angle in angles.items()
    )
    return (
        '<svg class="etdrs" viewBox="-352 -352 704 704" role="img" aria-label="Retinal thickness '
        f'in the nine ETDRS sectors, in µm">{"".join(sectors)}{marks}</svg>'
    )


def _sector(table: EtdrsTable, sector: str, angle: float, hypotheses: int) -> str:
    thickness, coverage = table.thickness_um[sector], table.coverage.get(sector, 1.0)
    ring = int(sector[1])
    known = math.isfinite(thickness)
    color = hex_color(thickness, RETINA_LIMITS_UM, LAYER_PALETTE) if known else "#d9dde3"
    ink = ink_on(color)
    reach = (0.0, 100.0, 225.0)[ring]
    x, y = reach * math.cos(math.radians(angle)), -reach * math.sin(math.radians(angle))
    number = f"{thickness:.0f}" if known else "–"
    details = []
    if hypotheses > 1 and known and math.isfinite(table.spreads[sector].std):
        details.append(f"± {table.spreads[sector].std:.1f}")
    if coverage < 0.995:
        details.append(f"{coverage:.0%} scanned")
    small = "".join(
        f'<text class="detail" x="{x:.1f}" y="{y + 22 + 17 * at:.1f}" fill="{ink}">{text}</text>'
        for at, text in enumerate(details)
    )
    title = f"{sector}: {number} µm, {coverage:.0%} of the sector scanned"
    return (
        f'<g><title>{title}</title><path d="{_sector_path(ring, angle)}" fill="{color}"/>'
        f'<text class="number" x="{x:.1f}" y="{y + (10 if not details else 2):.1f}" '
        f'fill="{ink}">{number}</text>{small}</g>'
    )


def _sector_path(ring: int, angle: float) -> str:
    radii = [radius * 100 for radius in ETDRS_RADII_MM]
    if ring == 0:
        r = radii[0]
        return f"M{-r} 0a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0Z"
    inner, outer = radii[ring - 1], radii[ring]
    first, last = math.radians(angle - 45), math.radians(angle + 45)
    corners = [
        f"{radius * math.cos(turn):.2f} {-radius * math.sin(turn):.2f}"
        for radius, turn in ((inner, first), (outer, first), (outer, last), (inner, last))
    ]
    return (
        f"M{corners[0]}L{corners[1]}A{outer} {outer} 0 0 0 {corners[2]}"
        f"L{corners[3]}A{inner} {inner} 0 0 1 {corners[0]}Z"
    )
