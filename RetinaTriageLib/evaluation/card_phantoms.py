"""Tables of a model card on phantoms, from the JSON of `retina-triage evaluate phantoms`.

Every table has a column for each scanner, all of them together first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from RetinaTriageLib.evaluation.card_goals import (
    CST_UM,
    FLUID_PERCENT,
    LOWEST_AUC,
    LOWEST_DICE,
    MEAN_DICE,
    REFERRAL_PERCENT,
    Goal,
)
from RetinaTriageLib.evaluation.markdown_table import figure, markdown
from RetinaTriageLib.tissues import TISSUES

Facts = Mapping[str, Any]


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
