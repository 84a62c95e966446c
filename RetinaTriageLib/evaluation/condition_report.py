"""Figures of one condition on pictures: text, JSON, a table and a plot in a new folder."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from RetinaTriageLib.evaluation.condition_check import ConditionCheck
from RetinaTriageLib.evaluation.figures import ACCENT, GRID, QUIET, plain_figure
from RetinaTriageLib.evaluation.numbers import finite_or_none
from RetinaTriageLib.evaluation.proportions import Proportion, roc_curve
from RetinaTriageLib.evaluation.report_text import number, percent
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.writers.whole_folder import write_whole_folder

JSON_FILE, TABLE_FILE, PLOT_FILE = "condition.json", "pictures.csv", "roc.png"


def condition_text(check: ConditionCheck) -> str:
    """AUC with intervals, and the decisions, for a terminal."""
    blocks = len(set(check.blocks))
    lines = [
        f"{check.condition}: {len(check.truth)} pictures, {int(check.truth.sum())} with the answer "
        f"yes; intervals by {blocks} blocks of neighbors",
        f"  AUC of the score           {_auc(check, check.scores, check.auc)}",
        f"  AUC of the share of fluid  {_auc(check, check.fluid, check.fluid_auc)}",
        f"  sensitivity                {percent(check.sensitivity)}",
        f"  specificity                {percent(check.specificity)}",
    ]
    return "\n".join(lines) + "\n"


def condition_json(check: ConditionCheck) -> dict[str, object]:
    """Figures as JSON takes them; None where there is no number."""
    return {
        "condition": check.condition,
        "pictures": len(check.truth),
        "present": int(check.truth.sum()),
        "blocks": len(set(check.blocks)),
        "auc": finite_or_none(check.auc),
        "auc_interval_95": _ends(check, check.scores),
        "fluid_auc": finite_or_none(check.fluid_auc),
        "fluid_auc_interval_95": _ends(check, check.fluid),
        "sensitivity": _share(check.sensitivity),
        "specificity": _share(check.specificity),
        "use": RESEARCH_USE,
    }


def write_condition(check: ConditionCheck, folder: Path) -> None:
    """Write figures, a row for each picture, and the ROC curves.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    facts = json.dumps(condition_json(check), indent=2, ensure_ascii=False, allow_nan=False)

    def fill(partial: Path) -> None:
        (partial / JSON_FILE).write_text(facts + "\n", encoding="utf-8")
        _write_table(check, partial / TABLE_FILE)
        if check.truth.any() and not check.truth.all():
            _write_plot(check, partial / PLOT_FILE)

    write_whole_folder(folder, fill)


def _write_table(check: ConditionCheck, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("picture", "block", "present", "score_raw", "fluid_share_of_retina"))
        for row in zip(
            check.names,
            check.blocks,
            check.truth.astype(int),
            check.scores,
            check.fluid,
            strict=True,
        ):
            writer.writerow(row)


def _write_plot(check: ConditionCheck, path: Path) -> None:
    figure, axes = plain_figure(5.0, 4.8)
    for values, area, title, color in (
        (check.scores, check.auc, f"score of {check.condition.replace('_', ' ')}", ACCENT),
        (check.fluid, check.fluid_auc, "share of fluid in the retina", QUIET),
    ):
        false, true = roc_curve(values, check.truth)
        axes.plot(false, true, color=color, label=f"{title}\nAUC {_auc(check, values, area)}")
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    axes.set_xlabel("1 – specificity")
    axes.set_ylabel("sensitivity")
    axes.set_title(f"{len(check.truth)} pictures, {int(check.truth.sum())} yes", fontsize=9)
    axes.legend(loc="lower right", fontsize=8)
    figure.savefig(path, metadata={"Software": None})


def _auc(check: ConditionCheck, values: npt.NDArray[np.float64], area: float) -> str:
    interval = check.interval(values)
    return f"{number(area)} ({number(interval.low)} to {number(interval.high)})"


def _ends(check: ConditionCheck, values: npt.NDArray[np.float64]) -> list[float | None]:
    interval = check.interval(values)
    return [finite_or_none(interval.low), finite_or_none(interval.high)]


def _share(share: Proportion) -> dict[str, object]:
    return {
        "count": share.count,
        "total": share.total,
        "value": finite_or_none(share.value),
        "interval_95": [finite_or_none(share.low), finite_or_none(share.high)],
    }
