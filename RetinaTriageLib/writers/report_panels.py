"""The B-scan browser of a report: controls, canvas, slider with lesion strip, tissue list."""

from __future__ import annotations

from html import escape

import numpy as np

from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.tissues import TissueGroup
from RetinaTriageLib.writers.report_browser import is_lesion, named_maps, tissue_counts
from RetinaTriageLib.writers.report_enface import NO_ENFACE, navigator, shared_pictures
from RetinaTriageLib.writers.report_maps import (
    EnFaceFrame,
    EnFaceMap,
)
from RetinaTriageLib.writers.report_tables import color_of

RULER_UM = 200.0


def browser_panel(result: TriageResult, maps: tuple[EnFaceMap, ...], frame: EnFaceFrame) -> str:
    """B-scans with overlays and tissue list, and beside them the en-face navigator."""
    raster = result.volume.shape[0] > 1
    kind = "viewer" if raster else "viewer line-scan"
    enface = navigator(result, maps, frame) if raster else f'<p class="quiet">{NO_ENFACE}</p>'
    return (
        f'{shared_pictures(result, maps, frame) if raster else ""}<div class="{kind}">'
        f"<div>{_controls(result)}{_stage(result)}{_slider(result) if raster else _counter()}"
        f'<p class="readout" id="readout">Point at the B-scan to read the tissue. '
        f"Keys: ← → B-scan, 0–9 tissue map, H hides the overlay.</p></div>"
        f"<div>{enface}{_tissue_list(result)}</div></div>"
    )


def _controls(result: TriageResult) -> str:
    maps = "".join(
        f'<button type="button" data-map aria-pressed="{"true" if not at else "false"}" '
        f'title="{escape(title)} (key {at})">{escape(name)}</button>'
        for at, (name, title, _) in enumerate(named_maps(result))
    )
    disagreement = (
        '<label title="Color only voxels that not all tissue maps label alike">'
        '<input type="checkbox" id="only-disagreement"> Only disagreement</label>'
    ) * (len(result.hypotheses) > 1)
    return (
        f'<div class="controls"><span class="buttons" role="group" aria-label="Tissue map">{maps}'
        '</span><label>Opacity <input type="range" id="opacity" min="0" max="100" value="38" '
        'aria-label="Opacity of the overlay"></label>'
        f'<label><input type="checkbox" id="outline"> Outlines</label>{disagreement}'
        f'<span class="push">{_aspect_buttons(result)}</span></div>'
    )


def _aspect_buttons(result: TriageResult) -> str:
    _, depths, widths = result.volume.shape
    spacing = result.volume.spacing
    if spacing is None:
        return '<span class="quiet">Spacing unknown: not to scale, no ruler.</span>'
    true_aspect = widths * spacing.width_mm / (depths * spacing.depth_mm)
    return (
        '<span class="buttons" role="group" aria-label="Aspect">'
        f'<button type="button" data-aspect="{widths / depths:.5f}" aria-pressed="true">As stored'
        f'</button><button type="button" data-aspect="{true_aspect:.5f}" aria-pressed="false">'
        "True to scale</button></span>"
    )


def _stage(result: TriageResult) -> str:
    _, depths, widths = result.volume.shape
    spacing, nasal_sign = result.volume.spacing, result.volume.nasal_sign
    extras = ""
    if spacing is not None:
        across = RULER_UM / 1000 / (widths * spacing.width_mm)
        down = RULER_UM / 1000 / (depths * spacing.depth_mm)
        extras += (
            f'<div class="ruler" style="width:{across:.3%};height:{down:.3%}"></div>'
            f'<div class="ruler-text">{RULER_UM:.0f} µm</div>'
        )
    if nasal_sign is not None:
        right, left = ("N", "T") if nasal_sign > 0 else ("T", "N")
        extras += f'<span class="side left">{left}</span><span class="side right">{right}</span>'
    size = f'width="{widths}" height="{depths}"'
    return (
        f'<div class="stage-box"><div class="stage" id="stage" tabindex="0" role="img" '
        f'aria-label="B-scan with tissue overlay" style="--aspect:{widths / depths:.5f}">'
        f'<canvas id="gray" {size}></canvas><canvas id="overlay" {size}></canvas>{extras}'
        "</div></div>"
    )


def _counter() -> str:
    return '<div class="slider-row"><span></span><output id="bscan-number"></output></div>'


def _slider(result: TriageResult) -> str:
    """Slider with a strip above it: how much of each lesion every B-scan holds."""
    bscans = result.volume.shape[0]
    tissues = result.vocabulary.tissues
    counts = tissue_counts(result)
    lesions = [at for at, tissue in enumerate(tissues) if is_lesion(tissue)]
    highest = max(1, int(counts[lesions].sum(axis=0).max(initial=0))) if lesions else 1
    bars, base = [], np.zeros(bscans)
    for at in lesions:
        heights = counts[at] / highest * 100
        bars += [
            f'<rect x="{number + 0.08:.2f}" width=".84" y="{100 - base[number] - height:.2f}" '
            f'height="{height:.2f}" fill="{color_of(tissues[at])}"/>'
            for number, height in enumerate(heights)
            if height > 0
        ]
        base += heights
    return (
        f'<div class="slider-row"><div><svg class="strip" viewBox="0 0 {bscans} 100" '
        'preserveAspectRatio="none" role="img" aria-label="Amount of lesion in every B-scan">'
        "<title>Fluid, detachments and other lesions in every B-scan of the consensus map</title>"
        f'<rect y="98.5" width="{bscans}" height="1.5" fill="#2a323d"/>{"".join(bars)}'
        '<rect class="now" width="1" height="100" fill="none" stroke="#ff4fd8" '
        'stroke-width="2" vector-effect="non-scaling-stroke"/></svg>'
        f'<input type="range" id="bscan-slider" min="0" max="{bscans - 1}" value="0" '
        'aria-label="B-scan"></div><output id="bscan-number"></output></div>'
    )


def _tissue_list(result: TriageResult) -> str:
    """Legend with a check box a tissue; background tissues start unchecked."""
    counts = tissue_counts(result)
    raster = result.volume.shape[0] > 1
    items = []
    for tissue, by_bscan in zip(result.vocabulary.tissues, counts, strict=True):
        background = tissue.group is TissueGroup.CHOROID or tissue.label == 0
        most = int(by_bscan.argmax())
        jump = (
            f'<button type="button" data-jump="{most}" title="B-scan with most of it">'
            f"most: {most + 1}</button>"
            if by_bscan.any() and is_lesion(tissue) and raster
            else "<span></span>"
        )
        items.append(
            f'<li><label title="{escape(tissue.definition)}"><input type="checkbox" data-tissue'
            f'{"" if background else " checked"}><span class="swatch" style="background:'
            f'{color_of(tissue)}"></span>{escape(tissue.title)}</label>'
            f'<span class="size" data-size></span>{jump}</li>'
        )
    return (
        '<p class="panel-title"><span>Tissues in this B-scan</span><span>'
        '<button type="button" data-check="all">all</button>'
        '<button type="button" data-check="none">none</button>'
        '<button type="button" data-check="usual">usual</button></span></p>'
        f'<ul class="tissue-list" style="padding:0">{"".join(items)}</ul>'
    )
