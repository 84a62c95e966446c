"""`retina-triage evaluate phantoms`: phantoms of several scanners, made on the fly."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_json,
    add_model_options,
    add_operating_point,
    add_time_limit,
    ensemble_runs,
    print_json,
    time_limit_s,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.phantoms.devices import SCANNERS
from RetinaTriageLib.result import RESEARCH_USE

DEFAULT_SCANNERS = ("spectralis", "cirrus", "topcon")


def add_action(actions: Actions) -> None:
    """Add the action `phantoms`."""
    parser = actions.add_parser(
        "phantoms",
        help="phantoms of several scanners; a stopped run goes on with the same command",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        nargs=2,
        required=True,
        metavar=("FROM", "COUNT"),
        help="first seed, and eyes of each scanner; scanners take turns at the seeds, so that "
        "COUNT times the number of scanners are used. No training may have seen them",
    )
    parser.add_argument(
        "--scanner", nargs="+", default=list(DEFAULT_SCANNERS), choices=list(SCANNERS)
    )
    parser.add_argument("--bscans", type=int, help="of a phantom, over the scanner's field")
    add_time_limit(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of cases and report")
    add_operating_point(parser)
    add_json(parser)
    add_model_options(parser)
    parser.set_defaults(command=phantoms)


def phantoms(parsed: argparse.Namespace) -> int:
    """Evaluate on phantoms; prints one table over all scanners and writes the report."""
    from RetinaTriageLib.evaluation.phantom_report import (
        HTML_FILE,
        phantom_evaluation,
        phantom_json,
        phantom_text,
        write_phantom_evaluation,
    )
    from RetinaTriageLib.evaluation.phantom_runs import (
        PhantomPlan,
        require_case_folder,
        run_phantoms,
    )

    first_seed, count = parsed.seeds
    plan = PhantomPlan(tuple(parsed.scanner), first_seed, count, parsed.bscans)
    require_case_folder(parsed.out)
    runs = ensemble_runs(parsed)
    limit_s = time_limit_s(parsed)
    with progress_bar(sys.stderr) as on_progress:
        results = run_phantoms(runs, plan, parsed.out, limit_s=limit_s, on_progress=on_progress)
    point = OperatingPoint(parsed.operating_point)
    evaluation = phantom_evaluation(runs, plan, results, point)
    write_phantom_evaluation(evaluation, parsed.out)
    if parsed.json:
        print_json(phantom_json(evaluation))
        return 0
    sys.stdout.write(phantom_text(evaluation))
    done = sum(len(of_scanner) for of_scanner in results.values())
    if done < len(plan.seeds):
        sys.stdout.write(f"{done} of {len(plan.seeds)} eyes; the same command goes on.\n")
    sys.stdout.write(f"Report: {parsed.out / HTML_FILE}\n{RESEARCH_USE}\n")
    return 0
