"""Sections of a diagnostic study on decisions: over all classes, by class, by operating point."""

from __future__ import annotations

from collections.abc import Sequence

from RetinaTriageLib.evaluation.binary_figures import BinaryFigures
from RetinaTriageLib.evaluation.diagnostic import OverallFigures
from RetinaTriageLib.evaluation.diagnostic_plots import confusion_plot
from RetinaTriageLib.evaluation.diagnostic_study import DiagnosticStudy
from RetinaTriageLib.evaluation.diagnostic_text import (
    CORRECTED_NOTE,
    class_cells,
    drawn_unit,
    is_corrected,
    ratio,
    shares,
)
from RetinaTriageLib.evaluation.operating_figures import SAME_IMAGES
from RetinaTriageLib.evaluation.report_page import html_table, items, plots, section
from RetinaTriageLib.evaluation.report_text import number, percent
from RetinaTriageLib.evaluation.weighted_error import kermany_penalty


def overall_section(study: DiagnosticStudy, overall: OverallFigures) -> str:
    """Accuracy, weighted error and confusion matrix."""
    names, weighted = study.table.classes, overall.weighted
    source = "each mistake costs 1"
    if study.options.penalty is not None:
        source = "penalties as given"
    elif kermany_penalty(names) is not None:
        source = "penalties of Kermany et al. 2018"
    rows = [
        ("Accuracy", percent(overall.accuracy)),
        ("Balanced accuracy", shares(overall.balanced_accuracy)),
        ("Weighted error, mean penalty of an image", number(weighted.mean_penalty)),
        (
            "Weighted error, share of the worst possible",
            f"{100 * weighted.share_of_worst:.2f} % ({weighted.total:g} in all)",
        ),
    ]
    penalties = [
        (name, *(f"{cost:g}" for cost in costs))
        for name, costs in zip(names, overall.penalty, strict=True)
    ]
    return section(
        "All classes together",
        html_table("Decisions over all classes", ("Figure", "Value"), rows),
        plots("Confusion matrix", [confusion_plot(study, overall)]),
        html_table(
            f"Penalties, actual class in rows, decided in columns: {source}",
            ("Actual", *names),
            penalties,
        ),
    )


def class_section(study: DiagnosticStudy) -> str:
    """Figures of every class against the rest."""
    cells = [class_cells(one, drawn_unit(study)) for one in study.classes]
    rows = [
        (name, *(of_class[at][1] for of_class in cells)) for at, (name, _) in enumerate(cells[0])
    ]
    return section(
        "Each class against the rest",
        html_table("Figures of the decisions", ("Figure", *(c.name for c in study.classes)), rows),
        _correction([one.decided for one in study.classes]),
    )


def operating_section(study: DiagnosticStudy) -> str:
    """Figures of every operating point, on the same images and cross-fitted."""
    rows, tests = [], []
    for one in study.classes:
        for found in one.operating:
            for measured, test in found.tests.items():
                tests.append(test)
                rows.append(
                    (
                        one.name,
                        found.point.value,
                        f"{found.threshold:.3f}" if measured == SAME_IMAGES else "by fold",
                        measured,
                        shares(test.sensitivity),
                        shares(test.specificity),
                        ratio(test.positive),
                        ratio(test.negative),
                    )
                )
    target = f"{100 * study.options.target:g} %"
    return section(
        "Operating points",
        html_table(
            "balanced: largest (sensitivity + specificity) / 2, Youden's index; high-sensitivity "
            f"and high-specificity: at least {target} of it on the images of the choice",
            (
                "Class",
                "Point",
                "Threshold",
                "Measured",
                "Sensitivity",
                "Specificity",
                "LR of a positive",
                "LR of a negative",
            ),
            rows,
        ),
        _correction(tests),
    )


def _correction(tests: Sequence[BinaryFigures]) -> str:
    return items((CORRECTED_NOTE,) if is_corrected(tests) else ())
