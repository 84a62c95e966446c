"""`retina-triage evaluate pictures`: tissue maps and scores of pictures of known class."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_model_options,
    add_operating_point,
    add_scanner,
    ensemble_runs,
    scanner_family,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.result import RESEARCH_USE


def add_action(actions: Actions) -> None:
    """Add the action `pictures`."""
    parser = actions.add_parser(
        "pictures", help="maps and scores of B-scan pictures in a folder for each class"
    )
    parser.add_argument("folder", type=Path, help="with a subfolder of pictures for each class")
    parser.add_argument("--sheet", type=Path, required=True, help="PNG to write: maps and scores")
    parser.add_argument("--table", type=Path, help="CSV to write: all scores of every picture")
    add_scanner(parser)
    add_operating_point(parser)
    add_model_options(parser)
    parser.set_defaults(command=pictures)


def pictures(parsed: argparse.Namespace) -> int:
    """Score pictures of known class; writes a figure and a table, prints means by class."""
    from RetinaTriageLib.evaluation.picture_report import (
        class_text,
        write_picture_figure,
        write_picture_table,
    )
    from RetinaTriageLib.evaluation.picture_scores import pictures_of_folders, score_pictures

    found = pictures_of_folders(parsed.folder)
    runs = ensemble_runs(parsed)
    device = scanner_family(parsed)
    point = OperatingPoint(parsed.operating_point)
    with progress_bar(sys.stderr) as on_progress:
        scores = score_pictures(runs, found, point, device=device, on_progress=on_progress)
    heads = runs.bundle.vocabulary.heads
    write_picture_figure(scores, heads, parsed.sheet, runs.tissues)
    if parsed.table is not None:
        write_picture_table(scores, heads, parsed.table)
    sys.stdout.write(class_text(scores, heads) + f"{parsed.sheet}\n{RESEARCH_USE}\n")
    return 0
