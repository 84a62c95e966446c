"""The figure of `compare`: real B-scans and phantoms side by side, with their statistics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from RetinaTriageLib.training.phantom_realism import Comparison, Sight
from RetinaTriageLib.training.picture_statistics import (
    LAGS,
    LEVELS,
    PROFILE_UM,
    REGIONS,
    PictureStatistics,
    known_deviation,
    known_mean,
)
from RetinaTriageLib.volume import FloatArray, LabelArray

PICTURES = 4  # of either kind
COLORS = {"real": "#1f4e79", "phantom": "#d2691e"}


def draw_comparison(comparison: Comparison, path: Path) -> None:
    """Write the figure as PNG."""
    figure = Figure(figsize=(18, 15), layout="constrained")
    FigureCanvasAgg(figure)
    halves = figure.add_gridspec(2, 1, height_ratios=(1.25, 1.0))
    shown = figure.add_subfigure(halves[0]).subplots(2, PICTURES)
    for row, (kind, sight) in zip(shown, _kinds(comparison), strict=True):
        for axes, image in zip(row, _chosen(sight), strict=False):
            axes.imshow(image, cmap="gray", vmin=0, vmax=255, aspect="auto")
            axes.set_title(f"{kind}: {comparison.name}" if kind == "real" else kind, fontsize=10)
        for axes in row:
            axes.set_axis_off()
    upper, lower = figure.add_subfigure(halves[1]).subplots(2, 3)
    statistics = {kind: sight.statistics for kind, sight in _kinds(comparison)}
    _draw_profile(upper[0], statistics)
    _draw_histogram(upper[1], statistics)
    _draw_regions(upper[2], "gray", {k: s.region_gray for k, s in statistics.items()})
    _draw_regions(lower[0], "contrast", {k: s.region_contrast for k, s in statistics.items()})
    _draw_correlation(lower[1], "lateral", {k: s.lateral for k, s in statistics.items()})
    _draw_correlation(lower[2], "axial", {k: s.axial for k, s in statistics.items()})
    figure.savefig(path, format="png", dpi=80)


def _kinds(comparison: Comparison) -> tuple[tuple[str, Sight], ...]:
    return (("real", comparison.real), ("phantom", comparison.phantom))


def _chosen(sight: Sight) -> Sequence[LabelArray]:
    """Choose a few B-scans spread over all."""
    count = min(PICTURES, len(sight.images))
    picked = (np.arange(count) + 0.5) * len(sight.images) / count
    return [sight.images[int(index)] for index in picked]


def _draw_profile(axes: Axes, statistics: dict[str, PictureStatistics]) -> None:
    for kind, measured in statistics.items():
        mean, spread = known_mean(measured.profile), known_deviation(measured.profile)
        axes.plot(PROFILE_UM, mean, color=COLORS[kind], label=kind)
        axes.fill_between(PROFILE_UM, mean - spread, mean + spread, color=COLORS[kind], alpha=0.15)
    axes.set(title="Mean depth profile (band: one SD between B-scans)", ylabel="display gray")
    axes.set_xlabel("depth below the outer edge of the RPE, µm")
    axes.legend()


def _draw_histogram(axes: Axes, statistics: dict[str, PictureStatistics]) -> None:
    gray = (np.arange(LEVELS) + 0.5) / LEVELS
    for kind, measured in statistics.items():
        axes.semilogy(gray, measured.histogram, color=COLORS[kind], label=kind, drawstyle="steps")
    axes.set(title="Gray histogram", xlabel="display gray", ylabel="share of the pixels")
    axes.legend()


def _draw_regions(axes: Axes, what: str, values: dict[str, FloatArray]) -> None:
    for shift, (kind, measured) in zip((-0.2, 0.2), values.items(), strict=True):
        axes.bar(
            np.arange(len(REGIONS)) + shift,
            known_mean(measured),
            0.4,
            yerr=known_deviation(measured),
            color=COLORS[kind],
            label=kind,
        )
    axes.set_xticks(np.arange(len(REGIONS)), REGIONS, rotation=20, fontsize=8)
    titles = {"gray": "Mean gray by region", "contrast": "Contrast (SD / mean) by region"}
    axes.set_title(f"{titles[what]} (bar: one SD between B-scans)")
    axes.legend()


def _draw_correlation(axes: Axes, way: str, values: dict[str, dict[str, FloatArray]]) -> None:
    for kind, patches in values.items():
        for (patch, measured), style in zip(patches.items(), ("-", "--"), strict=True):
            curve = known_mean(measured)
            axes.plot(LAGS, curve, style, color=COLORS[kind], label=f"{kind}, {patch}")
    axes.axhline(0, color="gray", linewidth=0.5)
    axes.set(title=f"{way.capitalize()} autocorrelation of the texture", xlabel="lag, px")
    axes.legend()
