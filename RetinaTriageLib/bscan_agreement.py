"""The verdict of whole-image classifiers beside that of the tissue maps, in words.

Two systems look at one scan in different ways; where they differ, a reader should look. Neither is
taken to be right.
"""

from __future__ import annotations

from dataclasses import dataclass

from RetinaTriageLib.bscan_verdict import BscanVerdict
from RetinaTriageLib.image_classes import Head, ImageClass
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL, OutcomeHead
from RetinaTriageLib.result import TriageResult, Verdict, Vocabulary


@dataclass(frozen=True)
class Comparison:
    """One question that both verdicts answer.

    Attributes
    ----------
    question : "Referral urgency", or the title of a condition
    tissue_maps, bscans : the two answers
    tissue_maps_score, bscans_score : their scores, 0 to 1; of a condition, the score that it is
        present
    sentence : what a reader should know
    """

    question: str
    tissue_maps: str
    tissue_maps_score: float
    bscans: str
    bscans_score: float
    agree: bool
    sentence: str


def compare_verdicts(
    bscans: BscanVerdict, verdict: Verdict, vocabulary: Vocabulary
) -> tuple[Comparison, ...]:
    """Referral, then each condition that both verdicts speak of; empty where there is none.

    Soft-max classes exclude one another and conditions of tissue maps do not: of such classes only
    the one decided for is compared, or every condition where none was found.
    """
    heads = {head.name: head for head in vocabulary.heads}
    found: list[Comparison] = []
    if REFERRAL.name in heads:
        found += _referral(bscans, verdict, heads[REFERRAL.name])
    if CONDITIONS.name in heads:
        head = heads[CONDITIONS.name]
        found += [
            _condition(bscans, verdict, head, each)
            for each in _compared(bscans)
            if each.condition in head.names
        ]
    return tuple(found)


def compare_result(result: TriageResult) -> tuple[Comparison, ...]:
    """Compare the two verdicts of a case; empty where it has one only."""
    if result.bscan_verdict is None:
        return ()
    return compare_verdicts(result.bscan_verdict, result.verdict, result.vocabulary)


def disagreement(comparisons: tuple[Comparison, ...]) -> str:
    """Say what the verdicts disagree on, or that they do not.

    Examples
    --------
    >>> disagreement(())
    'The two verdicts have no question in common.'
    """
    if not comparisons:
        return "The two verdicts have no question in common."
    different = [each.sentence for each in comparisons if not each.agree]
    if different:
        return "The two verdicts disagree. " + " ".join(different)
    return "The two verdicts agree on " + ", ".join(e.question.lower() for e in comparisons) + "."


def _referral(bscans: BscanVerdict, verdict: Verdict, head: OutcomeHead) -> tuple[Comparison, ...]:
    name = bscans.answer.referral
    decided = verdict.decisions.get(head.name, ())
    if name not in head.names or len(decided) != 1:
        return ()
    titles = {outcome.name: outcome.title for outcome in head.outcomes}
    other = decided[0]
    score = float(verdict.scores[head.name][head.names.index(other)])
    own = bscans.referrals.get(name)
    own_words = titles[name] if own is None else f"{titles[name]} ({own:.2f})"
    agree = name == other
    sentence = (
        f"Both say {titles[name]}."
        if agree
        else f"Referral: the tissue maps say {titles[other]} ({score:.2f}), the B-scan classifier "
        f"says {own_words}."
    )
    return (
        Comparison(
            head.title,
            titles[other],
            score,
            titles[name],
            float("nan") if own is None else own,
            agree,
            sentence,
        ),
    )


def _compared(bscans: BscanVerdict) -> tuple[ImageClass, ...]:
    """Classes that stand for a finding and may be compared."""
    findings = [each for each in bscans.task.classes if each.finding and each.condition]
    if bscans.task.head is Head.BINARY:
        return tuple(findings)
    decided = [each for each in findings if each.name in bscans.answer.classes]
    absent = [e for e in bscans.task.classes if not e.finding and e.name in bscans.answer.classes]
    return tuple(findings) if absent else tuple(decided)


def _condition(
    bscans: BscanVerdict, verdict: Verdict, head: OutcomeHead, asked: ImageClass
) -> Comparison:
    assert asked.condition is not None
    at = head.names.index(asked.condition)
    title = head.outcomes[at].title
    score = float(verdict.scores[head.name][at])
    present = asked.condition in verdict.decisions.get(head.name, ())
    own = float(bscans.scores[bscans.task.names.index(asked.name)])
    own_present = asked.name in bscans.answer.classes
    sentence = f"{title}: both say {_said(present=present)}."
    if present != own_present:
        most = bscans.strongest_bscan(asked.name) + 1
        where = f", most in B-scan {most}" if own_present and len(bscans.bscans) > 1 else ""
        sentence = (
            f"{title}: {_said(present=present)} by the tissue maps ({score:.2f}), "
            f"{_said(present=own_present)} by the B-scan classifier ({own:.2f}{where})."
        )
    return Comparison(
        title,
        _said(present=present),
        score,
        _said(present=own_present),
        own,
        present == own_present,
        sentence,
    )


def _said(*, present: bool) -> str:
    return "present" if present else "not found"
