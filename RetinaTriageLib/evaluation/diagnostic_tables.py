"""Figures of a diagnostic study as CSV tables; unknown cells are empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from RetinaTriageLib.evaluation.diagnostic import decisions
from RetinaTriageLib.evaluation.diagnostic_study import DiagnosticStudy
from RetinaTriageLib.evaluation.figure_columns import auc_columns, share_columns, test_columns
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.operating_figures import SAME_IMAGES
from RetinaTriageLib.evaluation.proportions import roc_curve
from RetinaTriageLib.evaluation.table_rows import Row, write_rows


def class_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row a class: area, rates, predictive values, likelihood ratios, calibration."""
    for one in study.classes:
        yield {
            "class": one.name,
            "images": one.images,
            "present": one.present,
            **auc_columns(one.auc, one.auc_by_patient),
            **test_columns(one.decided),
            "brier": one.reliability.brier,
            "brier_of_prevalence": one.reliability.brier_of_prevalence,
            "ece": one.reliability.ece,
            "mce": one.reliability.mce,
        }


def operating_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row an operating point, measured on the same images and cross-fitted."""
    for one in study.classes:
        for figures in one.operating:
            for measured, test in figures.tests.items():
                yield {
                    "class": one.name,
                    "operating_point": figures.point.value,
                    "measured": measured,
                    "threshold": figures.threshold if measured == SAME_IMAGES else None,
                    **test_columns(test),
                }


def overall_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row a figure over all classes."""
    overall = study.overall
    if overall is None:
        return
    accuracy, balanced = overall.accuracy, overall.balanced_accuracy
    for name, value, low, high in (
        ("accuracy", accuracy.value, accuracy.low, accuracy.high),
        ("balanced_accuracy", balanced.value, balanced.low, balanced.high),
        ("mean_penalty", overall.weighted.mean_penalty, None, None),
        ("penalty_share_of_worst", overall.weighted.share_of_worst, None, None),
        ("brier_all_classes", overall.brier, None, None),
        ("ece_top_label", overall.top_label.ece, None, None),
    ):
        yield {"figure": name, "value": finite_or_none(value), "low": low, "high": high}


def confusion_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row a cell of the confusion matrix."""
    if study.overall is None:
        return
    names, counts = study.table.classes, study.overall.confusion
    for (actual, predicted), count in np.ndenumerate(counts):
        yield {
            "actual": names[actual],
            "decided": names[predicted],
            "images": int(count),
            "penalty": float(study.overall.penalty[actual, predicted]),
        }


def roc_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row a point of the ROC curve."""
    for one in study.classes:
        if 0 < one.present < one.images:
            at = study.table.classes.index(one.name)
            false, true = roc_curve(study.table.scores[:, at], study.table.truth[:, at])
            for x, y in zip(false, true, strict=True):
                yield {
                    "class": one.name,
                    "false_positive_rate": float(x),
                    "true_positive_rate": float(y),
                }


def reliability_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row a bin of scores."""
    for one in study.classes:
        for score_bin in one.reliability.bins:
            yield {
                "class": one.name,
                "binning": one.reliability.binning.value,
                "score_from": score_bin.low,
                "score_to": score_bin.high,
                "mean_score": score_bin.mean_score,
                **share_columns("observed", score_bin.observed),
            }


def reader_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row a reader and class: the reader's point, and the model at its specificity."""
    for found in study.reader_comparisons:
        point = found.point
        row: Row = {
            "reader": point.reader,
            "class": point.name,
            "sensitivity": finite_or_none(point.sensitivity),
            "specificity": finite_or_none(point.specificity),
            "model_sensitivity_at_specificity": found.model_sensitivity,
            "model_sensitivity_low": finite_or_none(found.interval.low),
            "model_sensitivity_high": finite_or_none(found.interval.high),
            "reader_lies": found.position.value,
            "outside_interval": int(found.outside),
        }
        if point.test is not None:
            row |= {f"reader_{name}": cell for name, cell in test_columns(point.test).items()}
        yield row


def agreement_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row a reader: answers against the truth over all classes."""
    for found in study.readers.agreements:
        truth = found.truth
        yield {
            "reader": found.reader,
            **share_columns("accuracy", truth.observed),
            "mean_penalty": finite_or_none(truth.penalty.mean_penalty),
            "penalty_share_of_worst": finite_or_none(truth.penalty.share_of_worst),
            "kappa": finite_or_none(truth.kappa.value),
            "kappa_low": finite_or_none(truth.kappa.low),
            "kappa_high": finite_or_none(truth.kappa.high),
        }


def subgroup_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row a subgroup and class."""
    for one in study.subgroups:
        yield {
            "column": one.column,
            "value": one.value,
            "class": one.name,
            "images": one.images,
            "patients": one.patients,
            "present": one.present,
            **auc_columns(one.auc, one.auc_by_patient),
            **test_columns(one.decided),
        }


def comparison_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row a class: areas of both models and their difference."""
    for found in study.comparisons:
        delong = found.delong
        yield {
            "class": found.name,
            "auc": delong.first.value,
            "auc_other": delong.second.value,
            "difference": delong.difference,
            "delong_se": finite_or_none(delong.standard_error),
            "delong_low": finite_or_none(delong.interval.low),
            "delong_high": finite_or_none(delong.interval.high),
            "delong_p": finite_or_none(delong.p_value),
            "patient_low": finite_or_none(found.by_patient.low),
            "patient_high": finite_or_none(found.by_patient.high),
        }


def decision_rows(study: DiagnosticStudy) -> Iterator[Row]:
    """One row an image: truth and decision, to find the images that were told wrong."""
    table = study.table
    names = np.array(table.classes)
    for file, group, truth, decided in zip(
        table.files, table.groups, table.truth, decisions(table, study.options), strict=True
    ):
        yield {
            "file": file,
            "patient": None if table.patients is None else group,
            "truth": ";".join(names[truth]),
            "decided": ";".join(names[decided]),
            "right": int((truth == decided).all()),
        }


TABLES: Mapping[str, Callable[[DiagnosticStudy], Iterator[Row]]] = {
    "classes.csv": class_rows,
    "overall.csv": overall_rows,
    "confusion.csv": confusion_rows,
    "operating_points.csv": operating_rows,
    "roc.csv": roc_rows,
    "reliability.csv": reliability_rows,
    "readers.csv": reader_rows,
    "reader_agreement.csv": agreement_rows,
    "model_comparison.csv": comparison_rows,
    "subgroups.csv": subgroup_rows,
    "decisions.csv": decision_rows,
}
"""File name of each table to the function that makes its rows."""


def write_study_tables(study: DiagnosticStudy, folder: Path) -> None:
    """Write every table that has rows."""
    for name, rows_of in TABLES.items():
        write_rows(rows_of(study), folder / name)
