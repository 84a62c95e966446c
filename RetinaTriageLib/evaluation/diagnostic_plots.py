"""Plots of a diagnostic study as embeddable PNG: ROC, confusion, reliability, subgroups."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from RetinaTriageLib.evaluation.diagnostic import ClassFigures, OverallFigures
from RetinaTriageLib.evaluation.diagnostic_readers import ReaderComparison
from RetinaTriageLib.evaluation.diagnostic_study import DiagnosticStudy
from RetinaTriageLib.evaluation.figures import (
    ACCENT,
    GRID,
    INK,
    LINE_COLORS,
    QUIET,
    draw_counts,
    figure_png,
    plain_figure,
)
from RetinaTriageLib.evaluation.proportions import FloatVector, roc_curve
from RetinaTriageLib.evaluation.reliability import Reliability

# Curves that hug the corner are shown again, larger.
ZOOM_FROM_AUC, ZOOM = 0.95, 0.25

LINES = ("-", "--", ":", "-.")
READER_MARKERS = "sD^vPX*<>ph"
FOREST_INCHES = 0.26
ROC_INCHES = (4.7, 5.2)  # two beside each other on the page


def class_roc_plot(study: DiagnosticStudy, one: ClassFigures) -> str | None:
    """ROC curve of one class with readers and the decisions; None with images of one kind only."""
    if not 0 < one.present < one.images:
        return None
    at = study.table.classes.index(one.name)
    false, true = roc_curve(study.table.scores[:, at], study.table.truth[:, at])
    readers = [found for found in study.reader_comparisons if found.point.name == one.name]
    figure, axes = plain_figure(*ROC_INCHES)
    _draw_class(axes, one, (false, true), readers)
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1, zorder=0)
    _label_roc(axes)
    low, high = one.auc_by_patient.low, one.auc_by_patient.high
    interval = f", 95 % {low:.3f} to {high:.3f}" if np.isfinite(low) else ""
    axes.set_title(f"{one.name}: AUC {one.auc.value:.3f}{interval}", fontsize=9)
    figure.legend(loc="outside lower center", ncols=3, fontsize=7, frameon=False)
    if one.auc.value >= ZOOM_FROM_AUC:
        _draw_class(_zoomed(axes), one, (false, true), readers)
    return figure_png(figure)


def all_roc_plot(study: DiagnosticStudy) -> str | None:
    """ROC curves of all classes; None for a single one."""
    shown = [one for one in study.classes if 0 < one.present < one.images]
    if len(shown) < 2:
        return None
    figure, axes = plain_figure(*ROC_INCHES)
    zoomed = _zoomed(axes) if min(one.auc.value for one in shown) >= ZOOM_FROM_AUC else None
    for number, one in enumerate(shown):
        at = study.table.classes.index(one.name)
        false, true = roc_curve(study.table.scores[:, at], study.table.truth[:, at])
        color, line = LINE_COLORS[number % len(LINE_COLORS)], LINES[number % len(LINES)]
        label = f"{one.name} {one.auc.value:.3f}"
        axes.plot(false, true, color=color, linestyle=line, label=label)
        if zoomed is not None:
            zoomed.plot(false, true, color=color, linestyle=line)
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1, zorder=0)
    _label_roc(axes)
    axes.set_title("Each class against the rest, with AUC", fontsize=9)
    figure.legend(loc="outside lower center", ncols=3, fontsize=7, frameon=False)
    return figure_png(figure)


def confusion_plot(study: DiagnosticStudy, overall: OverallFigures) -> str:
    """Confusion matrix with counts and the share of each actual class."""
    names = study.table.classes
    side = max(3.6, 1.6 + 0.75 * len(names))
    figure, axes = plain_figure(side + 0.6, side)
    draw_counts(axes, overall.confusion, names)
    accuracy = overall.accuracy
    axes.set_title(
        f"Accuracy {accuracy.value:.1%} ({accuracy.low:.1%} to {accuracy.high:.1%})", fontsize=9
    )
    return figure_png(figure)


def reliability_plot(title: str, found: Reliability) -> str:
    """Reliability diagram: observed share by mean score of each bin, with the images below."""
    figure, axes = plain_figure(4.7, 4.6)
    x = np.array([one.mean_score for one in found.bins])
    y = np.array([one.observed.value for one in found.bins])
    low = y - np.array([one.observed.low for one in found.bins])
    high = np.array([one.observed.high for one in found.bins]) - y
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle="--", label="as scores say")
    axes.errorbar(
        x,
        y,
        yerr=np.maximum((low, high), 0),
        color=ACCENT,
        marker="o",
        markersize=5,
        linewidth=1.2,
        capsize=2,
        label="observed, 95 % interval",
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)
    axes.grid(visible=True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_ylabel("share of images with the class")
    axes.legend(loc="upper left", fontsize=8, frameon=False)
    axes.set_title(f"{title}: ECE {found.ece:.3f}, Brier {found.brier:.3f}", fontsize=9)
    axes.tick_params(labelbottom=False)
    below = axes.inset_axes((0, -0.32, 1, 0.24), sharex=axes)
    widths = [one.high - one.low for one in found.bins]
    counts = [one.observed.total for one in found.bins]
    below.bar(
        [one.low for one in found.bins], counts, widths, align="edge", color=QUIET, ec="white"
    )
    below.set_xlabel("score")
    below.set_ylabel("images")
    below.tick_params(labelsize=8, labelbottom=True)
    for side in ("top", "right"):
        below.spines[side].set_visible(False)
    return figure_png(figure)


def subgroup_plot(study: DiagnosticStudy, one: ClassFigures) -> str | None:
    """Area by subgroup with its interval by patients; None without subgroups."""
    shown = [s for s in study.subgroups if s.name == one.name and np.isfinite(s.auc.value)]
    if not shown:
        return None
    figure, axes = plain_figure(7.2, 1.1 + FOREST_INCHES * (len(shown) + 1))
    places = np.arange(len(shown) + 1)[::-1]
    values = np.array([one.auc.value, *(s.auc.value for s in shown)])
    lows = np.array([one.auc_by_patient.low, *(s.auc_by_patient.low for s in shown)])
    highs = np.array([one.auc_by_patient.high, *(s.auc_by_patient.high for s in shown)])
    reach = np.maximum((values - lows, highs - values), 0)
    axes.errorbar(values, places, xerr=reach, fmt="o", color=ACCENT, markersize=5, capsize=2)
    axes.axvline(one.auc.value, color=QUIET, linewidth=1, linestyle="--")
    axes.set_ylim(-0.6, len(shown) + 0.6)
    axes.set_yticks(
        places,
        [
            f"all images ({one.present} of {one.images})",
            *(f"{s.column} {s.value} ({s.present} of {s.images})" for s in shown),
        ],
        fontsize=8,
    )
    axes.grid(visible=True, axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("AUC with 95 % bootstrap interval (images with the class of all)")
    axes.set_title(one.name, fontsize=9)
    return figure_png(figure)


def _draw_class(
    axes: Axes,
    one: ClassFigures,
    curve: tuple[FloatVector, FloatVector],
    readers: list[ReaderComparison],
) -> None:
    axes.plot(*curve, color=ACCENT, linewidth=1.6, label="model")
    test = one.decided
    axes.plot(
        1 - test.specificity.value,
        test.sensitivity.value,
        "o",
        color="white",
        markeredgecolor=INK,
        markersize=7,
        label="model's decisions",
    )
    for number, found in enumerate(readers):
        axes.plot(
            1 - found.point.specificity,
            found.point.sensitivity,
            READER_MARKERS[number % len(READER_MARKERS)],
            color=LINE_COLORS[(3, 1, 4, 2)[number % 4]],
            markeredgecolor=INK,
            markeredgewidth=0.6,
            markersize=6,
            label=found.point.reader,
        )


def _zoomed(axes: Axes) -> Axes:
    """Corner of a high sensitivity and specificity, drawn again below."""
    inset = axes.inset_axes((0.42, 0.1, 0.54, 0.54))
    inset.set_autoscale_on(False)
    inset.set_xlim(-0.005, ZOOM)
    inset.set_ylim(1 - ZOOM, 1.005)
    inset.tick_params(labelsize=7)
    inset.grid(visible=True, color=GRID, linewidth=0.6)
    axes.indicate_inset_zoom(inset, edgecolor=QUIET)
    return inset


def _label_roc(axes: Axes) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    axes.set_xlabel("1 – specificity (share of images without the class)")
    axes.set_ylabel("sensitivity (share of images with the class)")
