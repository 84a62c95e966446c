"""Plots of an evaluation as embeddable PNG: Dice bars, Bland-Altman, ROC, confusion matrix."""

from __future__ import annotations

import numpy as np

from RetinaTriageLib.evaluation.classification_scores import UNKNOWN, HeadAnswers, HeadScores
from RetinaTriageLib.evaluation.evaluation import MapEvaluation
from RetinaTriageLib.evaluation.figures import (
    ACCENT,
    GRID,
    INK,
    LINE_COLORS,
    QUIET,
    draw_counts,
    figure_png,
    plain_figure,
    tissue_color,
    tissue_title,
)
from RetinaTriageLib.evaluation.proportions import roc_auc, roc_curve

LIMITS_OF_AGREEMENT = 1.96  # times the standard deviation, Bland and Altman, Lancet 1986


def dice_bars(consensus: MapEvaluation, members: tuple[MapEvaluation, ...]) -> str:
    """Pooled Dice of every tissue: the consensus as bar, the members as marks."""
    figure, axes = plain_figure(9.0, 4.6)
    shown = [overlap for overlap in consensus.pooled if np.isfinite(overlap.dice)]
    places = np.arange(len(shown))[::-1]
    axes.barh(
        places,
        [overlap.dice for overlap in shown],
        color=[tissue_color(o.name) for o in shown],
        edgecolor=INK,
        linewidth=0.6,
        label="consensus",
    )
    for number, member in enumerate(members):
        values = [next(o.dice for o in member.pooled if o.name == of.name) for of in shown]
        axes.plot(
            values,
            places,
            "o",
            color="white",
            markeredgecolor=INK,
            markersize=4,
            clip_on=False,
            label="members" if number == 0 else None,
        )
    axes.set_yticks(places, [tissue_title(overlap.name) for overlap in shown])
    axes.set_xlim(0, 1)
    axes.set_xlabel("Dice, voxels of all cases pooled")
    axes.grid(visible=True, axis="x", color=GRID)
    axes.set_axisbelow(True)
    if members:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=8, frameon=False)
    return figure_png(figure)


def volume_bland_altman(consensus: MapEvaluation, name: str) -> str | None:
    """Bland-Altman plot of one tissue's volume; None where fewer than two cases tell it."""
    pairs = np.array([of_case.volume_nl(name) for of_case in consensus.maps])
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if len(pairs) < 2:
        return None
    mean, difference = pairs.mean(axis=1), pairs[:, 1] - pairs[:, 0]
    figure, axes = plain_figure(4.6, 3.5)
    axes.plot(mean, difference, "o", color=ACCENT, markersize=4, alpha=0.8)
    bias, spread = difference.mean(), difference.std(ddof=1) * LIMITS_OF_AGREEMENT
    axes.axhline(bias, color=INK, linewidth=1.2)
    for limit in (bias - spread, bias + spread):
        axes.axhline(limit, color=QUIET, linewidth=1, linestyle="--")
    axes.set_title(
        f"{tissue_title(name)}: bias {bias:.4g} nl,\nlimits of agreement {bias - spread:.4g} to "
        f"{bias + spread:.4g} nl",
        fontsize=9,
    )
    axes.set_xlabel("mean of truth and consensus, nl")
    axes.set_ylabel("consensus minus truth, nl")
    return figure_png(figure)


def roc_plot(answers: HeadAnswers) -> str | None:
    """ROC curves of the ensemble's raw scores; None where no outcome has cases of both kinds."""
    figure, axes = plain_figure(4.9, 4.6)
    drawn = 0
    for index, outcome in enumerate(answers.head.outcomes):
        known = answers.truth[:, index] != UNKNOWN
        raw, present = answers.raw[known, index], answers.truth[known, index] == 1
        if present.all() or not present.any():
            continue
        false, true = roc_curve(raw, present)
        axes.plot(
            false,
            true,
            color=LINE_COLORS[drawn % len(LINE_COLORS)],
            linestyle="-" if drawn < len(LINE_COLORS) else "--",
            label=f"{outcome.title} {roc_auc(raw, present):.3f}",
        )
        drawn += 1
    if not drawn:
        return None
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    axes.set_title(f"{answers.head.title}: ROC curves with AUC", fontsize=9)
    axes.set_xlabel("1 – specificity")
    axes.set_ylabel("sensitivity")
    axes.legend(loc="lower right", fontsize=7)
    return figure_png(figure)


def confusion_plot(scores: HeadScores, title: str) -> str | None:
    """Confusion matrix of an exclusive head; None for other heads."""
    if scores.exclusive is None:
        return None
    counts = scores.exclusive.confusion
    names = [outcome.name.replace("_", " ") for outcome in scores.outcomes]
    figure, axes = plain_figure(4.6, 4.0)
    draw_counts(axes, counts, names)
    error = scores.exclusive.error
    axes.set_title(
        f"{title}: error {error.value:.1%} ({error.low:.1%} to {error.high:.1%})", fontsize=9
    )
    return figure_png(figure)
