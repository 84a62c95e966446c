"""Figures with their intervals as columns of a table; what is not known is an empty cell."""

from __future__ import annotations

from RetinaTriageLib.evaluation.binary_figures import BinaryFigures
from RetinaTriageLib.evaluation.delong import DeLongAuc
from RetinaTriageLib.evaluation.likelihood import LikelihoodRatio
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.proportions import Interval, Proportion
from RetinaTriageLib.evaluation.table_rows import Row


def auc_columns(auc: DeLongAuc, by_patient: Interval) -> Row:
    """Area with its standard error, and its intervals by DeLong and by patients."""
    return {
        "auc": finite_or_none(auc.value),
        "auc_delong_se": finite_or_none(auc.standard_error),
        "auc_delong_low": finite_or_none(auc.interval.low),
        "auc_delong_high": finite_or_none(auc.interval.high),
        "auc_logit_low": finite_or_none(auc.logit_interval.low),
        "auc_logit_high": finite_or_none(auc.logit_interval.high),
        "auc_patient_low": finite_or_none(by_patient.low),
        "auc_patient_high": finite_or_none(by_patient.high),
    }


def test_columns(test: BinaryFigures) -> Row:
    """Counts, rates, predictive values and likelihood ratios of a test."""
    return {
        "true_positive": test.counts.true_positive,
        "false_negative": test.counts.false_negative,
        "false_positive": test.counts.false_positive,
        "true_negative": test.counts.true_negative,
        **share_columns("sensitivity", test.sensitivity),
        **share_columns("specificity", test.specificity),
        **share_columns("ppv", test.ppv),
        **share_columns("npv", test.npv),
        **share_columns("accuracy", test.accuracy),
        "balanced_accuracy": finite_or_none(test.balanced.value),
        "balanced_accuracy_low": finite_or_none(test.balanced.low),
        "balanced_accuracy_high": finite_or_none(test.balanced.high),
        **_ratio_columns("lr_positive", test.positive),
        **_ratio_columns("lr_negative", test.negative),
    }


def share_columns(name: str, share: Proportion) -> Row:
    """Share with its interval."""
    return {
        name: finite_or_none(share.value),
        f"{name}_low": finite_or_none(share.low),
        f"{name}_high": finite_or_none(share.high),
    }


def _ratio_columns(name: str, ratio: LikelihoodRatio) -> Row:
    return {
        name: "infinite" if ratio.value == float("inf") else finite_or_none(ratio.value),
        f"{name}_low": finite_or_none(ratio.low),
        f"{name}_high": finite_or_none(ratio.high),
        f"{name}_corrected": int(ratio.corrected),
    }
