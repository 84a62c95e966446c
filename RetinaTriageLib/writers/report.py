"""The report of one case: a single HTML file that needs no network and no other file."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.html_page import PageScript, html_page
from RetinaTriageLib.writers.report_browser import browser_data
from RetinaTriageLib.writers.report_bscans import bscan_note, bscan_section
from RetinaTriageLib.writers.report_enface import gallery
from RetinaTriageLib.writers.report_etdrs import etdrs_panel
from RetinaTriageLib.writers.report_figures import localizer_picture
from RetinaTriageLib.writers.report_file import write_whole_text
from RetinaTriageLib.writers.report_maps import enface_frame, enface_maps
from RetinaTriageLib.writers.report_opinions import (
    hypothesis_key,
    opinion_count,
    opinion_table,
    score_bars,
)
from RetinaTriageLib.writers.report_panels import browser_panel
from RetinaTriageLib.writers.report_scores import headline, other_verdicts
from RetinaTriageLib.writers.report_tables import (
    provenance,
    scan_facts,
    sentences,
    tissue_table,
)
from RetinaTriageLib.writers.report_text import scan_line

# With more opinions than this the grid of opinions needs the whole width of the page.
WIDE_GRID = 9


def write_report(result: TriageResult, path: Path) -> None:
    """Write ``report.html``: verdict, B-scan browser, maps, measurements and their origin.

    The file appears complete or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_whole_text(report_page(result), path)


def report_page(result: TriageResult) -> str:
    """Page of a case as text; everything that comes from data is escaped."""
    volume, measured, made = result.volume, result.measurements, result.provenance
    maps, frame = enface_maps(result), enface_frame(volume)
    localizer = volume.record.localizer
    no_tissues = f'<p class="quiet">Not measured. {escape(" ".join(measured.refused))}</p>'
    body = Template(_part("html")).substitute(
        name=escape(volume.name),
        scan=escape(scan_line(volume)),
        bundle=escape(made.bundle_name),
        trained_on=escape(made.trained_on),
        headline=headline(result),
        findings=other_verdicts(result) + bscan_note(result),
        browser=browser_panel(result, maps, frame),
        bscans=bscan_section(result),
        score_layout="columns" if opinion_count(result) <= WIDE_GRID else "stacked",
        score_bars=score_bars(result),
        hypothesis_key=hypothesis_key(result),
        opinion_table=opinion_table(result),
        maps=gallery(result, maps, frame),
        etdrs=etdrs_panel(result),
        tissues=tissue_table(measured.tissues, len(result.hypotheses))
        if measured.tissues
        else no_tissues,
        scan_facts=scan_facts(volume),
        assumed=sentences(volume.assumed, "Nothing: all facts were read from the file."),
        refused=sentences(measured.refused, "Nothing was left out."),
        notes=sentences(made.notes, "None."),
        localizer=localizer_picture(localizer)
        if localizer
        else '<p class="quiet">The file holds no localizer picture.</p>',
        provenance=provenance(result),
    )
    return html_page(
        f"{volume.name} – RetinaTriage",
        _part("css"),
        body,
        images="data: blob:",
        script=PageScript(_part("js"), "report-data", browser_data(result, maps)),
    )


def _part(suffix: str) -> str:
    return Path(__file__).with_name(f"report_page.{suffix}").read_text(encoding="utf-8")
