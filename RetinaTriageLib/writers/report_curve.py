"""Scores along a volume as SVG: a line a class over the number of the B-scan."""

from __future__ import annotations

from html import escape

import numpy as np

from RetinaTriageLib.bscan_verdict import BscanVerdict, ScoreArray

# Okabe and Ito's colors that stand out on white; dashes tell lines apart without color.
COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#444444")
DASHES = ("", "9 4", "3 3", "12 4 3 4", "6 6", "2 5", "15 5")

WIDTH, HEIGHT = 900.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 12.0, 12.0, 40.0
MOST_TICKS = 12


def style_of(number: int) -> tuple[str, str]:
    """Color and dashes of the line of a class, by its place among the classes."""
    return COLORS[number % len(COLORS)], DASHES[number % len(DASHES)]


def curve(verdict: BscanVerdict) -> str:
    """Draw the scores of all B-scans; weights, where there are any, as gray bars below."""
    count = len(verdict.bscans)
    across = LEFT + (WIDTH - LEFT - RIGHT) * (np.arange(count) + 0.5) / count
    layers = [_grid(across), _weights(verdict, across)]
    for number, each in enumerate(verdict.task.classes):
        color, dashes = style_of(number)
        layers.append(
            f'<g class="line"><title>{escape(each.title)}</title>'
            f"{_line(verdict.bscans[:, number], across, color, dashes)}</g>"
        )
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" '
        f'aria-label="Scores of {count} B-scans">{"".join(layers)}</svg>'
    )


def legend(verdict: BscanVerdict) -> str:
    """Line style and title of every class."""
    items = []
    for number, each in enumerate(verdict.task.classes):
        color, dashes = style_of(number)
        items.append(
            '<span class="key"><svg width="34" height="10" aria-hidden="true">'
            f'<path d="M1 5h32" fill="none" stroke="{color}" stroke-width="2.5" '
            f'stroke-dasharray="{dashes}"/></svg> {escape(each.title)}</span>'
        )
    if verdict.weights is not None and len(verdict.bscans) > 1:
        items.append(
            '<span class="key"><i style="background:#c3cdd7"></i>weight of the B-scan</span>'
        )
    return f'<p class="fine">{" ".join(items)}</p>'


def ticks(count: int) -> list[int]:
    """Numbers of B-scans, from 1, that an axis names.

    Examples
    --------
    >>> ticks(5), ticks(49)
    ([1, 2, 3, 4, 5], [1, 5, 10, 15, 20, 25, 30, 35, 40, 45])
    """
    steps = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500)
    step = next((step for step in steps if count / step <= MOST_TICKS), 1000)
    return [1, *(n for n in range(step, count + 1, step) if n > 1)]


def _height(score: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - score)


def _line(scores: ScoreArray, across: ScoreArray, color: str, dashes: str) -> str:
    points = " ".join(
        f"{x:.1f},{_height(float(y)):.1f}" for x, y in zip(across, scores, strict=True)
    )
    style = f'stroke="{color}" stroke-width="2.2" stroke-dasharray="{dashes}"'
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{_height(float(y)):.1f}" r="2.6" fill="{color}">'
        f"<title>B-scan {at + 1}: {float(y):.3f}</title></circle>"
        for at, (x, y) in enumerate(zip(across, scores, strict=True))
    )
    return f'<polyline points="{points}" fill="none" {style}/>{dots}'


def _weights(verdict: BscanVerdict, across: ScoreArray) -> str:
    if verdict.weights is None or len(across) < 2:
        return ""
    wide = 0.7 * (across[1] - across[0])
    tall = verdict.weights / max(float(verdict.weights.max()), 1e-12)
    return "".join(
        f'<rect x="{x - wide / 2:.1f}" y="{_height(0.3 * float(y)):.1f}" width="{wide:.1f}" '
        f'height="{_height(0) - _height(0.3 * float(y)):.1f}" fill="#dfe5ea">'
        f"<title>B-scan {at + 1}: weight {float(verdict.weights[at]):.3f}</title></rect>"
        for at, (x, y) in enumerate(zip(across, tall, strict=True))
    )


def _grid(across: ScoreArray) -> str:
    lines = "".join(
        f'<path d="M{LEFT} {_height(score):.1f}H{WIDTH - RIGHT}" stroke="#dfe3e8"/>'
        f'<text x="{LEFT - 8}" y="{_height(score) + 4:.1f}" text-anchor="end">{score:g}</text>'
        for score in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    numbers = "".join(
        f'<text x="{across[number - 1]:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
        f"{number}</text>"
        for number in ticks(len(across))
    )
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    return (
        f'{lines}{numbers}<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">B-scan</text>'
        f'<text x="14" y="{HEIGHT / 2 - 10}" text-anchor="middle" '
        f'transform="rotate(-90 14 {HEIGHT / 2 - 10})">Probability</text>'
    )
