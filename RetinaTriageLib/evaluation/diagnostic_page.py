"""Report of a diagnostic study: one self-contained HTML page, and its tables as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from RetinaTriageLib.evaluation.diagnostic_page_comparisons import (
    comparison_section,
    reader_section,
)
from RetinaTriageLib.evaluation.diagnostic_page_decisions import (
    class_section,
    operating_section,
    overall_section,
)
from RetinaTriageLib.evaluation.diagnostic_page_scores import (
    calibration_section,
    roc_section,
    subgroup_section,
)
from RetinaTriageLib.evaluation.diagnostic_study import DiagnosticStudy
from RetinaTriageLib.evaluation.diagnostic_tables import write_study_tables
from RetinaTriageLib.evaluation.diagnostic_text import decision_rule
from RetinaTriageLib.evaluation.report import require_new_folder
from RetinaTriageLib.evaluation.report_page import items, report_page, section
from RetinaTriageLib.writers.whole_folder import write_whole_folder

PAGE_FILE = "report.html"


def write_study(study: DiagnosticStudy, folder: Path) -> None:
    """Write report and tables; the folder appears complete or not at all.

    Raises
    ------
    OutputError
        If it cannot be written, or holds something already.
    """
    require_new_folder(folder)
    text = study_page(study)

    def fill(partial: Path) -> None:
        (partial / PAGE_FILE).write_text(text, encoding="utf-8")
        write_study_tables(study, partial)

    write_whole_folder(folder, fill)


def study_page(study: DiagnosticStudy) -> str:
    """Page of a study as text; everything that comes from data is escaped."""
    table = study.table
    patients = "patients not stated"
    if table.patients is not None:
        patients = f"{len(set(table.patients))} patients"
    lead = (
        f"{len(table.files)} images, {patients}; scores of {', '.join(table.classes)}.",
        decision_rule(study),
        "Ranges in brackets are two-sided 95 % intervals.",
    )
    return report_page(f"Diagnostic study: {table.source}", lead, _sections(study))


def _sections(study: DiagnosticStudy) -> Iterator[str]:
    yield section("What the figures rest on", items(study.notes))
    if study.overall is not None:
        yield overall_section(study, study.overall)
    yield class_section(study)
    yield roc_section(study)
    yield operating_section(study)
    yield reader_section(study)
    yield comparison_section(study)
    yield calibration_section(study)
    yield subgroup_section(study)
