"""The panels of the paper report, each drawn into axes: scores, B-scan, en-face maps."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch

from RetinaTriageLib.hypotheses import opinion_grid
from RetinaTriageLib.outcomes import OutcomeHead
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.tissues import TissueGroup
from RetinaTriageLib.volume import Localizer
from RetinaTriageLib.writers.report_browser import opening_bscan
from RetinaTriageLib.writers.report_figures import ETDRS_RADII_MM
from RetinaTriageLib.writers.report_maps import (
    EnFaceFrame,
    EnFaceMap,
    painted,
    projection,
    superior_up,
)
from RetinaTriageLib.writers.report_opinions import HYPOTHESIS_COLORS, JOINT_COLOR
from RetinaTriageLib.writers.report_pictures import gray_levels
from RetinaTriageLib.writers.report_tables import color_of

INK, QUIET, BAR, DECIDED_BAR = "#1b2430", "#66707d", "#c3cdd7", "#8fbbd3"
OVERLAY_OPACITY = 0.4
RULER_MM = 0.2
Place = tuple[float, float, float, float]


def draw_head(axes: Axes, result: TriageResult, head: OutcomeHead) -> None:
    """One head: mean as a bar, every opinion as a dot, the score as a tick, decisions in bold.

    Opinions on all tissue maps together are diamonds.
    """
    grid = opinion_grid(result.hypotheses, head.name)
    decided = result.verdict.decisions.get(head.name, ())
    lanes = len(result.hypotheses)
    axes.set(xlim=(0, 1), ylim=(len(head.outcomes) - 0.5, -1.3))
    axes.axis("off")
    axes.text(-0.02, -1, head.title, fontsize=8, weight="bold", color=INK, va="center", ha="right")
    for at, outcome in enumerate(head.outcomes):
        marked = outcome.name in decided
        weight = "bold" if marked else "normal"
        score = float(result.verdict.scores[head.name][at])
        spread = result.verdict.spreads[head.name][at]
        axes.barh(at, 1, 0.8, color="#eef1f4")
        mean = float(result.verdict.raw[head.name][at])
        axes.barh(at, mean, 0.8, color=DECIDED_BAR if marked else BAR)
        axes.plot([spread.low, spread.high], [at, at], color=INK, lw=0.7)
        for lane, row in enumerate(grid[..., at]):
            y = at + 0.8 * ((lane + 0.5) / lanes - 0.5)
            color = HYPOTHESIS_COLORS[lane % len(HYPOTHESIS_COLORS)]
            axes.plot(row, [y] * len(row), "o", ms=3, color=color, mec="w", mew=0.3, zorder=4)
        for opinion in result.joint_opinions:
            value = float(opinion.scores[head.name][at])
            axes.plot(value, at, "D", ms=3, color=JOINT_COLOR, mec="w", mew=0.3, zorder=4)
        axes.plot([score, score], [at - 0.45, at + 0.45], color="k", lw=1.5)
        axes.text(-0.02, at, outcome.title, fontsize=7, weight=weight, va="center", ha="right")
        axes.text(1.02, at, f"{score:.2f}", fontsize=7, weight=weight, va="center")


def draw_bscan(figure: Figure, result: TriageResult, place: Place) -> None:
    """Draw the opening B-scan alone and with the consensus map; to scale if spacing is known."""
    number = opening_bscan(result)
    gray = gray_levels(result.volume.voxels)[number]
    labels = result.consensus[number]
    depths, widths = gray.shape
    spacing = result.volume.spacing
    aspect = 1.0 if spacing is None else spacing.depth_mm / spacing.width_mm
    colors, shown = np.zeros((256, 4)), []
    for tissue in result.vocabulary.tissues:
        background = tissue.group is TissueGroup.CHOROID or tissue.label == 0
        if not background and (labels == tissue.label).any():
            colors[tissue.label] = (*(part / 255 for part in tissue.color), OVERLAY_OPACITY)
            shown.append(Patch(color=color_of(tissue), label=tissue.title))
    left, bottom, width, height = place
    flat = aspect * depths / widths < 0.6
    for at, overlay in enumerate((False, True)):
        if flat:
            part = (left, bottom + 0.03 + (1 - at) * (height - 0.03) / 2, width, height / 2 - 0.022)
        else:
            part = (left + at * width * 0.51, bottom + 0.03, width * 0.49, height - 0.03)
        axes = figure.add_axes(part)
        axes.imshow(gray, cmap="gray", vmin=0, vmax=255, aspect=aspect)
        axes.axis("off")
        if overlay:
            axes.imshow(colors[labels], aspect=aspect, interpolation="nearest")
        elif spacing is not None:
            x, y = 0.03 * widths, 0.93 * depths
            across, down = RULER_MM / spacing.width_mm, RULER_MM / spacing.depth_mm
            axes.plot([x, x, x + across], [y - down, y, y], color="w", lw=1.2)
            axes.text(x + across * 1.3, y, "200 µm", color="w", fontsize=6.5, va="bottom")
    scale = "to scale" if spacing is not None else "not to scale: spacing unknown"
    title = f"B-scan {number + 1} of {len(result.volume.voxels)}, {scale}"
    figure.text(left, bottom + 0.016, title, fontsize=7, color=QUIET)
    if shown:
        figure.legend(
            handles=shown,
            loc="lower right",
            bbox_to_anchor=(left + width, bottom + 0.006),
            ncols=min(len(shown), 4),
            fontsize=7,
            frameon=False,
            borderaxespad=0,
        )


def draw_map(
    axes: Axes, result: TriageResult, frame: EnFaceFrame, enface_map: EnFaceMap | None
) -> None:
    """Projection with one map over it, ETDRS circles, fovea and orientation marks."""
    extent = (0.0, frame.width, frame.height, 0.0)
    gray = superior_up(projection(result), frame)
    axes.imshow(gray, cmap="gray", extent=extent, aspect="equal", interpolation="bilinear")
    title = "Projection" if enface_map is None else f"{enface_map.title}, {enface_map.unit}"
    if enface_map is not None:
        colors = superior_up(painted(enface_map), frame)
        axes.imshow(colors, extent=extent, aspect="equal", interpolation="nearest")
        if enface_map.lesion and not (enface_map.values > 0).any():
            title = f"{enface_map.title}: none found"
    axes.set_title(title, fontsize=8, loc="left", pad=3)
    axes.set(xlim=(0, frame.width), ylim=(frame.height, 0), xticks=[], yticks=[])
    etdrs = result.measurements.etdrs
    center = etdrs.center if etdrs else result.measurements.fovea
    if center is not None and frame.per_mm is not None:
        middle = (frame.column(center.width), frame.row(center.bscan))
        for radius in ETDRS_RADII_MM:
            axes.add_patch(Circle(middle, radius * frame.per_mm, fill=False, ec="w", lw=0.6))
        axes.plot(*middle, "+", color="w", ms=6, mew=0.9)
    sides = {"S": (0.5, 0.95), "I": (0.5, 0.05)}
    if result.volume.nasal_sign is not None:
        right, left = ("N", "T") if result.volume.nasal_sign > 0 else ("T", "N")
        sides |= {left: (0.04, 0.5), right: (0.96, 0.5)}
    box = {"boxstyle": "round,pad=0.12", "fc": "#000000a0", "ec": "none"}
    for text, (x, y) in sides.items():
        axes.text(
            x,
            y,
            text,
            color="w",
            fontsize=7,
            weight="bold",
            bbox=box,
            ha="center",
            va="center",
            transform=axes.transAxes,
        )


def draw_localizer(axes: Axes, localizer: Localizer) -> None:
    """En-face picture that the scanner took, with a line for every B-scan."""
    rows, columns = localizer.pixels.shape
    height, width = rows * localizer.spacing_mm[0], columns * localizer.spacing_mm[1]
    axes.imshow(gray_levels(localizer.pixels), cmap="gray", extent=(0, width, height, 0))
    for first, last in localizer.bscan_ends_mm:
        axes.plot([first[0], last[0]], [first[1], last[1]], color="#7ee08a", lw=0.4)
    axes.set(xlim=(0, width), ylim=(height, 0), anchor="NW")
    axes.axis("off")


def draw_legend(axes: Axes, enface_map: EnFaceMap) -> None:
    """Color scale of a map below it."""
    colors = ScalarMappable(Normalize(*enface_map.limits), enface_map.palette)
    assert axes.figure is not None
    bar = axes.figure.colorbar(colors, cax=axes, orientation="horizontal")
    bar.outline.set_visible(False)
    axes.tick_params(labelsize=6, length=1.5, pad=1, colors=INK)
