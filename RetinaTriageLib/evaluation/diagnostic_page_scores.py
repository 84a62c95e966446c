"""Sections of a diagnostic study on its scores: ROC curves, calibration, subgroups."""

from __future__ import annotations

from RetinaTriageLib.evaluation.diagnostic_plots import (
    all_roc_plot,
    class_roc_plot,
    reliability_plot,
    subgroup_plot,
)
from RetinaTriageLib.evaluation.diagnostic_study import DiagnosticStudy
from RetinaTriageLib.evaluation.diagnostic_text import drawn_unit, ranged, shares
from RetinaTriageLib.evaluation.report_page import html_table, items, plots, section
from RetinaTriageLib.evaluation.report_text import number


def roc_section(study: DiagnosticStudy) -> str:
    """ROC curves of all classes, and of each with its readers."""
    curves = (all_roc_plot(study), *(class_roc_plot(study, one) for one in study.classes))
    return section("ROC curves", plots("ROC curve", curves))


def calibration_section(study: DiagnosticStudy) -> str:
    """How well scores are probabilities."""
    rows = [
        (
            one.name,
            number(one.reliability.brier),
            number(one.reliability.brier_of_prevalence),
            number(one.reliability.ece),
            number(one.reliability.mce),
        )
        for one in study.classes
    ]
    diagrams = [reliability_plot(one.name, one.reliability) for one in study.classes]
    lines = []
    if study.overall is not None:
        diagrams.append(reliability_plot("Highest score is right", study.overall.top_label))
        lines.append(
            f"Over all classes: Brier score {number(study.overall.brier)} (0 best, 2 worst), ECE "
            f"of the highest score {number(study.overall.top_label.ece)}."
        )
    bins = f"{len(study.classes[0].reliability.bins)} bins with images, of equal "
    bins += study.options.binning.value
    return section(
        "Calibration: are scores probabilities",
        html_table(
            f"ECE and MCE, mean and largest distance of score and observed share, in {bins}; "
            "Brier score beside that of always giving the share of the class",
            ("Class", "Brier", "Brier of prevalence", "ECE", "MCE"),
            rows,
        ),
        items(lines),
        plots("Reliability diagram", diagrams),
    )


def subgroup_section(study: DiagnosticStudy) -> str:
    """Area and rates by subgroup; empty text without subgroups."""
    rows = [
        (
            f"{one.column}: {one.value}",
            one.name,
            str(one.images),
            "–" if one.patients is None else str(one.patients),
            str(one.present),
            ranged(one.auc.value, one.auc_by_patient),
            shares(one.decided.sensitivity),
            shares(one.decided.specificity),
        )
        for one in study.subgroups
    ]
    return section(
        "Subgroups",
        html_table(
            "Several subgroups are looked at: some differ by chance alone",
            (
                "Subgroup",
                "Class",
                "Images",
                "Patients",
                "With the class",
                f"AUC (bootstrap of {drawn_unit(study)})",
                "Sensitivity",
                "Specificity",
            ),
            rows,
        ),
        plots("AUC by subgroup", (subgroup_plot(study, one) for one in study.classes)),
    )
