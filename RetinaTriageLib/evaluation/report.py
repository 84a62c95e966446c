"""The report of an evaluation: a folder with evaluation.json, CSV tables and one HTML page."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
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
from RetinaTriageLib.evaluation.report_page import (
    columns_of_text,
    plot_section,
    report_page,
    section,
)
from RetinaTriageLib.evaluation.report_plots import (
    confusion_plot,
    dice_bars,
    roc_plot,
    volume_bland_altman,
)
from RetinaTriageLib.evaluation.report_tables import write_tables
from RetinaTriageLib.evaluation.report_text import evaluation_text
from RetinaTriageLib.writers.whole_folder import write_whole_folder

JSON_FILE, HTML_FILE = "evaluation.json", "evaluation.html"

# Volumes that a reader of a macular scan asks for.
PLOTTED_VOLUMES = ("fluid", "ped", "neurosensory_retina")

SHEET_WIDTH = 1040
JPEG_QUALITY = 85


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
    return report_page(title, lead, _sections(evaluation))


def _sections(evaluation: Evaluation) -> Iterator[str]:
    consensus = evaluation.consensus
    if consensus is not None:
        yield plot_section("Overlap by tissue", [dice_bars(consensus, evaluation.maps[:-1])])
        yield plot_section(
            "Volumes", (volume_bland_altman(consensus, name) for name in PLOTTED_VOLUMES)
        )
    if evaluation.ensemble is not None:
        drawn: list[str | None] = []
        for scores in evaluation.ensemble.heads:
            answers = evaluation.answers[scores.head]
            drawn += [roc_plot(answers), confusion_plot(scores, answers.head.title)]
        yield plot_section("Answers of the ensemble", drawn)
    if evaluation.pictures:
        title = "Scans with the lowest Dice: scan, truth, consensus"
        sheet = f'<img alt="{title}" src="data:image/jpeg;base64,{_pictures(evaluation)}">'
        yield section(title, sheet)
    yield section("Numbers", columns_of_text(evaluation_text(evaluation)))


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
