"""The verdict in a report: headline, and the decisions beside it."""

from __future__ import annotations

from html import escape

from RetinaTriageLib.outcomes import Outcome, OutcomeHead
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.report_opinions import opinion_count


def lead_head(result: TriageResult) -> OutcomeHead:
    """Head that opens the report: referral, else the first of the vocabulary."""
    heads = result.vocabulary.heads
    return next((head for head in heads if head.name == "referral"), heads[0])


def decided(result: TriageResult, head: OutcomeHead) -> tuple[tuple[Outcome, float], ...]:
    """Outcomes decided for, with their scores at the operating point."""
    names = result.verdict.decisions.get(head.name, ())
    scores = result.verdict.scores[head.name]
    return tuple(
        (outcome, float(score))
        for outcome, score in zip(head.outcomes, scores, strict=True)
        if outcome.name in names
    )


def headline(result: TriageResult) -> str:
    """Verdict of the leading head in large letters, with the ladder of all its outcomes."""
    head = lead_head(result)
    chosen = decided(result, head)
    title = ", ".join(outcome.title for outcome, _ in chosen) or "Nothing decided"
    number = " · ".join(f"{score:.2f}" for _, score in chosen) or "–"
    definition = " ".join(outcome.definition for outcome, _ in chosen)
    rank = head.outcomes.index(chosen[0][0]) if chosen else len(head.outcomes)
    ladder = "".join(
        f'<li class="{"chosen" if outcome in [one for one, _ in chosen] else ""}" '
        f'title="{escape(outcome.definition)}">'
        f"<b>{float(score):.2f}</b> {escape(outcome.title)}</li>"
        for outcome, score in zip(head.outcomes, result.verdict.scores[head.name], strict=True)
    )
    return (
        f'<div class="verdict rank-{min(rank, 3)}">'
        f'<p class="kicker">{escape(head.title)}</p>'
        f'<p class="answer"><strong>{escape(title)}</strong> '
        f'<span class="score" title="Score at the operating point, between 0 and 1">{number}'
        "</span></p>"
        f"<p>{escape(definition)}</p>"
        f'<ol class="ladder" aria-label="All scores of {escape(head.title)}">{ladder}</ol>'
        f'<p class="fine">Scores at the <b>{escape(result.verdict.operating_point)}</b> operating '
        f"point, {_opinion_words(result)}.</p></div>"
    )


def other_verdicts(result: TriageResult) -> str:
    """One line a head for the decisions beside the leading one."""
    lead = lead_head(result)
    lines = []
    for head in result.vocabulary.heads:
        if head is lead:
            continue
        chips = "".join(
            f'<span class="chip" title="{escape(outcome.definition)}">{escape(outcome.title)} '
            f"<b>{score:.2f}</b></span>"
            for outcome, score in sorted(decided(result, head), key=lambda pair: -pair[1])
        )
        none = '<span class="quiet">nothing decided for</span>'
        lines.append(f"<dt>{escape(head.title)}</dt><dd>{chips or none}</dd>")
    return f'<dl class="findings">{"".join(lines)}</dl>'


def _opinion_words(result: TriageResult) -> str:
    maps = len(result.hypotheses)
    judges = len(result.hypotheses[0].opinions)
    total, joint = opinion_count(result), len(result.joint_opinions)
    return (
        f"from {total} opinion{'s' * (total != 1)} ({maps} tissue map{'s' * (maps != 1)} × "
        f"{judges} classifier{'s' * (judges != 1)}{f', {joint} on all maps' if joint else ''})"
    )
