"""`retina-triage evaluate adaptation`: a new scanner before and after adaptation, on phantoms."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_json,
    add_model_options,
    add_time_limit,
    ensemble_runs,
    print_json,
    time_limit_s,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.result import RESEARCH_USE


def add_action(actions: Actions) -> None:
    """Add the action `adaptation`."""
    parser = actions.add_parser(
        "adaptation",
        help="adapt a bundle to an invented scanner and measure it before and after, on phantoms; "
        "a stopped run goes on with the same command",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        nargs=2,
        required=True,
        metavar=("FROM", "COUNT"),
        help="first seed and number of the eyes that are evaluated; the adaptation learns from "
        "the eyes of the seeds just before. No training may have seen any of them",
    )
    parser.add_argument(
        "--device-profile",
        default="decibel",
        metavar="NAME",
        help="invented scanner: decibel (default) or decibel-inverted",
    )
    parser.add_argument("--bscans", type=int, default=25, help="of a scan (default 25)")
    parser.add_argument(
        "--labeled-eyes", type=int, default=18, help="to learn from, 3 B-scans each (default 18)"
    )
    parser.add_argument("--iterations", type=int, help="of training for each network")
    add_time_limit(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of everything that is made")
    add_json(parser)
    add_model_options(parser)
    parser.set_defaults(command=adaptation)


def adaptation(parsed: argparse.Namespace) -> int:
    """Adapt, evaluate, print the table and write figure, JSON and text."""
    from RetinaTriageLib.evaluation.adaptation_eyes import AdaptationStudy
    from RetinaTriageLib.evaluation.adaptation_figure import draw_study
    from RetinaTriageLib.evaluation.adaptation_report import report_paths, study_json, study_text
    from RetinaTriageLib.evaluation.adaptation_study import run_study
    from RetinaTriageLib.evaluation.phantom_runs import require_case_folder
    from RetinaTriageLib.evaluation.unseen_device import unseen_device
    from RetinaTriageLib.training.adapt_branch import BranchPlan
    from RetinaTriageLib.writers.report_file import whole_file, write_whole_text

    if parsed.branch_of is not None:
        msg = "Found --branch-of; the study chooses branches itself. Leave the option out."
        raise InputError(msg)
    first_seed, eyes = parsed.seeds
    study = AdaptationStudy(
        unseen_device(parsed.device_profile),
        eyes,
        first_seed,
        labeled_eyes=parsed.labeled_eyes,
        bscans=parsed.bscans,
    )
    require_case_folder(parsed.out)
    plan = BranchPlan()
    if parsed.iterations is not None:
        plan = replace(plan, optimization=replace(plan.optimization, iterations=parsed.iterations))
    runs = ensemble_runs(parsed)
    limit_s = time_limit_s(parsed)
    with progress_bar(sys.stderr) as on_progress:
        result = run_study(runs, study, parsed.out, plan, limit_s=limit_s, on_progress=on_progress)
    text, facts = study_text(result), study_json(result)
    figure_path, json_path, text_path = report_paths(parsed.out)
    written = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole_text(written + "\n", json_path)
    write_whole_text(text, text_path)
    with whole_file(figure_path) as unfinished:
        draw_study(result, unfinished)
    if parsed.json:
        print_json(facts)
        return 0
    sys.stdout.write(text)
    done = len(result.results[0])
    if done < eyes:
        sys.stdout.write(f"{done} of {eyes} eyes; the same command goes on.\n")
    sys.stdout.write(f"Figure: {figure_path}\n{RESEARCH_USE}\n")
    return 0
