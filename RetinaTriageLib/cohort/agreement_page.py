"""Agreement as a page: a table of all pairs, and who said what where on the referral."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from string import Template

from RetinaTriageLib.cohort.cohort_rows import title_of
from RetinaTriageLib.cohort.reader_agreement import (
    MODEL,
    REFERRAL_QUESTION,
    Comparison,
    ReaderAgreement,
)
from RetinaTriageLib.evaluation.kappa import Kappa
from RetinaTriageLib.evaluation.proportions import Proportion
from RetinaTriageLib.writers.html_page import html_page
from RetinaTriageLib.writers.report_file import write_whole_text

AGREEMENT_PAGE = "agreement.html"

HEADS = (
    ("", "First"),
    ("", "Second"),
    ("", "Question"),
    ("number", "Cases"),
    ("number", "Agreed (95 % interval)"),
    ("number", "Kappa (95 % interval)"),
    ("number", "Linear kappa"),
    ("number", "Quadratic kappa"),
    ("number", "Penalty if first is right"),
    ("number", "… if second is right"),
)
PLAIN_COLUMNS = 6
"""Of a question whose answers have no order; weights and penalties say nothing more there."""


def write_agreement_page(found: ReaderAgreement, out_dir: Path) -> Path:
    """Write ``agreement.html``; returns its path.

    Raises
    ------
    OutputError
        If the page cannot be written.
    """
    path = out_dir / AGREEMENT_PAGE
    write_whole_text(agreement_page(found, out_dir.resolve().name), path)
    return path


def agreement_page(found: ReaderAgreement, name: str) -> str:
    """Page of an agreement as text; names of readers are escaped."""
    referral = [one for one in found.comparisons if one.question == REFERRAL_QUESTION]
    others = [one for one in found.comparisons if one.question != REFERRAL_QUESTION]
    body = Template(_part("agreement_page.html")).substitute(
        name=escape(name),
        readers=" · ".join(_reader(found, reader) for reader in found.readings),
        notes="".join(f'<p class="quiet">{escape(note)}</p>' for note in found.notes),
        referral=_table(referral, len(HEADS)),
        matrices="".join(_matrix(one) for one in referral),
        conditions=_table(others, PLAIN_COLUMNS)
        if others
        else '<p class="quiet">Nothing to compare: no reader has ticked conditions.</p>',
    )
    style = _part("index_page.css") + _part("agreement_page.css")
    return html_page(f"{name} – agreement", style, body)


def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _reader(found: ReaderAgreement, reader: str) -> str:
    read, blind = found.readings[reader], found.blind[reader]
    hidden = f", {blind} without seeing the model's answer" if blind else ""
    return f"{escape(reader)}: {read} of {found.cases} cases{hidden}"


def _table(comparisons: list[Comparison], columns: int) -> str:
    head = "".join(f'<th class="{kind}">{title}</th>' for kind, title in HEADS[:columns])
    body = "".join(_row(one, columns) for one in comparisons)
    rows = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="wide"><table>{rows}</table></div>'


def _row(one: Comparison, columns: int) -> str:
    found = one.found
    texts = (one.first, _who(one.second), one.title)
    numbers = (
        str(found.observed.total),
        _share(found.observed),
        kappa_text(found.kappa),
        kappa_text(found.linear),
        kappa_text(found.quadratic),
        _number(found.penalty.mean_penalty),
        _number(one.reverse_penalty),
    )
    cells = [f"<td>{escape(text)}</td>" for text in texts]
    cells += [f'<td class="number">{text}</td>' for text in numbers]
    return f"<tr>{''.join(cells[:columns])}</tr>"


def _matrix(one: Comparison) -> str:
    classes = [escape(title_of(name)) for name in one.found.classes]
    most = max(1, int(one.found.confusion.max()))
    head = "".join(f'<th class="number">{title}</th>' for title in classes)
    body = ""
    for row, title in enumerate(classes):
        cells = ""
        for column, count in enumerate(one.found.confusion[row].tolist()):
            kind = "same" if row == column else "other"
            shade = 0.08 + 0.5 * count / most if count else 0
            cells += f'<td class="number {kind}" style="--shade:{shade:.2f}">{count}</td>'
        body += f"<tr><th>{title}</th>{cells}</tr>"
    caption = f"{escape(one.first)} (rows) and {escape(_who(one.second))} (columns)"
    return (
        f'<table class="matrix"><caption>{caption}</caption><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def kappa_text(kappa: Kappa) -> str:
    """Kappa with its interval, such as "0.62 (0.41 to 0.83)"; a dash where it has no value."""
    if not math.isfinite(kappa.value):
        return "–"
    if not math.isfinite(kappa.low):
        return f"{kappa.value:.2f}"
    return f"{kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f})"


def _share(share: Proportion) -> str:
    return f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})"


def _number(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"


def _who(name: str) -> str:
    return "Model" if name == MODEL else name
