"""Report of a diagnostic study: one self-contained HTML page, and its tables as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from RetinaTriageLib.evaluation.binary_figures import BinaryFigures
from RetinaTriageLib.evaluation.diagnostic import OverallFigures
from RetinaTriageLib.evaluation.diagnostic_plots import (
    all_roc_plot,
    class_roc_plot,
    confusion_plot,
    reliability_plot,
    subgroup_plot,
)
from RetinaTriageLib.evaluation.diagnostic_study import DiagnosticStudy
from RetinaTriageLib.evaluation.diagnostic_tables import write_study_tables
from RetinaTriageLib.evaluation.diagnostic_text import (
    CORRECTED_NOTE,
    class_cells,
    decision_rule,
    drawn_unit,
    is_corrected,
    p_value,
    ranged,
    ratio,
    shares,
)
from RetinaTriageLib.evaluation.html_table import (
    content_section,
    html_table,
    paragraphs,
    picture,
)
from RetinaTriageLib.evaluation.report import page, require_new_folder
from RetinaTriageLib.evaluation.report_text import number, percent
from RetinaTriageLib.evaluation.weighted_error import kermany_penalty
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
    return page(f"Diagnostic study: {table.source}", lead, "".join(_sections(study)))


def _sections(study: DiagnosticStudy) -> Iterator[str]:
    yield content_section("What the figures rest on", paragraphs(study.notes))
    if study.overall is not None:
        yield _overall_section(study, study.overall)
    yield _class_section(study)
    yield content_section(
        "ROC curves",
        *(
            picture("ROC curve", plot)
            for plot in (all_roc_plot(study), *(class_roc_plot(study, c) for c in study.classes))
            if plot
        ),
    )
    yield _operating_section(study)
    yield _reader_section(study)
    yield _comparison_section(study)
    yield _calibration_section(study)
    yield _subgroup_section(study)


def _overall_section(study: DiagnosticStudy, overall: OverallFigures) -> str:
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
    return content_section(
        "All classes together",
        html_table("Decisions over all classes", ("Figure", "Value"), rows),
        picture("Confusion matrix", confusion_plot(study, overall)),
        html_table(
            f"Penalties, actual class in rows, decided in columns: {source}",
            ("Actual", *names),
            penalties,
        ),
    )


def _class_section(study: DiagnosticStudy) -> str:
    cells = [class_cells(one, drawn_unit(study)) for one in study.classes]
    rows = [
        (name, *(of_class[at][1] for of_class in cells)) for at, (name, _) in enumerate(cells[0])
    ]
    return content_section(
        "Each class against the rest",
        html_table("Figures of the decisions", ("Figure", *(c.name for c in study.classes)), rows),
        _correction([one.decided for one in study.classes]),
    )


def _operating_section(study: DiagnosticStudy) -> str:
    rows, tests = [], []
    for one in study.classes:
        for found in one.operating:
            for measured, test in (
                ("same images", found.apparent),
                ("cross-fitted", found.cross_fitted),
            ):
                if test is not None:
                    tests.append(test)
                    rows.append(
                        (
                            one.name,
                            found.point.value,
                            f"{found.threshold:.3f}" if measured == "same images" else "by fold",
                            measured,
                            shares(test.sensitivity),
                            shares(test.specificity),
                            ratio(test.positive),
                            ratio(test.negative),
                        )
                    )
    target = f"{100 * study.options.target:g} %"
    return content_section(
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


def _reader_section(study: DiagnosticStudy) -> str:
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
    return content_section(
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


def _comparison_section(study: DiagnosticStudy) -> str:
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
    return content_section(
        "Comparison with a second model", html_table(caption, (*columns, "p (DeLong)"), rows)
    )


def _calibration_section(study: DiagnosticStudy) -> str:
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
    plots = [
        picture("Reliability diagram", reliability_plot(one.name, one.reliability))
        for one in study.classes
    ]
    overall = ""
    if study.overall is not None:
        plots.append(
            picture(
                "Reliability diagram",
                reliability_plot("Highest score is right", study.overall.top_label),
            )
        )
        overall = (
            f"Over all classes: Brier score {number(study.overall.brier)} (0 best, 2 worst), ECE "
            f"of the highest score {number(study.overall.top_label.ece)}."
        )
    bins = f"{len(study.classes[0].reliability.bins)} bins with images, of equal "
    bins += study.options.binning.value
    return content_section(
        "Calibration: are scores probabilities",
        html_table(
            f"ECE and MCE, mean and largest distance of score and observed share, in {bins}; "
            "Brier score beside that of always giving the share of the class",
            ("Class", "Brier", "Brier of prevalence", "ECE", "MCE"),
            rows,
        ),
        paragraphs((overall,) if overall else ()),
        *plots,
    )


def _subgroup_section(study: DiagnosticStudy) -> str:
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
    plots = [subgroup_plot(study, one) for one in study.classes]
    return content_section(
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
        *(picture("AUC by subgroup", plot) for plot in plots if plot),
    )


def _rate(value: float, test: BinaryFigures | None, name: str) -> str:
    if test is None:
        return f"{100 * value:.1f} %"
    return shares(test.sensitivity if name == "sensitivity" else test.specificity)


def _correction(tests: Sequence[BinaryFigures]) -> str:
    return paragraphs((CORRECTED_NOTE,) if is_corrected(tests) else ())
