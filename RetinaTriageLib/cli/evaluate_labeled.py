"""`retina-triage evaluate labeled`: scans with labels and answers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_json,
    add_model_options,
    add_operating_point,
    add_spacing,
    ensemble_runs,
    labeled_set,
    print_json,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.phantoms.devices import SCANNERS
from RetinaTriageLib.result import RESEARCH_USE


def add_action(actions: Actions) -> None:
    """Add the action `labeled`."""
    parser = actions.add_parser("labeled", help="scans with labels and answers, or phantoms")
    parser.add_argument(
        "folder", type=Path, nargs="?", help="of .npz stacks, or of .nrrd with .seg.nrrd or .json"
    )
    parser.add_argument("--phantoms", type=int, metavar="N", help="make N phantoms instead")
    parser.add_argument("--first-seed", type=int, help="of the phantoms")
    parser.add_argument(
        "--scanner", default="spectralis", choices=list(SCANNERS), help="imitated by the phantoms"
    )
    parser.add_argument("--bscans", type=int, help="of a phantom, over the scanner's field")
    add_spacing(parser, "where a file of the folder states none")
    add_operating_point(parser)
    parser.add_argument("--out", type=Path, help="folder of the report, made new")
    add_json(parser)
    add_model_options(parser)
    parser.set_defaults(command=labeled)


def labeled(parsed: argparse.Namespace) -> int:
    """Evaluate on a labeled set; prints the main numbers and writes a report."""
    from RetinaTriageLib.evaluation.evaluate import evaluate_bundle
    from RetinaTriageLib.evaluation.report import (
        HTML_FILE,
        require_new_folder,
        write_evaluation,
    )
    from RetinaTriageLib.evaluation.report_json import evaluation_json
    from RetinaTriageLib.evaluation.report_text import evaluation_text

    if parsed.out is not None:
        require_new_folder(parsed.out)
    cases, runs = labeled_set(parsed), ensemble_runs(parsed)
    with progress_bar(sys.stderr) as on_progress:
        point = OperatingPoint(parsed.operating_point)
        evaluation = evaluate_bundle(runs, cases, point, on_progress=on_progress)
    if parsed.out is not None:
        write_evaluation(evaluation, parsed.out)
    if parsed.json:
        print_json(evaluation_json(evaluation))
        return 0
    sys.stdout.write(evaluation_text(evaluation))
    if parsed.out is not None:
        sys.stdout.write(f"Report: {parsed.out / HTML_FILE}\n")
    sys.stdout.write(f"{RESEARCH_USE}\n")
    return 0
