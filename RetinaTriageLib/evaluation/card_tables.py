"""Tables of a model card in Markdown, from the JSON that `retina-triage evaluate` prints.

Every figure comes out of such a file; what was not measured is called so. A goal is stated beside
its figure, and whether the figure reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from RetinaTriageLib.tissues import TISSUES

Facts = Mapping[str, Any]

UNKNOWN = "–"


@dataclass(frozen=True)
class Goal:
    """What a figure should reach: at least, or at most, a limit."""

    limit: float
    at_least: bool

    def verdict(self, value: float | None, digits: int) -> str:
        """Whether the value reaches the goal, or by how much it misses.

        Examples
        --------
        >>> Goal(0.9, at_least=True).verdict(0.85, 2)
        'at least 0.9: missed by 0.05'
        """
        sign = "at least" if self.at_least else "at most"
        stated = f"{sign} {self.limit:g}"
        if value is None:
            return f"{stated}: not measured"
        gap = self.limit - value if self.at_least else value - self.limit
        if gap <= 0:
            return f"{stated}: reached"
        return f"{stated}: missed by {gap:.{digits}f}"


MEAN_DICE, LOWEST_DICE = Goal(0.90, at_least=True), Goal(0.75, at_least=True)
FLUID_PERCENT, CST_UM = Goal(5, at_least=False), Goal(3, at_least=False)
REFERRAL_PERCENT, LOWEST_AUC = Goal(5.5, at_least=False), Goal(0.96, at_least=True)
DUKE_DICE, DUKE_CORRELATION = Goal(0.70, at_least=True), Goal(0.9, at_least=True)
FALSE_FLUID_NL, LINE_PX = Goal(0.5, at_least=False), Goal(2, at_least=False)
HEALTHY_UM, OTHER_UM = Goal(4, at_least=False), Goal(10, at_least=False)


def phantom_table(facts: Facts) -> str:
    """Phantoms: a column for each scanner, all together first, and the goals."""
    sets: Mapping[str, Facts] = facts["sets"]
    rows: list[list[str]] = []
    for title, values, digits, goal in _phantom_figures(list(sets.values())):
        verdict = goal.verdict(values[0], digits) if goal else ""
        rows.append([title, *(figure(value, digits) for value in values), verdict])
    rows += _referral_rows(list(sets.values()))
    first, last = facts["seeds"]
    bscans = ", ".join(f"{name} {count}" for name, count in facts["bscans"].items())
    lead = f"Seeds {first} to {last}; B-scans of an eye: {bscans}.\n\n"
    return lead + markdown(["", *sets, "goal, all"], rows)


def dice_table(facts: Facts) -> str:
    """Phantoms: Dice and IoU pooled over voxels, and mean Dice over the eyes with the tissue."""
    sets: Mapping[str, Facts] = facts["sets"]
    rows = []
    for name in (tissue.name for tissue in TISSUES):
        cells = []
        for of_set in sets.values():
            found = consensus(of_set)["tissues"][name]
            if not found["truth_voxels"]:
                cells.append("in no eye")
                continue
            pooled = f"{figure(found['dice'], 3)} / {figure(found['iou'], 3)}"
            eyes = f"{figure(found['mean_case_dice'], 3)} in {found['cases_with_it']}"
            cells.append(f"{pooled}; {eyes}")
        rows.append([name, *cells])
    return markdown(["Dice / IoU pooled; mean Dice in eyes", *sets], rows)


def auc_table(facts: Facts) -> str:
    """Phantoms: AUC of every condition with interval, and how many eyes have it."""
    sets: Mapping[str, Facts] = facts["sets"]
    pooled = answers(sets["all"], "conditions")["outcomes"]
    rows = []
    for name in pooled:
        outcomes = [answers(of_set, "conditions")["outcomes"][name] for of_set in sets.values()]
        cells = []
        for found in outcomes:
            ends = found["auc_interval_95"] or [None, None]
            between = f" ({figure(ends[0], 3)} to {figure(ends[1], 3)})"
            eyes = found["sensitivity"]["total"]
            known = found["auc"] is not None
            cells.append(figure(found["auc"], 3) + (between if known else "") + f", {eyes} with it")
        rows.append([name, *cells, LOWEST_AUC.verdict(outcomes[0]["auc"], 3)])
    return markdown(["AUC (95 %)", *sets, "goal, all"], rows)


def confusion_table(facts: Facts) -> str:
    """Phantoms: referral decided by actual referral, all scanners."""
    referral = answers(facts["sets"]["all"], "referral")
    names = list(referral["outcomes"])
    rows = [
        [name, *map(str, counts)] for name, counts in zip(names, referral["confusion"], strict=True)
    ]
    return markdown(["actual \\ decided", *names], rows)


def gain_table(facts: Facts) -> str:
    """Phantoms: the ensemble against its best single member, all scanners."""
    rows = [
        [
            gain["measure"],
            figure(gain["ensemble"], 4),
            f"{figure(gain['best'], 4)} ({gain['best_member']})",
            str(len(gain["members"])),
            gain["verdict"],
        ]
        for gain in facts["sets"]["all"]["gains"]
    ]
    return markdown(["", "ensemble", "best member", "members", "ensemble is"], rows)


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


def figure(value: float | None, digits: int) -> str:
    """Value with a fixed number of digits; a dash where it is not known."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown table.

    Examples
    --------
    >>> print(markdown(["a", "b"], [["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    <BLANKLINE>
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(_markdown_row(line) for line in lines) + "\n"


def consensus(of_set: Facts) -> Facts:
    """Segmentation figures of the consensus."""
    found: Facts = of_set["segmentation"][-1]
    return found


def answers(of_set: Facts, head: str) -> Facts:
    """Figures of one head of the ensemble."""
    found: Facts = of_set["classification"][-1]["heads"][head]
    return found


def _phantom_figures(
    sets: Sequence[Facts],
) -> Iterator[tuple[str, list[float | None], int, Goal | None]]:
    maps = [consensus(of_set) for of_set in sets]
    yield "eyes", [len(of_set["cases"]) for of_set in sets], 0, None
    yield "mean Dice of the tissues there", [m["mean_dice"] for m in maps], 3, MEAN_DICE
    yield "lowest Dice of a tissue", [_lowest_dice(m) for m in maps], 3, LOWEST_DICE
    yield "pixel accuracy", [m["pixel_accuracy"] for m in maps], 4, None
    for key, unit, digits, goal in (
        ("median_volume_error_percent", "%", 1, FLUID_PERCENT),
        ("median_volume_error_nl", "nl", 2, None),
    ):
        for name in ("fluid", "intraretinal_fluid", "subretinal_fluid", "serous_ped"):
            title = f"volume error {name}, median, {unit}"
            of_fluid = goal if name == "fluid" else None
            yield title, [m["tissues"][name][key] for m in maps], digits, of_fluid
    for name in ("ilm", "inner_rpe", "bruch"):
        values = [m["surfaces"][name]["mean_absolute_um"] for m in maps]
        yield f"distance of {name}, mean, µm", values, 1, None
    yield "CST error, median, µm", [m["median_cst_error_um"] for m in maps], 1, CST_UM
    penalties = [answers(of_set, "referral")["mean_penalty"] for of_set in sets]
    yield "referral penalty of an eye, mean", penalties, 3, None


def _referral_rows(sets: Sequence[Facts]) -> Iterator[list[str]]:
    errors = [answers(of_set, "referral")["error"] for of_set in sets]
    cells = []
    for error in errors:
        value, (low, high) = error["value"], error["interval_95"]
        percents = [None if share is None else 100 * share for share in (value, low, high)]
        shown = [figure(percent, 1) for percent in percents]
        counts = f"{error['count']} of {error['total']}"
        cells.append(f"{shown[0]} ({shown[1]} to {shown[2]}), {counts}")
    value = errors[0]["value"]
    verdict = REFERRAL_PERCENT.verdict(None if value is None else 100 * value, 1)
    yield ["referral error, % (exact 95 %)", *cells, verdict]


def _lowest_dice(of_map: Facts) -> float | None:
    tissues = {tissue.name for tissue in TISSUES}
    found = [
        overlap["dice"]
        for name, overlap in of_map["tissues"].items()
        if name in tissues and overlap["truth_voxels"] and overlap["dice"] is not None
    ]
    return min(found, default=None)


def _markdown_row(cells: Sequence[str]) -> str:
    if set(cells) == {"---"}:
        return "|" + "|".join(cells) + "|"
    return "| " + " | ".join(cells) + " |"
