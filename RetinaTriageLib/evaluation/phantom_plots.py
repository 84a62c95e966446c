"""Plots over several scanners: Dice, AUC with intervals, and the ensemble among its members."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from RetinaTriageLib.evaluation.ensemble_gain import Gain
from RetinaTriageLib.evaluation.evaluation import Evaluation
from RetinaTriageLib.evaluation.figures import (
    ACCENT,
    GRID,
    INK,
    LINE_COLORS,
    QUIET,
    figure_png,
    plain_figure,
    tissue_color,
    tissue_title,
)
from RetinaTriageLib.outcomes import CONDITIONS

MARKERS = ("o", "s", "^", "D", "v")


def scanner_dice_plot(pooled: Evaluation, scanners: Mapping[str, Evaluation]) -> str | None:
    """Pooled Dice of every tissue: all scanners as bar, each as mark; None without labels."""
    if pooled.consensus is None:
        return None
    shown = [overlap for overlap in pooled.consensus.pooled if overlap.truth_voxels]
    places = np.arange(len(shown))[::-1]
    figure, axes = plain_figure(9.0, 5.0)
    axes.barh(
        places,
        [overlap.dice for overlap in shown],
        color=[tissue_color(overlap.name) for overlap in shown],
        edgecolor=INK,
        linewidth=0.6,
        alpha=0.75,
        label="all scanners",
    )
    for number, (scanner, evaluation) in enumerate(scanners.items()):
        assert evaluation.consensus is not None
        dice = {
            overlap.name: overlap.dice if overlap.truth_voxels else math.nan
            for overlap in evaluation.consensus.pooled
        }
        axes.plot(
            [dice[overlap.name] for overlap in shown],
            places,
            MARKERS[number % len(MARKERS)],
            color=LINE_COLORS[number % len(LINE_COLORS)],
            markeredgecolor="white",
            markersize=7,
            clip_on=False,
            label=scanner,
        )
    axes.set_yticks(places, [tissue_title(overlap.name) for overlap in shown])
    axes.set_xlim(0, 1)
    axes.set_xlabel("Dice of the consensus, voxels of all eyes pooled")
    axes.grid(visible=True, axis="x", color=GRID)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", ncols=1 + len(scanners), fontsize=8, frameon=False)
    return figure_png(figure)


def condition_auc_plot(pooled: Evaluation, scanners: Mapping[str, Evaluation]) -> str | None:
    """AUC of every condition with its interval, and by scanner; None without answers."""
    if CONDITIONS.name not in pooled.answers:
        return None
    areas = {name: _areas(evaluation) for name, evaluation in scanners.items()}
    assert pooled.ensemble is not None
    outcomes = [
        outcome
        for outcome in pooled.ensemble.of(CONDITIONS.name).outcomes
        if math.isfinite(outcome.auc)
    ]
    titles = {outcome.name: outcome.title for outcome in CONDITIONS.outcomes}
    places = np.arange(len(outcomes))[::-1]
    figure, axes = plain_figure(9.0, 4.2)
    for place, outcome in zip(places, outcomes, strict=True):
        if outcome.auc_interval is not None:
            interval = outcome.auc_interval
            axes.plot([interval.low, interval.high], [place, place], color=INK, linewidth=1.6)
    axes.plot(
        [outcome.auc for outcome in outcomes],
        places,
        "|",
        color=INK,
        markersize=14,
        markeredgewidth=2.2,
        label="all scanners, 95 % interval",
    )
    for number, (scanner, of_scanner) in enumerate(areas.items()):
        axes.plot(
            [of_scanner.get(outcome.name, math.nan) for outcome in outcomes],
            places + 0.22,
            MARKERS[number % len(MARKERS)],
            color=LINE_COLORS[number % len(LINE_COLORS)],
            markersize=5,
            clip_on=False,
            label=scanner,
        )
    axes.set_yticks(places, [titles[outcome.name] for outcome in outcomes])
    axes.set_xlabel("AUC of the ensemble's raw scores")
    axes.set_xlim(right=1.0)
    axes.grid(visible=True, axis="x", color=GRID)
    figure.legend(loc="outside upper center", ncols=1 + len(areas), fontsize=8, frameon=False)
    return figure_png(figure)


def gain_plot(gain: Gain) -> str | None:
    """Values of all members and of the ensemble on one line; None where they are not known."""
    if not gain.best:
        return None
    values: Sequence[float] = [v for v in gain.members.values() if math.isfinite(v)]
    figure, axes = plain_figure(4.7, 1.5)
    axes.plot(values, np.zeros(len(values)), "o", color=QUIET, alpha=0.6, label="members")
    axes.plot(
        [gain.ensemble], [0], "D", color=ACCENT, markersize=9, clip_on=False, label="ensemble"
    )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_title(
        f"{gain.measure} ({'more' if gain.more_is_better else 'less'} is better)", fontsize=9
    )
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure_png(figure)


def _areas(evaluation: Evaluation) -> Mapping[str, float]:
    if evaluation.ensemble is None or CONDITIONS.name not in evaluation.answers:
        return {}
    return {o.name: o.auc for o in evaluation.ensemble.of(CONDITIONS.name).outcomes}
