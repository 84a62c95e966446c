"""Figures without a display, as embeddable PNG, and the names and colors of tissues in them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from RetinaTriageLib.evaluation.segmentation_scores import SCORED_GROUPS
from RetinaTriageLib.tissues import TISSUES

INK, QUIET, ACCENT, GRID = "#1b2430", "#66707d", "#0a6c9c", "#dfe3e8"

# Colors that stay apart under protanopia and deuteranopia (Okabe and Ito).
LINE_COLORS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7")


def plain_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Figure of a size in inches, with one pair of axes."""
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.tick_params(labelsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def figure_png(figure: Figure) -> str:
    """Figure as base64 of a PNG; equal figures make equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def draw_counts(axes: Axes, counts: npt.NDArray[np.int64], names: Sequence[str]) -> None:
    """Draw counts (actual, decided) as a matrix, shaded by the share of the row."""
    rows = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(counts / rows, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if count / rows[row, 0] > 0.5 else INK
        axes.text(column, row, str(count), ha="center", va="center", color=color, fontsize=10)
    axes.set_xticks(range(len(names)), names, rotation=20, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("decided")
    axes.set_ylabel("actual")


def tissue_title(name: str) -> str:
    """Title of a tissue or of a group of tissues."""
    titles = {tissue.name: tissue.title for tissue in TISSUES}
    return titles.get(name, {"fluid": "All fluid", "ped": "All PED"}.get(name, name))


def tissue_color(name: str) -> tuple[float, float, float]:
    """Color of a tissue, or of the first of a group, as shares of red, green and blue."""
    red, green, blue = TISSUES[SCORED_GROUPS[name][0]].color
    return red / 255, green / 255, blue / 255
