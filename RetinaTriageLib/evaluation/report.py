"""The report of an evaluation: a folder with evaluation.json, CSV tables and one HTML page."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.evaluation.contact_sheet import (
    Tile,
    as_rgb,
    contact_sheet,
    legend_tile,
    overlay,
)
from RetinaTriageLib.evaluation.evaluation import Evaluation
from RetinaTriageLib.evaluation.report_json import evaluation_json
from RetinaTriageLib.evaluation.report_plots import (
    confusion_plot,
    dice_bars,
    roc_plot,
    volume_bland_altman,
)
from RetinaTriageLib.evaluation.report_tables import write_tables
from RetinaTriageLib.evaluation.report_text import evaluation_text
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.writers.whole_folder import write_whole_folder

JSON_FILE, HTML_FILE = "evaluation.json", "evaluation.html"

# Volumes that a reader of a macular scan asks for.
PLOTTED_VOLUMES = ("fluid", "ped", "neurosensory_retina")

SHEET_WIDTH = 1040
JPEG_QUALITY = 85

# Nothing is loaded from elsewhere and nothing is run.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

STYLE = """
body { margin: 0 auto; padding: 20px; max-width: 1100px; color: #1b2430; background: #f3f5f7;
  font: 15px/1.5 system-ui, sans-serif; }
section { background: #fff; border: 1px solid #dfe3e8; border-radius: 10px; padding: 18px 22px;
  margin-bottom: 16px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 0 0 10px; }
p { margin: 4px 0; color: #66707d; } img { max-width: 100%; vertical-align: top; }
pre { font: 12.5px/1.45 ui-monospace, monospace; overflow-x: auto; margin: 0; }
.use { text-align: center; color: #7a3b00; font-weight: 600; }
.scroll { overflow-x: auto; margin: 6px 0 12px; } li { margin: 4px 0; }
table { border-collapse: collapse; font-size: 13px; min-width: 540px;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #66707d; padding: 4px 0; }
th, td { border-bottom: 1px solid #dfe3e8; padding: 5px 12px 5px 0; text-align: left;
  vertical-align: top; } thead th { color: #66707d; font-weight: 600; }
tbody th { font-weight: 500; } tbody th, td { white-space: nowrap; }
"""


def require_new_folder(folder: Path) -> None:
    """Refuse a folder that holds something; to be asked before long work, too.

    Raises
    ------
    OutputError
        If it is a file, or not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} holds something already; choose a new folder for the evaluation."
        raise OutputError(msg)


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write numbers, tables and report; the folder appears complete or not at all.

    Raises
    ------
    OutputError
        If it cannot be written, or holds something already.
    """
    require_new_folder(folder)
    replace_evaluation(evaluation, folder)


def replace_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write numbers, tables and report in place of whatever folder was there.

    Raises
    ------
    OutputError
        If it cannot be written; what was there before then stays.
    """
    facts = json.dumps(evaluation_json(evaluation), indent=2, ensure_ascii=False, allow_nan=False)
    page = evaluation_page(evaluation)

    def fill(partial: Path) -> None:
        (partial / JSON_FILE).write_text(facts + "\n", encoding="utf-8")
        (partial / HTML_FILE).write_text(page, encoding="utf-8")
        write_tables(evaluation, partial)

    write_whole_folder(folder, fill)


def evaluation_page(evaluation: Evaluation) -> str:
    """Page of an evaluation as text; everything that comes from data is escaped."""
    title = f"{evaluation.bundle.name} on {evaluation.set_name}"
    lead = (
        f"{len(evaluation.cases)} cases. Trained on: {evaluation.bundle.trained_on}",
        f"Computed on {evaluation.bundle.compute}; bundle SHA-256 {evaluation.bundle.sha256}",
    )
    return page(title, lead, "".join(_sections(evaluation)))


def page(title: str, lead: Sequence[str], sections: str) -> str:
    """Page with the title and lead escaped; the sections are HTML as `section` makes them."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lead)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f'<p class="use">{escape(RESEARCH_USE)}</p>'
        f"<section><h1>{escape(title)}</h1>{paragraphs}</section>{sections}</body></html>\n"
    )


def _sections(evaluation: Evaluation) -> Iterator[str]:
    consensus = evaluation.consensus
    if consensus is not None:
        yield section("Overlap by tissue", [dice_bars(consensus, evaluation.maps[:-1])])
        yield section("Volumes", [volume_bland_altman(consensus, name) for name in PLOTTED_VOLUMES])
    if evaluation.ensemble is not None:
        plots: list[str | None] = []
        for scores in evaluation.ensemble.heads:
            answers = evaluation.answers[scores.head]
            plots += [roc_plot(answers), confusion_plot(scores, answers.head.title)]
        yield section("Answers of the ensemble", plots)
    if evaluation.pictures:
        title = "Scans with the lowest Dice: scan, truth, consensus"
        sheet = f'<img alt="{title}" src="data:image/jpeg;base64,{_pictures(evaluation)}">'
        yield f"<section><h2>{title}</h2>{sheet}</section>"
    yield text_section("Numbers", evaluation_text(evaluation))


def section(title: str, plots: Sequence[str | None]) -> str:
    """Section of plots, base64 of PNG each; empty text where there is no plot."""
    shown = "".join(
        f'<img alt="{escape(title)}" src="data:image/png;base64,{plot}">' for plot in plots if plot
    )
    return f"<section><h2>{escape(title)}</h2>{shown}</section>" if shown else ""


def text_section(title: str, text: str) -> str:
    """Section of text in columns, escaped."""
    return f"<section><h2>{escape(title)}</h2><pre>{escape(text)}</pre></section>"


def _pictures(evaluation: Evaluation) -> str:
    tiles = [
        Tile(
            f"{picture.case}, B-scan {picture.bscan + 1}, Dice of the scan {picture.dice:.2f}",
            (
                as_rgb(picture.gray),
                overlay(picture.gray, picture.codes),
                overlay(picture.gray, picture.predicted),
            ),
        )
        for picture in evaluation.pictures
    ]
    sheet = contact_sheet(
        [*tiles, legend_tile(width=SHEET_WIDTH)], columns=1, tile_width=SHEET_WIDTH
    )
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
