"""The verdict in a report: headline, score bars with every opinion, and the grid of opinions."""

from __future__ import annotations

from html import escape

from RetinaTriageLib.hypotheses import opinion_grid
from RetinaTriageLib.outcomes import Outcome, OutcomeHead
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.report_maps import hex_color, ink_on

GRID_PALETTE = "Blues"
# Okabe and Ito's colors that stand out on white, one a hypothesis; color is never the only sign.
HYPOTHESIS_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#444444")

JOINT_COLOR = "#000000"
"""Color of opinions on all maps together."""


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


def hypothesis_letter(number: int) -> str:
    """Letter of a hypothesis: A, B, C ... in their order."""
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def opinion_count(result: TriageResult) -> int:
    """S x C, the number of opinions, and those on all maps together."""
    single = sum(len(hypothesis.opinions) for hypothesis in result.hypotheses)
    return single + len(result.joint_opinions)


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


def score_bars(result: TriageResult) -> str:
    """Every head: mean as a bar, min to max as a line, each opinion as a dot, decisions marked."""
    return "".join(_head_bars(result, head) for head in result.vocabulary.heads)


def hypothesis_key(result: TriageResult) -> str:
    """Colors and letters of the tissue maps, as used for the dots."""
    return "".join(
        f'<span class="key" title="{escape(hypothesis.segmenter)}"><i style="background:'
        f'{HYPOTHESIS_COLORS[at % len(HYPOTHESIS_COLORS)]}"></i>{hypothesis_letter(at)}</span>'
        for at, hypothesis in enumerate(result.hypotheses)
    )


def opinion_table(result: TriageResult) -> str:
    """Heat grid: outcomes down, S x C opinions across, grouped by hypothesis; joint ones last."""
    grids = {
        head.name: opinion_grid(result.hypotheses, head.name) for head in result.vocabulary.heads
    }
    groups, numbers = ["<th></th>"], ["<td></td>"]
    for at, hypothesis in enumerate(result.hypotheses):
        groups.append(
            f'<th scope="colgroup" colspan="{len(hypothesis.opinions)}" class="group" '
            f'title="{escape(hypothesis.segmenter)}">{hypothesis_letter(at)}</th>'
        )
        numbers += [
            f'<th scope="col" class="{"group" if not number else ""}" '
            f'title="{escape(hypothesis.segmenter)}, {escape(opinion.classifier)}">'
            f"{number + 1}</th>"
            for number, opinion in enumerate(hypothesis.opinions)
        ]
    if result.joint_opinions:
        groups.append(
            f'<th scope="colgroup" colspan="{len(result.joint_opinions)}" class="group" '
            'title="Opinions on all tissue maps together">all</th>'
        )
        numbers += [
            f'<th scope="col" class="{"group" if not number else ""}" '
            f'title="all tissue maps, {escape(opinion.classifier)}">{number + 1}</th>'
            for number, opinion in enumerate(result.joint_opinions)
        ]
    columns = opinion_count(result)
    body = []
    for head in result.vocabulary.heads:
        body.append(
            f'<tr class="head"><th scope="rowgroup" colspan="{columns + 2}">'
            f"{escape(head.title)}</th></tr>"
        )
        for at, outcome in enumerate(head.outcomes):
            mark = "decided" if outcome.name in result.verdict.decisions.get(head.name, ()) else ""
            cells = "".join(
                _grid_cell(float(score), first=not number)
                for row in (*grids[head.name][..., at], _joint_scores(result, head, at))
                for number, score in enumerate(row)
            )
            mean = float(result.verdict.raw[head.name][at])
            body.append(
                f'<tr class="{mark}"><th scope="row" title="{escape(outcome.definition)}">'
                f'{escape(outcome.title)}</th>{cells}<td class="mean">{mean:.2f}</td></tr>'
            )
    return (
        '<div class="scroll"><table class="grid"><caption class="hidden">Score of every outcome in '
        "every opinion</caption><thead>"
        f'<tr>{"".join(groups)}<th scope="col" class="mean">mean</th></tr>'
        f'<tr class="classifiers">{"".join(numbers)}<td></td></tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def _opinion_words(result: TriageResult) -> str:
    maps = len(result.hypotheses)
    judges = len(result.hypotheses[0].opinions)
    total, joint = opinion_count(result), len(result.joint_opinions)
    return (
        f"from {total} opinion{'s' * (total != 1)} ({maps} tissue map{'s' * (maps != 1)} × "
        f"{judges} classifier{'s' * (judges != 1)}{f', {joint} on all maps' if joint else ''})"
    )


def _joint_scores(result: TriageResult, head: OutcomeHead, outcome: int) -> list[float]:
    """Score of one outcome in the opinions on all maps together."""
    return [float(opinion.scores[head.name][outcome]) for opinion in result.joint_opinions]


def _head_bars(result: TriageResult, head: OutcomeHead) -> str:
    grid = opinion_grid(result.hypotheses, head.name)
    lanes = len(result.hypotheses)
    rows = []
    for at, outcome in enumerate(head.outcomes):
        spread = result.verdict.spreads[head.name][at]
        raw = float(result.verdict.raw[head.name][at])
        score = float(result.verdict.scores[head.name][at])
        marked = outcome.name in result.verdict.decisions.get(head.name, ())
        dots = "".join(
            f'<i style="left:{float(value):.2%};top:{(lane + 0.5) / lanes:.1%};'
            f'background:{HYPOTHESIS_COLORS[lane % len(HYPOTHESIS_COLORS)]}" '
            f'title="{hypothesis_letter(lane)}{number + 1}: {float(value):.2f}"></i>'
            for lane, row in enumerate(grid[..., at])
            for number, value in enumerate(row)
        ) + "".join(
            f'<i style="left:{value:.2%};top:50%;background:{JOINT_COLOR}" '
            f'title="all maps: {value:.2f}"></i>'
            for value in _joint_scores(result, head, at)
        )
        label = f"{outcome.title}: score {score:.2f}, mean of the opinions {raw:.2f}"
        rows.append(
            f'<div class="bar{" decided" * marked}">'
            f'<span class="name" title="{escape(outcome.definition)}">{escape(outcome.title)}'
            "</span>"
            f'<span class="track" role="img" aria-label="{escape(label)}, from {spread.low:.2f} '
            f'to {spread.high:.2f}"><u style="width:{raw:.2%}"></u>'
            f'<s style="left:{spread.low:.2%};width:{spread.high - spread.low:.2%}"></s>'
            f'<em style="left:{score:.2%}" title="Score at the operating point: {score:.2f}"></em>'
            f'{dots}</span><span class="value">{score:.2f}</span></div>'
        )
    kind = "one answer" if head.exclusive else "each on its own"
    return (
        f'<section class="head"><h3>{escape(head.title)} <small>{kind}</small></h3>'
        f"{''.join(rows)}</section>"
    )


def _grid_cell(score: float, *, first: bool) -> str:
    # The darkest tenth of the palette is left out, numbers stay readable on all of it.
    color = hex_color(score * 0.9, (0.0, 1.0), GRID_PALETTE)
    group = ' class="group"' if first else ""
    return f'<td{group} style="background:{color};color:{ink_on(color)}">{score:.2f}</td>'
