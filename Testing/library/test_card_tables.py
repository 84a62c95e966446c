from __future__ import annotations

import copy

from RetinaTriageLib.evaluation.card_goals import Goal
from RetinaTriageLib.evaluation.card_phantoms import (
    auc_table,
    confusion_table,
    dice_table,
    gain_table,
    phantom_table,
)
from RetinaTriageLib.evaluation.card_tables import (
    condition_lines,
    eye_table,
    fluid_table,
    line_table,
)
from RetinaTriageLib.tissues import TISSUES

TISSUE = {
    "dice": 0.8,
    "iou": 0.7,
    "truth_voxels": 9,
    "mean_case_dice": 0.6,
    "cases_with_it": 2,
    "median_volume_error_nl": 1.0,
    "median_volume_error_percent": 7.5,
}
SHARE = {"count": 1, "total": 4, "value": 0.25, "interval_95": [0.006, 0.806]}
DRUSEN = {"auc": 0.97, "auc_interval_95": [0.9, 1.0], "sensitivity": SHARE, "specificity": SHARE}
HEADS = {
    "referral": {
        "outcomes": {"urgent": DRUSEN, "routine": DRUSEN},
        "error": SHARE,
        "confusion": [[2, 1], [0, 1]],
        "mean_penalty": 0.5,
        "penalty_share_of_worst": 0.1,
    },
    "conditions": {"outcomes": {"drusen": DRUSEN}},
}


def phantom_facts() -> dict:
    names = [*(tissue.name for tissue in TISSUES), "fluid", "ped"]
    surfaces = {name: {"mean_absolute_um": 2.0} for name in ("ilm", "inner_rpe", "bruch")}
    of_map = {
        "mean_dice": 0.85,
        "pixel_accuracy": 0.99,
        "median_cst_error_um": None,
        "tissues": {name: dict(TISSUE) for name in names},
        "surfaces": surfaces,
    }
    of_set = {
        "cases": ["a", "b"],
        "segmentation": [of_map],
        "classification": [{"heads": HEADS}],
        "gains": [
            {
                "measure": "mean Dice, pooled",
                "ensemble": 0.85,
                "best": 0.84,
                "best_member": "one",
                "members": {"one": 0.84, "two": 0.8},
                "verdict": "better",
            }
        ],
    }
    sets = {"all": of_set, "cirrus": copy.deepcopy(of_set)}
    return {"seeds": [5, 6], "bscans": {"cirrus": 128}, "sets": sets}


def test_figure_stands_beside_its_goal() -> None:
    table = phantom_table(phantom_facts())
    assert (
        "| mean Dice of the tissues there | 0.850 | 0.850 | at least 0.9: missed by 0.050 |"
        in table
    )
    assert "| CST error, median, µm | – | – | at most 3: not measured |" in table
    assert "25.0 (0.6 to 80.6), 1 of 4" in table
    assert "missed by 19.5" in table


def test_goal_that_is_met_is_reached() -> None:
    assert Goal(0.7, at_least=True).verdict(0.7, 2) == "at least 0.7: reached"
    assert Goal(5, at_least=False).verdict(4.2, 1) == "at most 5: reached"


def test_tissue_of_no_eye_has_no_dice() -> None:
    facts = phantom_facts()
    facts["sets"]["all"]["segmentation"][0]["tissues"]["rpe"]["truth_voxels"] = 0
    assert "| rpe | in no eye | 0.800 / 0.700; 0.600 in 2 |" in dice_table(facts)


def test_answers_have_tables() -> None:
    facts = phantom_facts()
    assert "| drusen | 0.970 (0.900 to 1.000), 4 with it |" in auc_table(facts)
    assert "| urgent | 2 | 1 |" in confusion_table(facts)
    assert "| 0.8500 | 0.8400 (one) | 2 | better |" in gain_table(facts)


def test_eye_that_breaks_a_check_is_said() -> None:
    eye = {
        "name": "eye",
        "median_absolute_um": 2.9,
        "worst_absolute_um": 4.1,
        "total_difference_percent": 1.5,
        "drusen_score": 0.4,
        "drusen_raw": None,
        "drusenoid_nl": 0.7,
        "fluid_nl": 13.16,
        "referral": "routine",
        "healthy": True,
    }
    check = {"what": "fluid", "found": "at most 13.16 nl", "holds": False}
    table = eye_table({"eyes": [eye], "checks": [check]})
    assert "0.400 (raw –)" in table
    assert "at most 4: reached" in table
    assert "**fails**: fluid: at most 13.16 nl" in table


def test_lines_fluid_and_condition_are_told() -> None:
    found = {"median_px": 2.5, "median_um": 9.7, "percentile_95_px": 3, "percentile_95_um": 11.6}
    scan = {"name": "s", "lines": {"ILM": {**found, "signed_median_px": 0.4, "compared": 7}}}
    assert "| 2.50 (9.7) | 3.00 (11.6) | 0.40 | 7 | at most 2: missed by 0.50 |" in line_table(
        [scan]
    )
    keys = ("pooled_dice", "mean_dice", "volume_correlation", "mean_false_fluid_nl")
    values = dict(zip(keys, (0.7, 0.6, None, 0.4), strict=True))
    assert "| 0.700 | 0.700 | at least 0.7: reached |" in fluid_table(
        {**values, "patients": {"S08": values}}
    )
    edema = {"pictures": 9, "present": 4, "blocks": 2, "condition": "edema", "auc": 0.8}
    ends = {"auc_interval_95": [0.6, 0.9], "fluid_auc": None, "fluid_auc_interval_95": [None, None]}
    assert "AUC of edema: 0.800 (95 % 0.600 to 0.900)" in condition_lines({**edema, **ends})
