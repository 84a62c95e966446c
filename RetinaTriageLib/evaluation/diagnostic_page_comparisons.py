"""Sections of a diagnostic study that set the model beside others: readers, a second model."""

from __future__ import annotations

from RetinaTriageLib.evaluation.binary_figures import BinaryFigures
from RetinaTriageLib.evaluation.diagnostic_study import DiagnosticStudy
from RetinaTriageLib.evaluation.diagnostic_text import drawn_unit, p_value, ranged, shares
from RetinaTriageLib.evaluation.report_page import html_table, section
from RetinaTriageLib.evaluation.report_text import number, percent


def reader_section(study: DiagnosticStudy) -> str:
    """Readers beside the ROC curve, and against the truth; empty text without readers."""
    rows = [
        (
            found.point.reader,
            found.point.name,
            _rate(found.point.sensitivity, found.point.test, "sensitivity"),
            _rate(found.point.specificity, found.point.test, "specificity"),
            ranged(found.model_sensitivity, found.interval),
            found.position.value,
            "yes" if found.outside else "no",
        )
        for found in study.reader_comparisons
    ]
    agreements = [
        (
            found.reader,
            percent(found.truth.observed),
            number(found.truth.penalty.mean_penalty),
            f"{100 * found.truth.penalty.share_of_worst:.2f} %",
            ranged(found.truth.kappa.value, found.truth.kappa),
        )
        for found in study.readers.agreements
    ]
    return section(
        "Human readers",
        html_table(
            "The model's sensitivity is that of its ROC curve at the reader's specificity, on the "
            "images that the reader answered",
            (
                "Reader",
                "Class",
                "Sensitivity",
                "Specificity",
                "Model's sensitivity there",
                "Reader lies",
                "Outside the interval",
            ),
            rows,
        ),
        html_table(
            "Readers over all classes, against the truth",
            ("Reader", "Accuracy", "Mean penalty", "Share of the worst", "Kappa"),
            agreements,
        ),
    )


def comparison_section(study: DiagnosticStudy) -> str:
    """Areas of both models; empty text without a second one."""
    rows = [
        (
            found.name,
            number(found.delong.first.value),
            number(found.delong.second.value),
            ranged(found.delong.difference, found.delong.interval),
            ranged(found.delong.difference, found.by_patient),
            p_value(found.delong.p_value),
        )
        for found in study.comparisons
    ]
    columns = (
        "Class",
        "AUC",
        "AUC of the other",
        "Difference (DeLong)",
        f"Difference ({drawn_unit(study)})",
    )
    caption = f"The other model: {study.other}; p-values by DeLong take images as independent"
    return section(
        "Comparison with a second model", html_table(caption, (*columns, "p (DeLong)"), rows)
    )


def _rate(value: float, test: BinaryFigures | None, name: str) -> str:
    if test is None:
        return f"{100 * value:.1f} %"
    return shares(test.sensitivity if name == "sensitivity" else test.specificity)
