"""The page of a cohort: its cases to sort and filter, with thumbnails and links to their reports.

``index.html`` needs no network: its data and its script are in it, pictures and reports are opened
by relative links. Whatever comes from files reaches it escaped: as JSON that the script writes out
as text, never as markup.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from RetinaTriageLib.cohort.cohort_rows import (
    BSCAN_DIFFERS,
    BSCAN_SAID,
    CASES_FOLDER,
    CONDITION_PREFIX,
    CST,
    REFERRAL_PREFIX,
    SPREAD,
    CohortRow,
    CohortRows,
    is_plain,
    read_cohort,
    read_failures,
    title_of,
)
from RetinaTriageLib.cohort.plots import plot_files
from RetinaTriageLib.cohort.thumbnails import THUMBNAIL_FILE
from RetinaTriageLib.tissues import TISSUES, TissueGroup
from RetinaTriageLib.writers.html_page import PageScript, html_page
from RetinaTriageLib.writers.report_file import write_whole_text

INDEX_FILE, REPORT_FILE = "index.html", "report.html"
FLUIDS = tuple(tissue.name for tissue in TISSUES if tissue.group is TissueGroup.FLUID)
PEDS = tuple(tissue.name for tissue in TISSUES if tissue.group is TissueGroup.PED)

Json = dict[str, Any]


def write_index(out_dir: Path) -> Path:
    """Write ``index.html`` of a cohort from its tables; returns its path.

    The file appears complete or not at all, and may be written again at any time.

    Raises
    ------
    InputError
        If the folder holds no table of a cohort.
    OutputError
        If the page cannot be written.
    """
    path = out_dir / INDEX_FILE
    write_whole_text(index_page(out_dir), path)
    return path


def index_page(out_dir: Path) -> str:
    """Page of a cohort as text."""
    cohort = read_cohort(out_dir)
    name = out_dir.resolve().name
    body = Template(_part("html")).substitute(
        name=escape(name),
        made_by=escape(_made_by(cohort)),
        plots=_plots(out_dir),
        failures=_failures(out_dir),
    )
    return html_page(
        f"{name} – RetinaTriage cohort",
        _part("css"),
        body,
        images="'self' file: data:",
        script=PageScript(_part("js"), "cohort-data", page_data(out_dir, cohort)),
    )


def page_data(out_dir: Path, cohort: CohortRows) -> Json:
    """Rows and vocabulary of a cohort as the script of the page reads them."""
    return {
        "referrals": [title_of(name) for name in cohort.referrals],
        "conditions": [title_of(name) for name in cohort.conditions],
        "rows": [_row(out_dir, cohort, row) for row in cohort.rows],
    }


def _row(out_dir: Path, cohort: CohortRows, row: CohortRow) -> Json:
    referral = row.text("referral")
    decided = cohort.decided_conditions(row)
    return {
        "id": row.case_id,
        "file": row.text("file") + (f" #{row.text('series')}" if row.text("series") else ""),
        **_links(out_dir, row.case_id),
        "urgency": cohort.urgency(row),
        "referral": title_of(referral) if referral else "–",
        "score": _json(row.referral_score),
        "spread": _json(row.number(REFERRAL_PREFIX + referral + SPREAD)),
        "conditions": [
            [cohort.conditions.index(name), _json(row.number(CONDITION_PREFIX + name))]
            for name in decided
        ],
        "cst": _json(row.number(CST)),
        "fluid": _json(_volume_nl(row, FLUIDS)),
        "ped": _json(_volume_nl(row, PEDS)),
        "disagreement": _json(row.disagreement),
        "eye": row.text("laterality"),
        "device": row.text("device"),
        "patient": row.text("patient_id"),
        "date": row.text("visit_date"),
        "age": _json(row.number("age")),
        "sex": row.text("sex"),
        "said": " ".join(part for part in _said(row) if part),
    }


def _said(row: CohortRow) -> tuple[str, ...]:
    """Sentences on a case: that two systems disagree on it comes first."""
    differs = row.text(BSCAN_SAID) if row.text(BSCAN_DIFFERS) == "yes" else ""
    return differs, row.text("assumed"), row.text("notes")


def _links(out_dir: Path, case_id: str) -> Json:
    """Relative addresses of report and thumbnail; empty where there is none."""
    if not is_plain(case_id):
        return {"report": "", "thumbnail": ""}
    folder = f"{CASES_FOLDER}/{quote(case_id)}"
    found = out_dir / CASES_FOLDER / case_id
    return {
        "report": f"{folder}/{REPORT_FILE}" if (found / REPORT_FILE).is_file() else "",
        "thumbnail": f"{folder}/{THUMBNAIL_FILE}" if (found / THUMBNAIL_FILE).is_file() else "",
    }


def _volume_nl(row: CohortRow, tissues: tuple[str, ...]) -> float:
    """Sum of the volumes that are known; NaN where none is."""
    known = [row.number(f"volume_{name}_nl") for name in tissues]
    known = [value for value in known if math.isfinite(value)]
    return sum(known) if known else math.nan


def _made_by(cohort: CohortRows) -> str:
    bundles = sorted(
        {f"{row.text('bundle')} {row.text('bundle_version')}".strip() for row in cohort.rows} - {""}
    )
    versions = sorted({row.text("version") for row in cohort.rows} - {""})
    parts = ["Bundle " + ", ".join(bundles)] if bundles else []
    parts += ["RetinaTriage " + ", ".join(versions)] if versions else []
    return " · ".join(parts)


def _plots(out_dir: Path) -> str:
    files = plot_files(out_dir)
    if not files:
        return ""
    figures = "".join(
        f'<figure><img loading="lazy" alt="{escape(title)}" '
        f'src="plots/{quote(path.name)}"><figcaption>{escape(title)}</figcaption></figure>'
        for path, title in files
    )
    return f'<section id="plots"><h2>Summary plots</h2><div class="plots">{figures}</div></section>'


def _failures(out_dir: Path) -> str:
    columns, rows = read_failures(out_dir)
    if not rows:
        return '<p class="quiet">None: every volume that was found was worked.</p>'
    head = "".join(f"<th>{escape(title_of(column))}</th>" for column in columns)
    body = "".join(_failure(columns, row) for row in rows)
    return (
        f'<div class="wide"><table class="failures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _failure(columns: tuple[str, ...], row: Mapping[str, str]) -> str:
    cells = "".join(f"<td>{escape(row.get(column, ''))}</td>" for column in columns)
    return f"<tr>{cells}</tr>"


def _json(number: float) -> float | None:
    return float(f"{number:.6g}") if math.isfinite(number) else None


def _part(suffix: str) -> str:
    return Path(__file__).with_name(f"index_page.{suffix}").read_text(encoding="utf-8")
