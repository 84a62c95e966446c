"""Tables of a model card on scans of patients, from the JSON that `retina-triage evaluate` prints.

Every figure comes out of such a file; what was not measured is called so. A goal is stated beside
its figure, and whether the figure reaches it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from RetinaTriageLib.evaluation.card_goals import (
    DUKE_CORRELATION,
    DUKE_DICE,
    FALSE_FLUID_NL,
    HEALTHY_UM,
    LINE_PX,
    OTHER_UM,
)
from RetinaTriageLib.evaluation.markdown_table import figure, markdown

Facts = Mapping[str, Any]


def eye_table(facts: Facts) -> str:
    """Spectralis volumes: a row for each eye, and the checks below."""
    rows = []
    for eye in facts["eyes"]:
        goal = HEALTHY_UM if eye["healthy"] else OTHER_UM
        rows.append(
            [
                eye["name"],
                figure(eye["median_absolute_um"], 1),
                figure(eye["worst_absolute_um"], 1),
                figure(eye["total_difference_percent"], 1),
                f"{figure(eye['drusen_score'], 3)} (raw {figure(eye['drusen_raw'], 3)})",
                figure(eye["drusenoid_nl"], 2),
                figure(eye["fluid_nl"], 2),
                eye["referral"],
                goal.verdict(eye["median_absolute_um"], 1),
            ]
        )
    header = [
        *("eye", "median, µm", "worst, µm", "total, %", "drusen score", "drusenoid, nl"),
        *("fluid, nl", "referral", "goal, median"),
    ]
    checks = [
        f"- {'holds' if check['holds'] else '**fails**'}: {check['what']}: {check['found']}"
        for check in facts["checks"]
    ]
    return markdown(header, rows) + "\n" + "\n".join(checks) + "\n"


def line_table(scans: Sequence[Facts]) -> str:
    """Device lines: distance of ILM and Bruch's membrane."""
    rows = [
        [
            scan["name"],
            line,
            f"{figure(found['median_px'], 2)} ({figure(found['median_um'], 1)})",
            f"{figure(found['percentile_95_px'], 2)} ({figure(found['percentile_95_um'], 1)})",
            figure(found["signed_median_px"], 2),
            str(found["compared"]),
            LINE_PX.verdict(found["median_px"], 2),
        ]
        for scan in scans
        for line, found in scan["lines"].items()
    ]
    header = ["scan", "line", "median, px (µm)", "95 %, px (µm)", "signed, px", "A-scans", "goal"]
    return markdown(header, rows)


def fluid_table(facts: Facts) -> str:
    """Fluid beside a grader: all B-scans, then each patient."""
    goals = {
        "pooled_dice": ("Dice, pixels pooled", 3, DUKE_DICE),
        "mean_dice": ("Dice, mean of B-scans with fluid", 3, None),
        "volume_correlation": ("correlation of volume by B-scan", 3, DUKE_CORRELATION),
        "mean_false_fluid_nl": ("false fluid on a B-scan without, nl", 2, FALSE_FLUID_NL),
    }
    rows = [
        [
            title,
            figure(facts[key], digits),
            *(figure(of_patient[key], digits) for of_patient in facts["patients"].values()),
            goal.verdict(facts[key], digits) if goal else "",
        ]
        for key, (title, digits, goal) in goals.items()
    ]
    return markdown(["", "all", *facts["patients"], "goal"], rows)


def condition_lines(facts: Facts) -> str:
    """One condition against a yes-or-no answer, in sentences."""
    low, high = facts["auc_interval_95"]
    fluid_low, fluid_high = facts["fluid_auc_interval_95"]
    return (
        f"{facts['pictures']} pictures, {facts['present']} of them yes, {facts['blocks']} blocks "
        f"of neighbors. AUC of {facts['condition']}: {figure(facts['auc'], 3)} (95 % "
        f"{figure(low, 3)} to {figure(high, 3)}). AUC of the share of fluid in the retina: "
        f"{figure(facts['fluid_auc'], 3)} ({figure(fluid_low, 3)} to {figure(fluid_high, 3)}).\n"
    )
