"""The script of a cohort's page, in a browser: order, filters, and that it runs at all."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from example_cohort import example_row, write_cohort

from RetinaTriageLib.cohort.index_page import index_page

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="found neither chromium nor google-chrome")

SHOWN = """<script>
const by = (id) => document.getElementById(id);
const names = () => [...document.querySelectorAll("#table tbody tr")]
  .map((row) => row.cells[1].firstChild.textContent).join(" ");
const head = (title) => [...document.querySelectorAll("th button")]
  .find((one) => one.textContent === title);
const type = (id, value) => {
  by(id).value = value;
  by("filters").dispatchEvent(new Event("input"));
};
%s
document.title = names() + "|" + by("count").textContent;
</script></body>"""

ROWS = [
    example_row("calm", "observation", central_subfield_um="250", disagreement="0.9"),
    example_row("sure", "urgent", central_subfield_um="400", disagreement="0.1"),
    example_row("doubtful", "urgent", disagreement="0.4", condition_cnv="0.8"),
    example_row("usual10", "routine", central_subfield_um="300"),
    example_row("usual9", "routine", central_subfield_um="290", laterality="OS"),
]


@pytest.mark.parametrize(
    ("steps", "names", "count"),
    [
        ("", "doubtful sure usual9 usual10 calm", "5 cases"),
        ("head('CST (µm)').click();", "sure usual10 usual9 calm doubtful", "5 cases"),
        ("by('referral-filter').children[0].click();", "doubtful sure", "2 of 5 cases"),
        ("type('cst-low', '295');", "sure usual10", "2 of 5 cases"),
        ("type('text-filter', 'USUAL 9');", "usual9", "1 of 5 cases"),
    ],
)
def test_rows_are_those_of_the_filter_in_their_order(
    tmp_path: Path, steps: str, names: str, count: str
):
    assert title(write_cohort(tmp_path / "cohort", ROWS), steps) == f"{names}|{count}"


def test_hostile_name_runs_nothing(tmp_path: Path):
    name = '<img src=x onerror="document.body.remove()">\'&'
    found = title(write_cohort(tmp_path / "cohort", [example_row(name)]), "")
    assert found == f"{name}|1 case"


def title(cohort: Path, steps: str) -> str:
    """Title that steps give the page; the policy, which forbids them, is left out."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", index_page(cohort))
    driven = cohort / "driven.html"
    driven.write_text(page.replace("</body>", SHOWN.replace("%s", steps)), encoding="utf-8")
    done = subprocess.run(
        [str(BROWSER), *OPTIONS, "--dump-dom", driven.as_uri()],
        capture_output=True,
        check=True,
        timeout=120,
    )
    found = re.search(r"<title>(.*?)</title>", done.stdout.decode("utf-8"), re.DOTALL)
    assert found is not None
    return html.unescape(found[1])
