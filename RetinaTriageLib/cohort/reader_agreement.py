"""How readers and the model agree on a cohort, and readers among each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from RetinaTriageLib.cohort.cohort_rows import CohortRows, read_cohort, title_of
from RetinaTriageLib.cohort.readings import Reading, latest_readings, read_readings, readers_of
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.evaluation.agreement import Agreement, agreement
from RetinaTriageLib.evaluation.weighted_error import weighted_error
from RetinaTriageLib.outcomes import REFERRAL
from RetinaTriageLib.penalties import default_penalty

MODEL = "model"
REFERRAL_QUESTION = "referral"
NO, YES = "absent", "present"

Answers = Mapping[str, str]
"""Case to what somebody answers to one question about it."""


@dataclass(frozen=True)
class Comparison:
    """Agreement of two on one question.

    Attributes
    ----------
    first, second : reader, or "model", which always comes second
    question : "referral", or the name of a condition
    found : its penalty is what the second one's answers cost if the first one is right
    reverse_penalty : mean penalty of the first one's answers if the second one is right
    """

    first: str
    second: str
    question: str
    found: Agreement
    reverse_penalty: float

    @property
    def title(self) -> str:
        """What was asked."""
        asks_referral = self.question == REFERRAL_QUESTION
        return REFERRAL.title if asks_referral else title_of(self.question)


@dataclass(frozen=True)
class ReaderAgreement:
    """Agreement of all pairs on all questions.

    Attributes
    ----------
    cases : in the cohort
    readings : reader to number of cases read, with a decision that counts
    blind : reader to number of those read without seeing the model's answer
    notes : sentences on decisions that were left out
    """

    cases: int
    readings: Mapping[str, int]
    blind: Mapping[str, int]
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]


def reader_agreement(out_dir: Path) -> ReaderAgreement:
    """Agreement on the cases of a cohort's folder, from ``cohort.csv`` and ``readings.csv``.

    The latest decision of a reader on a case counts. A condition is compared on the cases in which
    both said something about conditions, and only where one of the two has found it once.

    Raises
    ------
    InputError
        If there is no cohort or no decision.
    """
    cohort, readings = read_cohort(out_dir), read_readings(out_dir)
    if not readings:
        msg = f"Found no decision in {out_dir}; expected readings.csv. Read some cases first."
        raise InputError(msg)
    latest = list(latest_readings(readings).values())
    known = {row.case_id for row in cohort.rows}
    usable = [one for one in latest if one.case_id in known and one.referral in cohort.referrals]
    readers = readers_of(usable)
    by_reader = {name: [one for one in usable if one.reader == name] for name in readers}
    referrals = {name: _referrals(by_reader[name]) for name in readers}
    referrals[MODEL] = {
        row.case_id: row.text("referral")
        for row in cohort.rows
        if row.text("referral") in cohort.referrals
    }
    pairs = [*((name, MODEL) for name in readers), *combinations(readers, 2)]
    compared = [_compared(pair, REFERRAL_QUESTION, referrals, cohort.referrals) for pair in pairs]
    for condition in cohort.conditions:
        found = {name: _findings(by_reader[name], condition) for name in readers}
        found[MODEL] = _model_findings(cohort, condition)
        compared += [
            _compared(pair, condition, found, (NO, YES))
            for pair in pairs
            if YES in _shared(found, pair).values() or YES in _shared(found, pair[::-1]).values()
        ]
    return ReaderAgreement(
        len(cohort.rows),
        {name: len(by_reader[name]) for name in readers},
        {name: sum(not one.model_shown for one in by_reader[name]) for name in readers},
        tuple(one for one in compared if one is not None),
        _notes(len(latest) - len(usable)),
    )


def _compared(
    pair: tuple[str, str], question: str, answers: Mapping[str, Answers], classes: Sequence[str]
) -> Comparison | None:
    """Agreement of a pair on the cases that both answered; None where there is none."""
    first, second = (_shared(answers, order) for order in (pair, pair[::-1]))
    if not first:
        return None
    cases = list(first)
    found = agreement([first[case] for case in cases], [second[case] for case in cases], classes)
    same = found.classes == REFERRAL.names
    penalty = default_penalty(REFERRAL) if same else 1 - np.eye(len(found.classes))
    reverse = weighted_error(found.confusion.T, penalty).mean_penalty
    return Comparison(*pair, question, found, reverse)


def _shared(answers: Mapping[str, Answers], pair: tuple[str, str]) -> Answers:
    """Answers of the first one to the cases that both answered."""
    first, second = (answers[name] for name in pair)
    return {case: answer for case, answer in sorted(first.items()) if case in second}


def _referrals(readings: Sequence[Reading]) -> Answers:
    return {one.case_id: one.referral for one in readings}


def _findings(readings: Sequence[Reading], condition: str) -> Answers:
    return {
        one.case_id: YES if condition in one.conditions else NO
        for one in readings
        if one.conditions
    }


def _model_findings(cohort: CohortRows, condition: str) -> Answers:
    return {
        row.case_id: YES if condition in cohort.decided_conditions(row) else NO
        for row in cohort.rows
    }


def _notes(left_out: int) -> tuple[str, ...]:
    if not left_out:
        return ()
    return (
        f"{left_out} decisions were left out: their case or referral is not in cohort.csv (any "
        "more).",
    )
