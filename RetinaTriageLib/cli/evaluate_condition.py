"""`retina-triage evaluate condition`: one condition against a yes-or-no answer on pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_json,
    add_model_options,
    add_operating_point,
    add_scanner,
    ensemble_runs,
    print_json,
    scanner_family,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.outcomes import CONDITIONS
from RetinaTriageLib.result import RESEARCH_USE


def add_action(actions: Actions) -> None:
    """Add the action `condition`."""
    parser = actions.add_parser(
        "condition", help="AUC of one condition against a yes-or-no answer on B-scan pictures"
    )
    parser.add_argument("folder", type=Path, help="with a folder of pictures and a CSV table")
    parser.add_argument("--images", default="images", help="folder of pictures (default images)")
    parser.add_argument("--labels", default="labels.csv", help="CSV table (default labels.csv)")
    parser.add_argument("--file-column", default="file")
    parser.add_argument("--answer-column", default="dme", help="1 for yes, 0 for no (default dme)")
    parser.add_argument(
        "--order-column", default="id", help="number whose neighbors may be one patient's eyes"
    )
    parser.add_argument(
        "--condition", default="macular_retinal_edema", choices=CONDITIONS.names, metavar="NAME"
    )
    parser.add_argument(
        "--block", type=int, default=10, help="pictures in a block of the interval (default 10)"
    )
    add_scanner(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the report, made new")
    add_operating_point(parser)
    add_json(parser)
    add_model_options(parser)
    parser.set_defaults(command=condition)


def condition(parsed: argparse.Namespace) -> int:
    """Compare one condition with a yes-or-no answer; writes a folder, prints the AUC."""
    from RetinaTriageLib.evaluation.condition_check import (
        AnswerTable,
        answered_pictures,
        condition_check,
    )
    from RetinaTriageLib.evaluation.condition_report import (
        condition_json,
        condition_text,
        write_condition,
    )
    from RetinaTriageLib.evaluation.picture_scores import score_pictures
    from RetinaTriageLib.evaluation.report import require_new_folder

    require_new_folder(parsed.out)
    table = AnswerTable(
        parsed.folder / parsed.labels,
        parsed.file_column,
        parsed.answer_column,
        parsed.order_column,
    )
    pictures = answered_pictures(parsed.folder / parsed.images, table)
    runs = ensemble_runs(parsed)
    head = next(h for h in runs.bundle.vocabulary.heads if h.name == CONDITIONS.name)
    device = scanner_family(parsed)
    point = OperatingPoint(parsed.operating_point)
    with progress_bar(sys.stderr) as on_progress:
        scores = score_pictures(
            runs, [one.picture for one in pictures], point, device=device, on_progress=on_progress
        )
    check = condition_check(pictures, scores, head, parsed.condition, parsed.block)
    write_condition(check, parsed.out)
    if parsed.json:
        print_json(condition_json(check))
    else:
        sys.stdout.write(condition_text(check) + f"Report: {parsed.out}\n{RESEARCH_USE}\n")
    return 0
