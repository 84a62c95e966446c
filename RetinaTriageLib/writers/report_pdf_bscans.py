"""The verdict of whole-image classifiers on paper: one page, alone or beside the tissue maps."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from RetinaTriageLib.bscan_agreement import Comparison
from RetinaTriageLib.bscan_verdict import BscanVerdict
from RetinaTriageLib.writers.report_bscans import NO_REFERRAL, REFERRAL_TITLES
from RetinaTriageLib.writers.report_curve import COLORS, ticks
from RetinaTriageLib.writers.report_pdf_panels import INK, QUIET

STYLES = ("-", "--", ":", "-.")
LEFT, WIDTH = 0.075, 0.86
CHARACTERS = 118


def draw_bscan_page(
    figure: Figure, verdict: BscanVerdict, comparisons: Sequence[Comparison], said: str
) -> None:
    """Draw sentence, comparison, classes and curve below the head of a page.

    Parameters
    ----------
    said : what opens the page, such as what two verdicts disagree on; may be empty
    """
    y = _lines(figure, 0.89, [("", said)] if said else [], size=9)
    if comparisons:
        y = _lines(figure, y - 0.01, [_question(each) for each in comparisons], size=8)
    scores = [
        (
            each.title,
            f"{verdict.scores[at]:.3f}, most in B-scan {verdict.strongest_bscan(each.name) + 1}"
            f"{', decided' if each.name in verdict.answer.classes else ''}",
        )
        for at, each in enumerate(verdict.task.classes)
    ]
    referral = verdict.answer.referral
    asked = NO_REFERRAL if referral is None else REFERRAL_TITLES[referral]
    y = _lines(figure, y - 0.015, [*scores, ("Referral", asked)], size=8)
    if len(verdict.bscans) > 1:
        axes = figure.add_axes((LEFT + 0.035, y - 0.3, WIDTH - 0.035, 0.27))
        _draw_curve(axes, verdict)
        y -= 0.345
    origin = verdict.origin
    _lines(
        figure,
        y,
        [
            ("Pooling", verdict.pooled_by),
            ("Bundle", f"{origin.bundle_name}, SHA-256 {origin.bundle_sha256}"),
            ("Trained on", origin.trained_on),
            ("For", f"{origin.images} Scores are probabilities, not calibrated."),
            ("Computed", f"{origin.compute}, {origin.seconds:.1f} s"),
            *(("Note", note) for note in origin.notes),
        ],
        size=7.5,
    )


def _question(each: Comparison) -> tuple[str, str]:
    words = "agree" if each.agree else "DIFFER"
    return (
        each.question,
        f"tissue maps: {each.tissue_maps} {each.tissue_maps_score:.2f}; "
        f"B-scan classifier: {each.bscans} {each.bscans_score:.2f}; {words}",
    )


def _lines(figure: Figure, top: float, lines: Sequence[tuple[str, str]], size: float) -> float:
    """Write titles with their sentences; gives the height at which the next may stand."""
    y = top
    for title, sentence in lines:
        left = LEFT + (0.25 if title else 0.0)
        figure.text(LEFT, y, title, fontsize=size, weight="bold", color=INK, va="center")
        for part in textwrap.wrap(sentence, CHARACTERS - (32 if title else 10)) or [""]:
            figure.text(left, y, part, fontsize=size, color=INK, va="center", parse_math=False)
            y -= 0.0155
    return y


def _draw_curve(axes: Axes, verdict: BscanVerdict) -> None:
    count = len(verdict.bscans)
    numbers = np.arange(1, count + 1)
    if verdict.weights is not None:
        tall = 0.3 * verdict.weights / max(float(verdict.weights.max()), 1e-12)
        axes.bar(numbers, tall, 0.7, color="#dfe5ea", label="weight of the B-scan")
    for at, each in enumerate(verdict.task.classes):
        (line,) = axes.plot(numbers, verdict.bscans[:, at], marker="o", ms=2.5, label=each.title)
        line.set(color=COLORS[at % len(COLORS)], linestyle=STYLES[at % len(STYLES)])
    axes.set(xlim=(0.5, count + 0.5), ylim=(-0.02, 1.02), xticks=ticks(count))
    axes.set_xlabel("B-scan", fontsize=7.5, color=QUIET)
    axes.set_ylabel("Probability", fontsize=7.5, color=QUIET)
    axes.tick_params(labelsize=7, colors=QUIET)
    axes.grid(axis="y", color="#dfe3e8", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7, frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0))
