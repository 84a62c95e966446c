"""The tables of a report: tissues, ETDRS sectors beside the device's own, and provenance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from statistics import median

from RetinaTriageLib.measures.etdrs_grid import SECTORS
from RetinaTriageLib.measures.volumes import NL_PER_MM3
from RetinaTriageLib.result import EtdrsTable, TissueMeasure, TriageResult
from RetinaTriageLib.tissues import Tissue, TissueGroup
from RetinaTriageLib.volume import DeviceThicknessTable, OCTVolume, describe
from RetinaTriageLib.writers.report_text import area_text, number_text, signed_text, volume_text

SECTOR_TITLES = {
    "C0": "Central 1 mm",
    "S1": "Superior inner",
    "N1": "Nasal inner",
    "I1": "Inferior inner",
    "T1": "Temporal inner",
    "S2": "Superior outer",
    "N2": "Nasal outer",
    "I2": "Inferior outer",
    "T2": "Temporal outer",
}
# Their size is that of the scanned window, not of an anatomical whole.
_OPEN_GROUPS = (TissueGroup.VITREOUS, TissueGroup.CHOROID)
_OPEN_NOTE = "† cut off by the scanned window: the size of the window, not of the tissue."


def color_of(tissue: Tissue) -> str:
    """Color of a tissue as #rrggbb."""
    return "#" + "".join(f"{part:02x}" for part in tissue.color)


def tissue_table(measures: Sequence[TissueMeasure], hypotheses: int) -> str:
    """Volume in nl and area in mm² of every tissue by region, with the spread of the volume."""
    regions = list(measures[0].volume_mm3)
    heads = "".join(f'<th scope="col">{escape(region)}</th>' for region in regions)
    spread_head = '<th scope="col" rowspan="2">all, min – max<br>over maps</th>' * (hypotheses > 1)
    rows = "".join(_tissue_row(measure, regions, hypotheses) for measure in measures)
    opened = any(measure.tissue.group in _OPEN_GROUPS for measure in measures)
    return (
        '<div class="scroll"><table class="numbers tissues"><caption class="hidden">Size of every '
        'tissue</caption><thead><tr><th rowspan="2" scope="col">Tissue</th>'
        f'<th colspan="{len(regions)}" scope="colgroup">Volume, nl</th>{spread_head}'
        f'<th colspan="{len(regions)}" scope="colgroup" class="group">En-face area, mm²</th></tr>'
        f"<tr>{heads}{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p class="fine">Within circles of that diameter around the fovea and in all of the scan, '
        f"on the consensus map; 1 nl = 0.001 mm³. {_OPEN_NOTE if opened else ''}</p>"
    )


def etdrs_rows(table: EtdrsTable, device: DeviceThicknessTable | None, hypotheses: int) -> str:
    """Sectors with thickness, spread, coverage and, where it exists, the device's own thickness."""
    spread_head = '<th scope="col">± SD over maps</th>' * (hypotheses > 1)
    heads = f'<th scope="col">Sector</th><th scope="col">µm</th>{spread_head}'
    heads += '<th scope="col">Scanned</th>'
    if device:
        heads += '<th scope="col" class="group">Device, µm</th><th scope="col">Difference</th>'
    body = "".join(_sector_row(sector, table, device, hypotheses) for sector in SECTORS)
    total = f"<td>{number_text(table.total_mm3, 2)} mm³</td>"
    blank = "<td></td>" * (1 + (hypotheses > 1))
    total_row = f'<tr class="total"><th scope="row">Total volume, 6 mm</th>{total}{blank}'
    if device:
        gap = table.total_mm3 - device.total_mm3
        total_row += f'<td class="group">{number_text(device.total_mm3, 2)} mm³</td>'
        total_row += f"<td>{signed_text(gap, 2)} mm³</td>"
    return (
        '<div class="scroll"><table class="numbers"><caption class="hidden">Retinal thickness by '
        f"ETDRS sector</caption><thead><tr>{heads}</tr></thead><tbody>{body}{total_row}</tr>"
        "</tbody></table></div>"
    )


def device_note(table: EtdrsTable, volume: OCTVolume) -> str:
    """Sentences on how comparable the device's own table is: boundaries, centers, differences."""
    device = volume.record.thickness_table
    if device is None:
        return ""
    gaps = [
        table.thickness_um[sector] - device.thickness_um[sector]
        for sector in SECTORS
        if sector in device.thickness_um and math.isfinite(table.thickness_um[sector])
    ]
    spacing = volume.require_spacing()
    across = (device.center[1] - table.center.width) * spacing.width_mm
    along = (device.center[0] - table.center.bscan) * (spacing.bscan_mm or 0.0)
    apart_um = math.hypot(across, along) * 1000
    worst = max((abs(gap) for gap in gaps), default=math.nan)
    middle = median(abs(gap) for gap in gaps) if gaps else math.nan
    return (
        f'<p class="fine">Device: {escape(device.boundaries)}. Its grid center lies '
        f"{apart_um:.0f} µm from ours. Absolute difference of the sectors: median "
        f"{number_text(middle, 1)} µm, largest {number_text(worst, 1)} µm.</p>"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values as a definition list; both are escaped here."""
    return (
        '<dl class="facts">'
        + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs)
        + "</dl>"
    )


def sentences(lines: Sequence[str], otherwise: str) -> str:
    """Lines as a list, or what to say where there are none; escaped here."""
    if not lines:
        return f'<p class="quiet">{escape(otherwise)}</p>'
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def provenance(result: TriageResult) -> str:
    """Bundle, versions, machine and time of each stage."""
    made = result.provenance
    seconds = " · ".join(f"{stage} {value:.1f} s" for stage, value in made.seconds.items())
    networks = ", ".join(hypothesis.segmenter for hypothesis in result.hypotheses)
    judges = ", ".join(opinion.classifier for opinion in result.hypotheses[0].opinions)
    judges += "".join(f", {joint.classifier} (all maps)" for joint in result.joint_opinions)
    return facts(
        (
            ("Bundle", made.bundle_name),
            ("Bundle SHA-256", made.bundle_sha256),
            ("Trained on", made.trained_on),
            ("Segmentation", networks),
            ("Classification", judges),
            ("Library", f"RetinaTriageLib {made.library_version}, torch {made.torch_version}"),
            ("Computed on", f"{made.compute}, seed {made.seed}"),
            ("Time", seconds or "not recorded"),
        )
    )


def scan_facts(volume: OCTVolume) -> str:
    """Geometry of the scan, each fact with where it was read."""
    bscans, depths, widths = volume.shape

    def sourced(fact: str, value: str) -> str:
        source = volume.sources.get(fact)
        return f"{value} (from {source})" if source else value

    return facts(
        (
            ("Scan", f"{volume.pattern.value}, {bscans} × {depths} × {widths} voxels"),
            ("Spacing", sourced("spacing", describe(volume.spacing))),
            ("Eye", sourced("laterality", describe(volume.laterality))),
            ("Device", sourced("device", describe(volume.device))),
        )
    )


def _tissue_row(measure: TissueMeasure, regions: Sequence[str], hypotheses: int) -> str:
    tissue = measure.tissue
    volumes = "".join(
        f"<td>{volume_text(measure.volume_mm3[of] * NL_PER_MM3)}</td>" for of in regions
    )
    areas = "".join(
        f"<td{' class=group' * (not at)}>{area_text(measure.area_mm2[of])}</td>"
        for at, of in enumerate(regions)
    )
    low, high = (
        value * NL_PER_MM3 for value in (measure.volume_spread.low, measure.volume_spread.high)
    )
    spread = (
        f'<td class="spread">{volume_text(low)} – {volume_text(high)}</td>'
        if hypotheses > 1
        else ""
    )
    absent = ' class="absent"' if high == 0 and not any(measure.volume_mm3.values()) else ""
    note = " †" if tissue.group in _OPEN_GROUPS else ""
    return (
        f'<tr{absent}><th scope="row" title="{escape(tissue.definition)}"><b class="swatch" '
        f'style="background:{color_of(tissue)}"></b>{escape(tissue.title)}{note}</th>'
        f"{volumes}{spread}{areas}</tr>"
    )


def _sector_row(
    sector: str, table: EtdrsTable, device: DeviceThicknessTable | None, hypotheses: int
) -> str:
    ours, coverage = table.thickness_um[sector], table.coverage.get(sector, 1.0)
    cells = f"<td><b>{number_text(ours, 1)}</b></td>"
    if hypotheses > 1:
        cells += f"<td>{number_text(table.spreads[sector].std, 1)}</td>"
    cells += f"<td{' class=short' * (coverage < 0.995)}>{coverage:.0%}</td>"
    if device:
        theirs = device.thickness_um.get(sector, math.nan)
        cells += f'<td class="group">{number_text(theirs)}</td>'
        cells += f"<td>{signed_text(ours - theirs)}</td>"
    title = SECTOR_TITLES.get(sector, sector)
    return f'<tr><th scope="row"><b class="sector">{sector}</b> {title}</th>{cells}</tr>'
