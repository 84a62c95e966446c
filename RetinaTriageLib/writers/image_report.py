"""The report of whole-image classifiers alone: one HTML file, or one page of PDF."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from RetinaTriageLib.bscan_verdict import BscanVerdict
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.writers.html_page import html_page
from RetinaTriageLib.writers.report_bscans import (
    NO_REFERRAL,
    REFERRAL_TITLES,
    along_the_volume,
    class_table,
    origin_line,
)
from RetinaTriageLib.writers.report_file import whole_file, write_whole_text
from RetinaTriageLib.writers.report_pdf import A4_INCHES
from RetinaTriageLib.writers.report_pdf_bscans import LEFT, draw_bscan_page
from RetinaTriageLib.writers.report_pdf_panels import INK, QUIET
from RetinaTriageLib.writers.report_pictures import gray_levels, jpeg
from RetinaTriageLib.writers.report_tables import sentences
from RetinaTriageLib.writers.report_text import scan_line


def write_image_report(volume: OCTVolume, verdict: BscanVerdict, path: Path) -> None:
    """Write the report of a volume as HTML; it appears complete or not at all."""
    write_whole_text(image_report_page(volume, verdict), path)


def image_report_page(volume: OCTVolume, verdict: BscanVerdict) -> str:
    """Page of a volume as text; everything that comes from data is escaped."""
    shown = telling_bscan(verdict)
    here = Path(__file__)
    body = Template(here.with_name("image_page.html").read_text(encoding="utf-8")).substitute(
        name=escape(volume.name),
        scan=escape(scan_line(volume)),
        bundle=escape(verdict.origin.bundle_name),
        trained_on=escape(verdict.origin.trained_on),
        headline=_headline(verdict),
        picture_title=escape(_picture_title(verdict, shown)),
        picture=jpeg(gray_levels(volume.voxels)[shown]),
        classes=class_table(verdict),
        along=along_the_volume(verdict),
        origin=origin_line(verdict.origin),
        assumed=sentences(volume.assumed, "Nothing: all facts were read from the file."),
    )
    style = here.with_name("report_page.css").read_text(encoding="utf-8")
    return html_page(f"{volume.name} – RetinaTriage", style, body, images="data:")


def write_image_pdf(volume: OCTVolume, verdict: BscanVerdict, path: Path) -> None:
    """Write the report of a volume as one page of PDF; equal results make equal files."""
    undated = {"CreationDate": None, "Title": f"{volume.name} – RetinaTriage"}
    with whole_file(path) as unfinished, PdfPages(unfinished, metadata=undated) as pdf:
        figure = Figure(figsize=A4_INCHES)
        FigureCanvasAgg(figure)
        for y in (0.972, 0.032):
            figure.text(0.5, y, RESEARCH_USE, fontsize=7.5, ha="center", color="#7a3b00")
        figure.text(
            LEFT, 0.941, volume.name, fontsize=14, weight="bold", color=INK, parse_math=False
        )
        figure.text(LEFT, 0.926, scan_line(volume), fontsize=7.5, color=QUIET)
        draw_bscan_page(figure, verdict, (), f"B-scan classifier: {verdict_words(verdict)}.")
        pdf.savefig(figure, dpi=200)


def verdict_words(verdict: BscanVerdict) -> str:
    """Classes with their scores, and the referral that follows, in one line."""
    scores = dict(zip(verdict.task.names, verdict.scores, strict=True))
    said = ", ".join(f"{name} {scores[name]:.2f}" for name in verdict.answer.classes)
    referral = verdict.answer.referral
    asked = NO_REFERRAL if referral is None else f"referral {REFERRAL_TITLES[referral].lower()}"
    return f"{said or 'no class'}; {asked}"


def telling_bscan(verdict: BscanVerdict) -> int:
    """Index of the B-scan that shows the decided class most; of the first class without one."""
    names = verdict.answer.classes or verdict.task.names
    return verdict.strongest_bscan(names[0])


def _headline(verdict: BscanVerdict) -> str:
    classes = {each.name: each for each in verdict.task.classes}
    title = ", ".join(classes[name].title for name in verdict.answer.classes) or "No class"
    scores = dict(zip(verdict.task.names, verdict.scores, strict=True))
    number = " · ".join(f"{scores[name]:.2f}" for name in verdict.answer.classes) or "–"
    referral = verdict.answer.referral
    rank = len(REFERRAL.names) - 1 if referral is None else REFERRAL.names.index(referral)
    asked = NO_REFERRAL.capitalize() if referral is None else REFERRAL_TITLES[referral]
    steps = "".join(
        f'<li class="{"chosen" if name == referral else ""}"><b>{score:.2f}</b> '
        f"{escape(REFERRAL_TITLES[name])}</li>"
        for name, score in verdict.referrals.items()
    )
    ladder = f'<ol class="ladder" aria-label="Referral scores">{steps}</ol>' if steps else ""
    return (
        f'<div class="verdict rank-{rank}"><p class="kicker">Whole volume, '
        f"{escape(verdict.pooling.value)} of the B-scans</p>"
        f'<p class="answer"><strong>{escape(title)}</strong> <span class="score" '
        f'title="Probability, not calibrated">{number}</span></p>'
        f"<p>Referral: {escape(asked)}</p>{ladder}"
        f'<p class="fine">{escape(verdict.pooled_by)}</p></div>'
    )


def _picture_title(verdict: BscanVerdict, shown: int) -> str:
    if len(verdict.bscans) == 1:
        return "The picture"
    names = verdict.answer.classes or verdict.task.names
    title = next(each.title for each in verdict.task.classes if each.name == names[0])
    return f"B-scan {shown + 1} of {len(verdict.bscans)}, where {title} scores highest"
