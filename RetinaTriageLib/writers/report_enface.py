"""The en-face part of a report: navigator beside the B-scans and gallery of all maps."""

from __future__ import annotations

from html import escape

import numpy as np

from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.report_figures import color_legend, enface_picture
from RetinaTriageLib.writers.report_maps import (
    EnFaceFrame,
    EnFaceMap,
    painted,
    projection,
    superior_up,
)
from RetinaTriageLib.writers.report_pictures import rgba_png

NO_ENFACE = "This is a single B-scan: there is no en-face picture and there are no en-face maps."


def shared_pictures(result: TriageResult, maps: tuple[EnFaceMap, ...], frame: EnFaceFrame) -> str:
    """Every en-face picture once, hidden, for the drawings to use by id."""
    gray = superior_up(projection(result), frame)
    opaque = np.dstack([gray, gray, gray, np.full_like(gray, 255)])
    pictures = [("projection", opaque)]
    pictures += [(f"map-{one.name}", superior_up(painted(one), frame)) for one in maps]
    images = "".join(
        f'<image id="{escape(name)}" width="{frame.width:.1f}" height="{frame.height:.1f}" '
        f'preserveAspectRatio="none" href="data:image/png;base64,{rgba_png(picture)}"/>'
        for name, picture in pictures
    )
    return f'<svg class="hidden" aria-hidden="true"><defs>{images}</defs></svg>'


def gallery(result: TriageResult, maps: tuple[EnFaceMap, ...], frame: EnFaceFrame) -> str:
    """Projection and all maps side by side, each with its color legend."""
    if result.volume.shape[0] == 1:
        return f'<p class="quiet">{NO_ENFACE}</p>'
    figures = [
        _figure(result, frame, "", "Projection", '<div class="legend">mean gray value</div>')
    ]
    figures += [
        _figure(result, frame, one.name, one.title + _emptiness(one), color_legend(one))
        for one in maps
    ]
    return f'<div class="gallery">{"".join(figures)}</div>{_enface_notes(result, frame)}'


def navigator(result: TriageResult, maps: tuple[EnFaceMap, ...], frame: EnFaceFrame) -> str:
    """En-face picture with a choice of maps over it, linked to the B-scans."""
    first = maps[0].name if result.measurements.thickness_um else ""
    buttons = '<button type="button" data-choose="" aria-pressed="{}">Projection</button>'.format(
        "false" if first else "true"
    )
    buttons += "".join(
        f'<button type="button" data-choose="{escape(one.name)}" '
        f'aria-pressed="{"true" if one.name == first else "false"}">{escape(one.title)}</button>'
        for one in maps
    )
    legends = "".join(
        f'<div data-legend="{escape(one.name)}"{"" if one.name == first else " hidden"}>'
        f"{color_legend(one)}</div>"
        for one in maps
    )
    picture = enface_picture(result, frame, f"map-{first}" if first else "projection", "En face")
    return (
        f'<div id="navigator" data-enface="{escape(first)}">'
        '<p class="panel-title"><span>En face <span class="quiet">click: go to B-scan</span>'
        '</span><span class="value-here quiet"></span></p>'
        f'<div class="choices" role="group" aria-label="En-face map">{buttons}</div>{picture}'
        f"{legends}"
        '<div class="controls below"><label>Opacity of the map <input type="range" '
        'id="map-opacity" min="0" max="100" value="100"></label></div></div>'
    )


def _figure(result: TriageResult, frame: EnFaceFrame, name: str, title: str, legend: str) -> str:
    overlay = f"map-{name}" if name else ""
    return (
        f'<figure data-enface="{escape(name)}"><figcaption>{escape(title)}'
        f'<span class="value-here"></span></figcaption>'
        f"{enface_picture(result, frame, overlay, title)}{legend}</figure>"
    )


def _emptiness(enface_map: EnFaceMap) -> str:
    return " (none found)" if enface_map.lesion and not (enface_map.values > 0).any() else ""


def _enface_notes(result: TriageResult, frame: EnFaceFrame) -> str:
    notes = ["Superior is on top; between B-scans colors are interpolated."]
    if frame.per_mm is None:
        notes.append("Not to scale, without ETDRS circles: spacing is unknown.")
    elif result.measurements.fovea is None and result.measurements.etdrs is None:
        notes.append("Without ETDRS circles: the fovea was not found.")
    if result.volume.nasal_sign is None:
        notes.append("Nasal and temporal are not marked: laterality is unknown.")
    if not result.measurements.thickness_um:
        notes.append(f"No thickness maps. {' '.join(result.measurements.refused)}")
    if len(result.hypotheses) == 1:
        notes.append("One hypothesis: there is no disagreement to show.")
    else:
        notes.append("Disagreement: mean entropy between hypotheses along the depth.")
    return f'<p class="fine">{escape(" ".join(notes))}</p>'
