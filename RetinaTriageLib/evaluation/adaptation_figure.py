"""The figure of an adaptation study: one eye in pictures, referral errors and Dice by tissue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from RetinaTriageLib.evaluation.adaptation_report import referral, shown_overlaps
from RetinaTriageLib.evaluation.adaptation_study import CONDITIONS, StudyResult
from RetinaTriageLib.evaluation.contact_sheet import as_rgb, overlay
from RetinaTriageLib.evaluation.evaluation import CasePicture
from RetinaTriageLib.evaluation.figures import GRID, INK, LINE_COLORS, tissue_title

COLORS = dict(zip(CONDITIONS, (LINE_COLORS[0], LINE_COLORS[3], LINE_COLORS[2]), strict=True))


def draw_study(result: StudyResult, path: Path) -> None:
    """Write the figure as PNG."""
    figure = Figure(figsize=(13.5, 8.6), layout="constrained")
    FigureCanvasAgg(figure)
    halves = figure.add_gridspec(2, 1, height_ratios=(1.0, 1.35))
    _draw_pictures(figure.add_subfigure(halves[0]).subplots(1, 5), result)
    errors, dice = figure.add_subfigure(halves[1]).subplots(1, 2, width_ratios=(1.0, 2.4))
    _draw_errors(errors, result)
    _draw_dice(dice, result)
    figure.suptitle(
        f"{result.evaluations[0].bundle.name}: {len(result.evaluations[0].cases)} phantom eyes, "
        f"{result.study.device.title}",
        fontsize=11,
    )
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})


def typical_eye(result: StudyResult) -> int:
    """Find the eye whose gain of mean Dice is the median, of those with pictures."""
    _, before, after = result.results
    gains = np.array(
        [new.scores(-1).dice - old.scores(-1).dice for old, new in zip(before, after, strict=True)]
    )
    return int(np.argsort(gains, kind="stable")[(len(gains) - 1) // 2])


def _draw_pictures(row: np.ndarray[tuple[int], np.dtype[np.object_]], result: StudyResult) -> None:
    number = typical_eye(result)
    known, before, after = (of_condition[number].picture for of_condition in result.results)
    shown: list[tuple[str, CasePicture | None, str]] = [
        ("known scanner", known, "gray"),
        ("new scanner", before, "gray"),
        ("truth", before, "truth"),
        ("map before adaptation", before, "map"),
        ("map after adaptation", after, "map"),
    ]
    for axes, (title, picture, kind) in zip(row, shown, strict=True):
        axes.set_axis_off()
        axes.set_title(title, fontsize=9)
        if picture is None:
            continue
        dim = (picture.gray // 2).astype(np.uint8)
        pixels = {
            "gray": as_rgb(picture.gray),
            "truth": overlay(dim, picture.codes),
            "map": overlay(dim, picture.predicted),
        }[kind]
        axes.imshow(pixels, aspect="auto", interpolation="nearest")


def _draw_errors(axes: Axes, result: StudyResult) -> None:
    for place, (condition, evaluation) in enumerate(
        zip(CONDITIONS, result.evaluations, strict=True)
    ):
        error = referral(evaluation).error
        value = 100 * error.value
        reach = [[value - 100 * error.low], [100 * error.high - value]]
        axes.bar(place, value, 0.6, color=COLORS[condition])
        axes.errorbar(place, value, yerr=reach, color=INK, capsize=4, linewidth=1.2)
        axes.text(place + 0.06, value, f" {value:.1f} %", fontsize=9, va="bottom")
    axes.set_xticks(range(3), [condition.replace(", ", ",\n") for condition in CONDITIONS])
    axes.set_ylim(0, 105)
    axes.set_title("Referral error, exact 95 % interval", fontsize=10)
    axes.set_ylabel("% of the eyes")
    _plain(axes, "y")


def _draw_dice(axes: Axes, result: StudyResult) -> None:
    rows = list(shown_overlaps(result))
    places = np.arange(len(rows))[::-1]
    for place, overlaps in zip(places, rows, strict=True):
        values = [overlap.dice for overlap in overlaps]
        axes.plot([values[1], values[2]], [place, place], color=GRID, linewidth=3, zorder=1)
    for number, condition in enumerate(CONDITIONS):
        axes.plot(
            [overlaps[number].dice for overlaps in rows],
            places,
            "D" if number == 0 else "o",
            color=COLORS[condition],
            markersize=6 if number else 5,
            label=condition,
        )
    axes.set_yticks(places, [tissue_title(overlaps[0].name) for overlaps in rows])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("Dice, voxels of all eyes pooled")
    axes.set_title("Tissue maps", fontsize=10, loc="left")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=8, frameon=False)
    _plain(axes, "x")


def _plain(axes: Axes, grid: str) -> None:
    axes.tick_params(labelsize=8)
    axes.grid(visible=True, axis="x" if grid == "x" else "y", color=GRID)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
