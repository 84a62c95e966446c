"""Scores of single pictures by class: one figure of maps and scores, and a CSV table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from RetinaTriageLib.evaluation.contact_sheet import (
    Tile,
    as_rgb,
    contact_sheet,
    legend_tile,
    overlay,
)
from RetinaTriageLib.evaluation.figures import INK
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.picture_scores import PictureScore, read_gray_picture
from RetinaTriageLib.evaluation.table_rows import Row, write_rows
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL, OutcomeHead
from RetinaTriageLib.tissues import TISSUES, Tissue
from RetinaTriageLib.writers.report_file import whole_file
from RetinaTriageLib.writers.report_pictures import gray_levels

SHEET_COLUMNS, TILE_WIDTH, DPI = 2, 640, 100
SHOWN_HEADS = (REFERRAL.name, CONDITIONS.name)


def write_picture_figure(
    scores: Sequence[PictureScore],
    heads: Sequence[OutcomeHead],
    path: Path,
    tissues: Sequence[Tissue] = TISSUES,
) -> None:
    """Write tissue maps and, below them, the scores of referral and conditions, as one PNG.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    tiles = [_tile(score, tuple(tissues)) for score in scores]
    sheet = contact_sheet([*tiles, legend_tile(tissues)], SHEET_COLUMNS, TILE_WIDTH)
    matrix = _score_matrix(scores, [head for head in heads if head.name in SHOWN_HEADS])
    matrix = matrix.resize((sheet.width, round(matrix.height * sheet.width / matrix.width)))
    whole = Image.new("RGB", (sheet.width, sheet.height + matrix.height), "white")
    whole.paste(sheet, (0, 0))
    whole.paste(matrix, (0, sheet.height))
    with whole_file(path) as unfinished:
        whole.save(unfinished, "PNG", optimize=True)


def write_picture_table(
    scores: Sequence[PictureScore], heads: Sequence[OutcomeHead], path: Path
) -> None:
    """Write one row a picture: class, decisions, and raw and re-weighted score of every outcome.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    rows = [_row(score, heads) for score in scores]
    with whole_file(path) as unfinished:
        write_rows(rows, unfinished)


def class_text(scores: Sequence[PictureScore], heads: Sequence[OutcomeHead]) -> str:
    """Mean score of every referral and condition by class, for a terminal."""
    labels = list(dict.fromkeys(score.label for score in scores))
    counts = {label: sum(score.label == label for score in scores) for label in labels}
    lines = [
        f"{'mean score':<32}" + "".join(f"{f'{label} ({counts[label]})':>16}" for label in labels)
    ]
    for head in heads:
        if head.name not in SHOWN_HEADS:
            continue
        for index, name in enumerate(head.names):
            means = [_mean(scores, label, head.name, index) for label in labels]
            lines.append(f"{name:<32}" + "".join(f"{mean:>16.3f}" for mean in means))
    lines.append("Spacing unknown: nothing is measured.")
    notes = dict.fromkeys(note for score in scores for note in score.notes)
    return "\n".join([*lines, *(f"Note: {note}" for note in notes)]) + "\n"


def _tile(score: PictureScore, tissues: tuple[Tissue, ...]) -> Tile:
    gray = gray_levels(read_gray_picture(score.picture.path).voxels)[0]
    return Tile(
        f"{score.label}: {score.name}; referral {_referral(score)}",
        (as_rgb(gray), overlay(gray, score.tissue_map, tissues)),
    )


def _mean(scores: Sequence[PictureScore], label: str, head: str, index: int) -> float:
    return float(np.mean([s.verdict.scores[head][index] for s in scores if s.label == label]))


def _row(score: PictureScore, heads: Sequence[OutcomeHead]) -> Row:
    row: Row = {
        "class": score.label,
        "picture": score.name,
        "fluid_share_of_retina": finite_or_none(score.fluid_share),
    }
    for head in heads:
        row[f"{head.name}_decided"] = " ".join(score.verdict.decisions[head.name])
        for index, name in enumerate(head.names):
            row[f"{head.name}_{name}_raw"] = float(score.verdict.raw[head.name][index])
            row[f"{head.name}_{name}"] = float(score.verdict.scores[head.name][index])
    return row


def _referral(score: PictureScore) -> str:
    return ", ".join(score.verdict.decisions.get(REFERRAL.name, ())) or "not asked"


def _score_matrix(scores: Sequence[PictureScore], heads: Sequence[OutcomeHead]) -> Image.Image:
    names = [outcome.title for head in heads for outcome in head.outcomes]
    values = np.array([np.concatenate([s.verdict.scores[h.name] for h in heads]) for s in scores])
    figure = Figure(figsize=(13, 1.9 + 0.3 * len(scores)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        color = "white" if value > 0.55 else INK
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=color, fontsize=8)
    labels = [score.label for score in scores]
    for row in range(1, len(labels)):
        if labels[row] != labels[row - 1]:
            axes.axhline(row - 0.5, color=INK, linewidth=1.2)
    if len(heads) > 1:
        axes.axvline(len(heads[0].outcomes) - 0.5, color=INK, linewidth=1.2)
    axes.set_yticks(range(len(scores)), [f"{s.label}: {s.name}" for s in scores], fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=8)
    axes.set_title(
        f"Scores as the bundle gives them, operating point {scores[0].verdict.operating_point}; "
        "spacing unknown, single B-scans",
        fontsize=10,
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")
