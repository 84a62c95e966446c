"""The page of separate pictures that whole-image classifiers judged: one HTML file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from RetinaTriageLib.bscan_verdict import ImageOrigin, ImageTask, ScoreArray, answer
from RetinaTriageLib.writers.html_page import html_page
from RetinaTriageLib.writers.report_bscans import NO_REFERRAL, REFERRAL_TITLES, origin_line
from RetinaTriageLib.writers.report_pictures import gray_levels, jpeg

THUMBNAIL = 160  # longer side, in pixels
MOST_THUMBNAILS = 500  # pictures beyond are told by numbers alone, or the page grows too large

STYLE = """
td img { display: block; max-width: 160px; }
td.decided { font-weight: 650; }
"""


@dataclass(frozen=True)
class JudgedPictures:
    """Separate pictures and what was said of them.

    Attributes
    ----------
    scores : array (picture, class)
    pictures : gray arrays (depth, width) of any sizes
    files : names of the pictures' files; None where they are not kept
    """

    task: ImageTask
    scores: ScoreArray
    origin: ImageOrigin
    pictures: Sequence[npt.NDArray[Any]]
    files: Sequence[str] | None = None


def pictures_page(judged: JudgedPictures) -> str:
    """Page of pictures as text; everything that comes from data is escaped."""
    task, scores, origin, files = judged.task, judged.scores, judged.origin, judged.files
    titles = {each.name: each.title for each in task.classes}
    said = [answer(task, row) for row in scores]
    counts = Counter(" + ".join(titles[name] for name in one.classes) or "No class" for one in said)
    summary = ", ".join(f"{escape(name)} {count}" for name, count in sorted(counts.items()))
    rows = []
    for at, (row, one) in enumerate(zip(scores, said, strict=True)):
        name = str(at + 1) if files is None else escape(files[at])
        cells = "".join(
            f'<td class="{"decided" * (each in one.classes)}">{"✓ " * (each in one.classes)}'
            f"{score:.3f}</td>"
            for each, score in zip(task.names, row, strict=True)
        )
        asked = NO_REFERRAL if one.referral is None else REFERRAL_TITLES[one.referral]
        shown = _thumbnail(judged.pictures[at], name) if at < MOST_THUMBNAILS else ""
        rows.append(
            f'<tr><th scope="row">{name}</th><td>{shown}</td>{cells}<td>{escape(asked)}</td></tr>'
        )
    heads = "".join(f'<th scope="col">{escape(each.title)}</th>' for each in task.classes)
    beyond = max(0, len(rows) - MOST_THUMBNAILS)
    note = f'<p class="fine">{beyond} pictures beyond are not shown.</p>' if beyond else ""
    body = (
        '<header class="top"><div class="case">'
        '<p class="kicker">RetinaTriage report: separate pictures</p>'
        f"<h1>{len(rows)} pictures</h1><p>{summary}</p>"
        f'<p class="bundle"><b>Bundle</b> {escape(origin.bundle_name)}<br><b>Trained on</b> '
        f"{escape(origin.trained_on)}</p></div></header><main><section>"
        "<h3>Classes <small>probability, 0 to 1, not calibrated; ✓: decided</small></h3>"
        '<div class="scroll"><table class="numbers"><thead><tr><th scope="col">Picture</th>'
        f'<th scope="col"></th>{heads}<th scope="col">Asks for</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{note}{origin_line(origin)}"
        "</section></main>"
    )
    style = Path(__file__).with_name("report_page.css").read_text(encoding="utf-8") + STYLE
    return html_page("Pictures – RetinaTriage", style, body, images="data:")


def _thumbnail(picture: npt.NDArray[Any], name: str) -> str:
    """Show a picture small; ``name`` is escaped."""
    image = Image.fromarray(gray_levels(picture[np.newaxis])[0])
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return f'<img alt="{name}" src="data:image/jpeg;base64,{jpeg(np.asarray(image))}">'
