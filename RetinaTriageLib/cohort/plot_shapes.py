"""Shapes of the summary plots: one row of dots a quantity, and bars of cases by referral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from RetinaTriageLib.cohort.cohort_rows import CohortRow, CohortRows, title_of

INK, QUIET = "#1b2430", "#66707d"
REFERRAL_COLORS = ("#8f1d21", "#a4500a", "#0b5c86", "#46525f")
SERIES_COLORS = ("#0072b2", "#d55e00", "#009e73")  # Okabe and Ito
LABEL_POINTS, TICK_POINTS = 9, 8
BINS = 30
FEW = 100
"""Cases up to which dots are drawn large."""

Values = npt.NDArray[np.float64]


def draw_dots(axes: Axes, quantities: Mapping[str, Values]) -> bool:
    """Draw a row of dots a quantity, a dot a case, with a bar between quartiles and the median.

    Returns False where there is nothing to draw.
    """
    shown = {title: values for title, values in quantities.items() if values.size}
    if not shown:
        return False
    rng = np.random.default_rng(0)  # spreads the dots, the same way every time
    for place, values in enumerate(shown.values()):
        low, middle, high = np.percentile(values, (25, 50, 75))
        axes.hlines(place, low, high, lw=11, color=QUIET, alpha=0.25)
        axes.vlines(middle, place - 0.26, place + 0.26, lw=1.5, color=INK)
        places = place + rng.uniform(-0.2, 0.2, values.size)
        size = 7 if values.size < FEW else 4
        axes.plot(values, places, ".", ms=size, alpha=0.6, color=SERIES_COLORS[0], mew=0)
    axes.set_yticks(range(len(shown)), list(shown), fontsize=TICK_POINTS)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    return True


def draw_histogram(axes: Axes, cohort: CohortRows, column: str, label: str) -> bool:
    """Draw the number of cases by a column, stacked by referral; False where it holds nothing."""
    values = known(cohort.rows, column)
    if not values.size:
        return False
    ranks = sorted({cohort.urgency(row) for row in cohort.rows})
    titles = [*(title_of(name) for name in cohort.referrals), "Unknown"]
    axes.hist(
        [known([r for r in cohort.rows if cohort.urgency(r) == rank], column) for rank in ranks],
        bins=np.histogram_bin_edges(values, BINS).tolist(),
        stacked=True,
        color=[referral_color(rank) for rank in ranks],
        label=[titles[rank] for rank in ranks],
    )
    label_axes(axes, label, "Cases")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=TICK_POINTS, frameon=False)
    return True


def label_axes(axes: Axes, across: str, up: str = "") -> None:
    """Write what the axes show."""
    axes.set_xlabel(across, fontsize=LABEL_POINTS)
    axes.set_ylabel(up, fontsize=LABEL_POINTS)


def known(rows: Sequence[CohortRow], column: str) -> Values:
    """Values of a column where they are numbers."""
    values = np.array([row.number(column) for row in rows], np.float64)
    return values[np.isfinite(values)]


def referral_color(rank: int) -> str:
    """Color of a referral by its rank, the most urgent first."""
    return REFERRAL_COLORS[min(rank, len(REFERRAL_COLORS) - 1)]
