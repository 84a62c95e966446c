"""Every opinion in a report: as dots over score bars, and as a grid of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from RetinaTriageLib.hypotheses import Opinion, opinion_grid
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.report_maps import hex_color, ink_on

GRID_PALETTE = "Blues"
# Okabe and Ito's colors that stand out on white, one a hypothesis; color is never the only sign.
HYPOTHESIS_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#444444")

JOINT_COLOR = "#000000"
"""Color of opinions on all maps together."""


def hypothesis_letter(number: int) -> str:
    """Letter of a hypothesis: A, B, C ... in their order."""
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def opinion_count(result: TriageResult) -> int:
    """S x C, the number of opinions, and those on all maps together."""
    single = sum(len(hypothesis.opinions) for hypothesis in result.hypotheses)
    return single + len(result.joint_opinions)


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
    groups = _groups(result)
    titles = "".join(
        f'<th scope="colgroup" colspan="{len(group.opinions)}" class="group" '
        f'title="{escape(group.title)}">{group.mark}</th>'
        for group in groups
    )
    numbers = "".join(
        f'<th scope="col" class="{"group" if not number else ""}" '
        f'title="{escape(group.of)}, {escape(opinion.classifier)}">{number + 1}</th>'
        for group in groups
        for number, opinion in enumerate(group.opinions)
    )
    body = "".join(_head_rows(result, head, groups) for head in result.vocabulary.heads)
    return (
        '<div class="scroll"><table class="grid"><caption class="hidden">Score of every outcome in '
        "every opinion</caption><thead>"
        f'<tr><th></th>{titles}<th scope="col" class="mean">mean</th></tr>'
        f'<tr class="classifiers"><td></td>{numbers}<td></td></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


@dataclass(frozen=True)
class _Group:
    """Opinions that stand together in the grid: those on one map, or on all maps."""

    mark: str
    title: str
    of: str
    opinions: tuple[Opinion, ...]


def _groups(result: TriageResult) -> list[_Group]:
    groups = [
        _Group(hypothesis_letter(at), one.segmenter, one.segmenter, one.opinions)
        for at, one in enumerate(result.hypotheses)
    ]
    if result.joint_opinions:
        title = "Opinions on all tissue maps together"
        groups.append(_Group("all", title, "all tissue maps", result.joint_opinions))
    return groups


def _head_rows(result: TriageResult, head: OutcomeHead, groups: Sequence[_Group]) -> str:
    rows = [
        f'<tr class="head"><th scope="rowgroup" colspan="{opinion_count(result) + 2}">'
        f"{escape(head.title)}</th></tr>"
    ]
    for at, outcome in enumerate(head.outcomes):
        mark = "decided" if outcome.name in result.verdict.decisions.get(head.name, ()) else ""
        cells = "".join(
            _grid_cell(float(opinion.scores[head.name][at]), first=not number)
            for group in groups
            for number, opinion in enumerate(group.opinions)
        )
        mean = float(result.verdict.raw[head.name][at])
        rows.append(
            f'<tr class="{mark}"><th scope="row" title="{escape(outcome.definition)}">'
            f'{escape(outcome.title)}</th>{cells}<td class="mean">{mean:.2f}</td></tr>'
        )
    return "".join(rows)


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
