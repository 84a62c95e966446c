"""The report of one case on paper: A4 pages with verdict, maps, measurements and their origin."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from RetinaTriageLib.bscan_agreement import compare_result, disagreement
from RetinaTriageLib.result import RESEARCH_USE, TriageResult
from RetinaTriageLib.writers.report_file import whole_file
from RetinaTriageLib.writers.report_maps import enface_frame, enface_maps
from RetinaTriageLib.writers.report_pdf_bscans import draw_bscan_page
from RetinaTriageLib.writers.report_pdf_panels import (
    INK,
    QUIET,
    draw_bscan,
    draw_head,
    draw_legend,
    draw_localizer,
    draw_map,
)
from RetinaTriageLib.writers.report_pdf_tables import (
    draw_etdrs,
    draw_etdrs_numbers,
    draw_tissues,
)
from RetinaTriageLib.writers.report_scores import decided, lead_head
from RetinaTriageLib.writers.report_text import scan_line

A4_INCHES = (8.27, 11.69)
# As in report_page.css: from the most to the least urgent outcome.
RANK_COLORS = ("#8f1d21", "#a4500a", "#0b5c86", "#46525f")
_LEFT, _RIGHT = 0.075, 0.935
_MAPS_A_PAGE = 6

Page = Callable[[TriageResult, Figure], None]


def write_pdf(result: TriageResult, path: Path) -> None:
    """Write the report as PDF: verdict and B-scan, maps and ETDRS grid, tissues and origin.

    The file appears complete or not at all; equal results make equal files.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    beside: tuple[Page, ...] = () if result.bscan_verdict is None else (_bscan_page,)
    pages: tuple[Page, ...] = (_verdict_page, *beside, _maps_page, _origin_page)
    undated = {"CreationDate": None, "Title": f"{result.volume.name} – RetinaTriage"}
    with whole_file(path) as unfinished, PdfPages(unfinished, metadata=undated) as pdf:
        for number, draw_page in enumerate(pages, start=1):
            figure = Figure(figsize=A4_INCHES)
            FigureCanvasAgg(figure)
            _frame(result, figure, f"{number} / {len(pages)}")
            draw_page(result, figure)
            pdf.savefig(figure, dpi=200)


def _verdict_page(result: TriageResult, figure: Figure) -> None:
    head = lead_head(result)
    chosen = decided(result, head)
    rank = head.outcomes.index(chosen[0][0]) if chosen else len(RANK_COLORS) - 1
    box = _axes(figure, 0.835, 0.075)
    box.set_facecolor(RANK_COLORS[min(rank, len(RANK_COLORS) - 1)])
    title = ", ".join(outcome.title for outcome, _ in chosen) or "Nothing decided"
    box.text(0.025, 0.8, head.title.upper(), color="w", fontsize=7, va="center")
    box.text(0.025, 0.42, title, color="w", fontsize=22, weight="bold", va="center")
    score = " · ".join(f"{score:.2f}" for _, score in chosen)
    box.text(0.975, 0.42, score, color="w", fontsize=22, va="center", ha="right")
    point = f"score at the {result.verdict.operating_point} operating point"
    box.text(0.975, 0.8, point, color="w", fontsize=7, va="center", ha="right")
    _note(figure, 0.822, f"Trained on: {result.provenance.trained_on}", lines=2)
    _heading(figure, 0.785, "Scores", "bar: mean, dot: one opinion, |: score, bold: decided")
    left, top = [_LEFT + 0.13, _LEFT + 0.59], [0.77, 0.77]
    for each in result.vocabulary.heads:
        column = 0 if top[0] >= top[1] else 1
        height = 0.0165 * (len(each.outcomes) + 1.3)
        axes = figure.add_axes((left[column], top[column] - height, 0.225, height))
        draw_head(axes, result, each)
        top[column] -= height + 0.012
    bottom = min(top)
    draw_bscan(figure, result, (_LEFT, 0.07, _RIGHT - _LEFT, bottom - 0.095))


def _bscan_page(result: TriageResult, figure: Figure) -> None:
    assert result.bscan_verdict is not None
    comparisons = compare_result(result)
    _heading(figure, 0.905, "B-scan classifier beside the tissue maps")
    draw_bscan_page(figure, result.bscan_verdict, comparisons, disagreement(comparisons))


def _maps_page(result: TriageResult, figure: Figure) -> None:
    maps, frame = enface_maps(result)[: _MAPS_A_PAGE - 1], enface_frame(result.volume)
    _heading(figure, 0.905, "En-face maps", "superior on top")
    if result.volume.shape[0] == 1:
        _note(figure, 0.89, "A single B-scan has no en-face maps.")
    else:
        for at, one in enumerate((None, *maps)):
            column, row = at % 3, at // 3
            place = (_LEFT + column * 0.295, 0.69 - row * 0.255, 0.265, 0.19)
            axes = figure.add_axes(place)
            draw_map(axes, result, frame, one)
            if one is not None:
                bar = figure.add_axes((place[0] + 0.02, place[1] - 0.014, 0.225, 0.007))
                draw_legend(bar, one)
    _heading(figure, 0.375, "Retinal thickness on the ETDRS grid, µm")
    table = result.measurements.etdrs
    if table is None or result.volume.nasal_sign is None:
        _note(figure, 0.36, "Not measured. " + " ".join(result.measurements.refused), lines=4)
        return
    draw_etdrs(figure.add_axes((_LEFT, 0.08, 0.38, 0.28)), result, table)
    draw_etdrs_numbers(figure.add_axes((_LEFT + 0.42, 0.08, 0.44, 0.28)), result, table)
    _note(figure, 0.072, f"Boundaries: {table.boundaries}. Center: {table.center.source}.", lines=1)


def _origin_page(result: TriageResult, figure: Figure) -> None:
    measured, made, volume = result.measurements, result.provenance, result.volume
    _heading(
        figure, 0.905, "Tissues", "left: volume in nl, right: en-face area in mm²; consensus map"
    )
    if measured.tissues:
        draw_tissues(figure.add_axes((_LEFT, 0.555, _RIGHT - _LEFT, 0.34)), result)
    else:
        _note(figure, 0.885, "Not measured. " + " ".join(measured.refused), lines=4)
    seconds = ", ".join(f"{stage} {value:.1f} s" for stage, value in made.seconds.items())
    versions = f"RetinaTriageLib {made.library_version}, torch {made.torch_version}"
    blocks = (
        ("Scan", (scan_line(volume), *(f"{k}: {v}" for k, v in volume.sources.items()))),
        ("Assumed", volume.assumed or ("Nothing.",)),
        ("Not measured", measured.refused or ("Nothing was left out.",)),
        ("Notes", made.notes or ("None.",)),
        (
            "Provenance",
            (
                f"Bundle {made.bundle_name}, SHA-256 {made.bundle_sha256}",
                f"Trained on: {made.trained_on}",
                f"{versions}; {made.compute}, seed {made.seed}",
                f"Time: {seconds or 'not recorded'}",
            ),
        ),
    )
    y = 0.525
    for title, lines in blocks:
        if y < 0.09:
            return
        _heading(figure, y, title)
        y -= 0.016
        for line in lines:
            for part in textwrap.wrap(line, 120) or [""]:
                if y < 0.06:
                    return
                figure.text(_LEFT, y, part, fontsize=7.5, color=INK, va="center", parse_math=False)
                y -= 0.0135
        y -= 0.014
    localizer = volume.record.localizer
    if localizer is not None and y > 0.2:
        _heading(figure, y, "Localizer", "with the B-scans")
        draw_localizer(figure.add_axes((_LEFT, 0.055, 0.35, y - 0.07)), localizer)


def _frame(result: TriageResult, figure: Figure, page: str) -> None:
    for y in (0.972, 0.032):
        figure.text(0.5, y, RESEARCH_USE, fontsize=7.5, ha="center", color="#7a3b00", weight="bold")
    name = textwrap.shorten(result.volume.name, 60, placeholder=" ...")
    figure.text(_LEFT, 0.941, name, fontsize=14, weight="bold", color=INK, parse_math=False)
    figure.text(_LEFT, 0.926, scan_line(result.volume), fontsize=7.5, color=QUIET)
    bundle = f"RetinaTriage · {result.provenance.bundle_name}"
    figure.text(_RIGHT, 0.945, bundle, fontsize=7.5, ha="right", color=QUIET, parse_math=False)
    figure.text(_RIGHT, 0.032, page, fontsize=7.5, ha="right", color=QUIET)


def _heading(figure: Figure, y: float, title: str, small: str = "") -> None:
    text = figure.text(_LEFT, y, title, fontsize=10, weight="bold", color=INK, va="center")
    if small:
        width = text.get_window_extent().width / figure.bbox.width
        figure.text(_LEFT + width + 0.012, y - 0.001, small, fontsize=7, color=QUIET, va="center")


def _note(figure: Figure, y: float, sentence: str, lines: int = 1) -> None:
    wrapped = textwrap.wrap(sentence, 135)
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], wrapped[lines - 1][:130] + " ..."]
    for at, line in enumerate(wrapped):
        place = y - 0.0125 * at
        figure.text(_LEFT, place, line, fontsize=7, color=QUIET, va="center", parse_math=False)


def _axes(figure: Figure, bottom: float, height: float) -> Axes:
    axes = figure.add_axes((_LEFT, bottom, _RIGHT - _LEFT, height))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes
