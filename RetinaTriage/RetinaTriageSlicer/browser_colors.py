"""Colors of scores: pale is 0, dark red is 1; told apart by brightness alone too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import qt
from slicer.i18n import tr as _

STOPS = (0.0, 0.35, 0.7, 1.0)
COLORS = ((246, 244, 236), (250, 205, 110), (224, 105, 50), (112, 12, 45))
LEGEND_SCORES = (0.0, 0.25, 0.5, 0.75, 1.0)
DARK = 130


def scoreColor(score: float) -> tuple[int, int, int]:
    """Color (red, green, blue), each 0 to 255, of a score from 0 to 1."""
    red, green, blue = (
        round(float(np.interp(score, STOPS, [color[part] for color in COLORS])))
        for part in range(3)
    )
    return red, green, blue


def textColor(score: float) -> tuple[int, int, int]:
    """Black or white, whichever is read better on the color of a score."""
    red, green, blue = scoreColor(score)
    dark = 0.3 * red + 0.6 * green + 0.1 * blue < DARK
    return (255, 255, 255) if dark else (0, 0, 0)


def colorItem(item: Any, score: float) -> None:
    """Paint a cell of a table; a score that is missing leaves it as it is."""
    if math.isfinite(score):
        item.setBackground(qt.QBrush(qt.QColor(*scoreColor(score))))
        item.setForeground(qt.QBrush(qt.QColor(*textColor(score))))


def legendText() -> str:
    """Legend of the colors, as rich text."""
    patches = "".join(
        f'<span style="background-color:{_hex(scoreColor(score))};color:{_hex(textColor(score))}">'
        f"&nbsp;&nbsp;{score:.2f}&nbsp;&nbsp;</span>"
        for score in LEGEND_SCORES
    )
    return f"{patches} {_('score as the networks gave it, 0 to 1')}"


def _hex(color: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{level:02x}" for level in color)
