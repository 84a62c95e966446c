"""Figures of a diagnostic study as words: cells of the report's tables and lines of a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from RetinaTriageLib.evaluation.binary_figures import BinaryFigures
from RetinaTriageLib.evaluation.diagnostic import ClassFigures
from RetinaTriageLib.evaluation.diagnostic_study import DiagnosticStudy
from RetinaTriageLib.evaluation.kappa import Kappa
from RetinaTriageLib.evaluation.likelihood import LikelihoodRatio
from RetinaTriageLib.evaluation.patient_shares import Estimate
from RetinaTriageLib.evaluation.proportions import Interval, Proportion
from RetinaTriageLib.evaluation.report_text import number, percent
from RetinaTriageLib.result import RESEARCH_USE

CORRECTED = "*"  # behind an interval that rests on counts with 0.5 added
CORRECTED_NOTE = f"{CORRECTED} a count is 0: the interval rests on counts to which 0.5 was added."


def ranged(value: float, interval: Interval | Estimate | Kappa, digits: int = 3) -> str:
    """Value with its interval; the interval is left out where it is not known.

    Examples
    --------
    >>> ranged(0.91, Interval(0.85, 0.97)), ranged(1.0, Interval(float("nan"), float("nan")))
    ('0.910 (0.850 to 0.970)', '1.000 (–)')
    """
    if not math.isfinite(interval.low):
        return f"{number(value, digits)} (–)" if math.isfinite(value) else "–"
    low, high = number(interval.low, digits), number(interval.high, digits)
    return f"{number(value, digits)} ({low} to {high})"


def ratio(found: LikelihoodRatio) -> str:
    """Likelihood ratio with its interval.

    Examples
    --------
    >>> ratio(LikelihoodRatio(float("inf"), 3.4, 4210.0, corrected=True))
    '∞ (3.40 to 4210)*'
    """
    if math.isnan(found.low):
        return "–"
    value = "–" if math.isnan(found.value) else _figures(found.value)
    ends = f"{_figures(found.low)} to {_figures(found.high)}"
    return f"{value} ({ends}){CORRECTED if found.corrected else ''}"


def figure_cells(test: BinaryFigures) -> tuple[tuple[str, str], ...]:
    """Name and value of every figure of a test."""
    true_positive, false_negative, false_positive, true_negative = map(int, test.counts.cells)
    return (
        ("True positive, false negative", f"{true_positive}, {false_negative}"),
        ("False positive, true negative", f"{false_positive}, {true_negative}"),
        ("Sensitivity", shares(test.sensitivity)),
        ("Specificity", shares(test.specificity)),
        ("Balanced accuracy", shares(test.balanced)),
        ("Accuracy", shares(test.accuracy)),
        ("Positive predictive value", shares(test.ppv)),
        ("Negative predictive value", shares(test.npv)),
        ("LR of a positive answer", ratio(test.positive)),
        ("LR of a negative answer", ratio(test.negative)),
    )


def shares(estimate: Estimate | Proportion) -> str:
    """Share in percent with its interval."""
    if not math.isfinite(estimate.value):
        return "–"
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f} to {100 * estimate.high:.1f} %)"


def class_cells(one: ClassFigures, unit: str) -> tuple[tuple[str, str], ...]:
    """Name and value of every figure of one class; the unit is what the bootstrap draws."""
    return (
        ("Images with the class", f"{one.present} of {one.images}"),
        ("AUC (95 %, DeLong)", ranged(one.auc.value, one.auc.interval)),
        (f"AUC (95 %, bootstrap of {unit})", ranged(one.auc.value, one.auc_by_patient)),
        *figure_cells(one.decided),
    )


def p_value(value: float) -> str:
    """P-value; very small ones are said to be so.

    Examples
    --------
    >>> p_value(0.0312), p_value(1e-9)
    ('0.0312', '< 0.0001')
    """
    return "< 0.0001" if value < 0.0001 else number(value, 4)


def is_corrected(tests: Sequence[BinaryFigures]) -> bool:
    """Tell whether an interval of a likelihood ratio rests on counts with 0.5 added."""
    return any(test.positive.corrected or test.negative.corrected for test in tests)


def study_text(study: DiagnosticStudy) -> str:
    """Give the main figures, for a terminal."""
    return "\n".join(_lines(study)) + "\n"


def drawn_unit(study: DiagnosticStudy) -> str:
    """Name what the bootstrap draws."""
    return "images" if study.table.patients is None else "patients"


def decision_rule(study: DiagnosticStudy) -> str:
    """Say how scores became decisions."""
    threshold = study.options.threshold
    if study.table.exclusive and threshold is None:
        return "Decided for: the class with the highest score, the first of equal ones."
    level = 0.5 if threshold is None else threshold
    what = study.options.positive if study.table.exclusive else "each class on its own"
    return f"Decided for: {what}, from a score of {level:g} on."


def _lines(study: DiagnosticStudy) -> Iterator[str]:
    yield f"{study.table.source}: {len(study.table.files)} images. {decision_rule(study)}"
    if study.overall is not None:
        weighted = study.overall.weighted
        yield f"  accuracy            {percent(study.overall.accuracy)}"
        yield f"  balanced accuracy   {shares(study.overall.balanced_accuracy)}"
        yield (
            f"  weighted error      {number(weighted.mean_penalty)} an image, "
            f"{number(100 * weighted.share_of_worst, 1)} % of the worst"
        )
    for one in study.classes:
        yield f"{one.name} ({one.present} of {one.images})"
        yield f"  AUC                 {ranged(one.auc.value, one.auc_by_patient)}"
        yield f"  sensitivity         {percent(one.decided.sensitivity)}"
        yield f"  specificity         {percent(one.decided.specificity)}"
        yield (
            f"  likelihood ratios   {ratio(one.decided.positive)}, {ratio(one.decided.negative)}"
        )
    for found in study.comparisons:
        yield (
            f"{found.name}: AUC {number(found.delong.difference)} above {study.other} "
            f"(bootstrap {number(found.by_patient.low)} to {number(found.by_patient.high)}; "
            f"DeLong p {p_value(found.delong.p_value)})"
        )
    for compared in study.reader_comparisons:
        yield (
            f"{compared.point.reader}, {compared.point.name}: {compared.position.value}; the model "
            f"there {ranged(compared.model_sensitivity, compared.interval)}, the reader "
            f"{number(compared.point.sensitivity)}"
        )
    if is_corrected([one.decided for one in study.classes]):
        yield CORRECTED_NOTE
    yield from (f"Note: {note}" for note in study.notes)
    yield RESEARCH_USE


def _figures(value: float) -> str:
    """Three figures, zeros at the end included."""
    if math.isinf(value):
        return "∞"
    return f"{value:.0f}" if value >= 999.5 or value == 0 else f"{value:#.3g}".rstrip(".")
