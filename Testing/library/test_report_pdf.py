"""What a reader can rely on in the PDF report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from example_result import SMALL, Example, example_result

from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.writers.report_pdf import write_pdf

EXAMPLES = {
    "full": SMALL,
    "single B-scan": replace(SMALL, shape=(1, 128, 104), hypotheses=1),
    "unknown spacing": replace(SMALL, spacing_known=False, name="$x_1$ & <b>"),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_pdf_has_three_pages(example: Example, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_pdf(example_result(example), path)
    content = path.read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") == 3


def test_pdf_carries_no_date(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_pdf(example_result(), path)
    assert b"CreationDate" not in path.read_bytes()


def test_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Could not write"):
        write_pdf(example_result(), tmp_path / "absent" / "report.pdf")
