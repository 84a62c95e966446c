"""Summary plots of a cohort: distributions, thickness by age and sex, eyes over time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from RetinaTriageLib.cohort.cohort_rows import (
    CONDITION_PREFIX,
    CST,
    REFERRAL_PREFIX,
    CohortRow,
    CohortRows,
    read_cohort,
    title_of,
)
from RetinaTriageLib.cohort.plot_shapes import (
    QUIET,
    SERIES_COLORS,
    TICK_POINTS,
    draw_dots,
    draw_histogram,
    known,
    label_axes,
    referral_color,
)
from RetinaTriageLib.cohort.visits import repeated_eyes
from RetinaTriageLib.tissues import TISSUES, TissueGroup
from RetinaTriageLib.writers.report_file import whole_file

PLOTS_FOLDER = "plots"
SIZE_INCHES, DPI = (5.6, 3.6), 110
LESIONS = tuple(
    tissue for tissue in TISSUES if tissue.group in (TissueGroup.FLUID, TissueGroup.PED)
)
CST_LABEL = "Central subfield thickness (µm)"
DAYS_A_YEAR = 365.25

Draw = Callable[[Axes, CohortRows], bool]
"""Draws a plot; False where the table holds nothing to draw."""


def write_plots(out_dir: Path) -> tuple[Path, ...]:
    """Write the summary plots of a cohort as ``plots/*.png``; returns their paths.

    A plot that the table holds nothing for is not written, and an earlier one is removed.

    Raises
    ------
    InputError
        If the folder holds no table of a cohort.
    OutputError
        If a plot cannot be written.
    """
    cohort = read_cohort(out_dir)
    folder = out_dir / PLOTS_FOLDER
    folder.mkdir(exist_ok=True)
    for name, (_title, draw) in PLOTS.items():
        figure = Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        axes.tick_params(labelsize=TICK_POINTS)
        axes.spines[["top", "right"]].set_visible(False)
        if draw(axes, cohort):
            with whole_file(folder / name) as unfinished:
                figure.savefig(unfinished, format="png", metadata={"Software": None})
        else:
            (folder / name).unlink(missing_ok=True)
    return tuple(path for path, _title in plot_files(out_dir))


def plot_files(out_dir: Path) -> tuple[tuple[Path, str], ...]:
    """List the plots that lie in a cohort's folder, with their titles."""
    found = ((out_dir / PLOTS_FOLDER / name, title) for name, (title, _draw) in PLOTS.items())
    return tuple((path, title) for path, title in found if path.is_file())


def _central_thickness(axes: Axes, cohort: CohortRows) -> bool:
    return draw_histogram(axes, cohort, CST, CST_LABEL)


def _disagreement(axes: Axes, cohort: CohortRows) -> bool:
    return draw_histogram(axes, cohort, "disagreement", "Disagreement")


def _volumes(axes: Axes, cohort: CohortRows) -> bool:
    volumes = {one.title: known(cohort.rows, f"volume_{one.name}_nl") for one in LESIONS}
    drawn = draw_dots(axes, volumes)
    label_axes(axes, "Volume in the scan (nl), logarithmic from 1 nl")
    axes.set_xscale("symlog", linthresh=1.0, linscale=0.5)
    axes.xaxis.set_major_formatter(ScalarFormatter())
    most = max((values.max() for values in volumes.values() if values.size), default=1.0)
    axes.set_xlim(-0.1, max(10.0, 1.5 * most))
    return drawn


def _referral_scores(axes: Axes, cohort: CohortRows) -> bool:
    return _scores(axes, cohort, cohort.referrals, REFERRAL_PREFIX)


def _condition_scores(axes: Axes, cohort: CohortRows) -> bool:
    return _scores(axes, cohort, cohort.conditions, CONDITION_PREFIX)


def _scores(axes: Axes, cohort: CohortRows, names: Sequence[str], prefix: str) -> bool:
    axes.set_xlim(-0.02, 1.02)
    label_axes(axes, "Score")
    return draw_dots(axes, {title_of(name): known(cohort.rows, prefix + name) for name in names})


def _by_age_and_sex(axes: Axes, cohort: CohortRows) -> bool:
    """Draw thickness over the age, a color a sex; by sex alone where no age is given."""
    rows = [row for row in cohort.rows if math.isfinite(row.number(CST))]
    aged = [row for row in rows if math.isfinite(row.number("age"))]
    sexes = sorted({row.text("sex") for row in rows} - {""})
    if not aged:
        label_axes(axes, CST_LABEL)
        return draw_dots(axes, {sex: known(_of_sex(rows, sex), CST) for sex in sexes})
    for at, sex in enumerate([*sexes, ""]):
        chosen = _of_sex(aged, sex)
        if chosen:
            axes.plot(
                known(chosen, "age"),
                known(chosen, CST),
                "o",
                ms=4,
                alpha=0.6,
                mew=0,
                color=SERIES_COLORS[at % len(SERIES_COLORS)] if sex else QUIET,
                label=f"{sex or 'not given'} ({len(chosen)})",
            )
    label_axes(axes, "Age (years)", CST_LABEL)
    axes.legend(fontsize=TICK_POINTS, frameon=False)
    return True


def _of_sex(rows: Sequence[CohortRow], sex: str) -> list[CohortRow]:
    return [row for row in rows if row.text("sex") == sex]


def _over_time(axes: Axes, cohort: CohortRows) -> bool:
    """Draw a line an eye, over the years since its first visit."""
    drawn = 0
    for eye in repeated_eyes(cohort.rows):
        visits = [
            (day / DAYS_A_YEAR, row.number(CST), referral_color(cohort.urgency(row)))
            for day, row in zip(eye.days, eye.rows, strict=True)
            if math.isfinite(row.number(CST))
        ]
        if len(visits) > 1:
            years, um, colors = zip(*visits, strict=True)
            axes.plot(years, um, "-", lw=1, alpha=0.5, color=QUIET)
            axes.scatter(years, um, s=14, c=list(colors), zorder=3, linewidths=0)
            drawn += 1
    label_axes(axes, "Years since the first visit; dots colored by referral", CST_LABEL)
    return drawn > 0


PLOTS: Mapping[str, tuple[str, Draw]] = {
    "central_thickness.png": ("Central subfield thickness, by referral", _central_thickness),
    "volumes.png": ("Volumes of fluid and PED; a dot is a case", _volumes),
    "referral_scores.png": ("Referral scores; a dot is a case", _referral_scores),
    "condition_scores.png": ("Condition scores; a dot is a case", _condition_scores),
    "disagreement.png": ("Disagreement, by referral", _disagreement),
    "thickness_by_age.png": ("Central subfield thickness by age and sex", _by_age_and_sex),
    "over_time.png": ("Eyes seen more than once", _over_time),
}
"""File name to title and what draws it."""
