"""`retina-triage evaluate device-table`: eyes beside the table that the scanner made of them."""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatch
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_json,
    add_model_options,
    add_operating_point,
    ensemble_runs,
    print_json,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.result import RESEARCH_USE


def add_action(actions: Actions) -> None:
    """Add the action `device-table`."""
    parser = actions.add_parser(
        "device-table",
        help="thickness beside the scanner's own table; drusen, fluid and referral of each eye",
    )
    parser.add_argument("volumes", type=Path, nargs="+", metavar="VOLUME", help="HEYEX XML exports")
    parser.add_argument(
        "--healthy",
        metavar="PATTERN",
        help="file or folder names of the healthy eyes, such as 'healthy*'; the others are not",
    )
    add_operating_point(parser)
    add_json(parser)
    add_model_options(parser)
    parser.set_defaults(command=device_table)


def device_table(parsed: argparse.Namespace) -> int:
    """Print our thickness table beside the device's for every scan, and a row for each eye."""
    from RetinaTriageLib.evaluation.device_eye import device_eye, eyes_json, eyes_text
    from RetinaTriageLib.evaluation.device_table import comparison_text, require_device_table
    from RetinaTriageLib.evaluation.ensemble_runs import CASES, case_progress
    from RetinaTriageLib.readers.registry import read_volume

    runs, eyes = ensemble_runs(parsed), []
    point = OperatingPoint(parsed.operating_point)
    with progress_bar(sys.stderr) as on_progress:
        for number, path in enumerate(parsed.volumes):
            volume = read_volume(path)
            require_device_table(volume)
            output = runs.run(volume, case_progress(on_progress, number, len(parsed.volumes)))
            healthy = None if parsed.healthy is None else fnmatch(path.name, parsed.healthy)
            eyes.append(device_eye(volume, output, runs, point, healthy=healthy))
            on_progress(Progress(CASES, number + 1, len(parsed.volumes)))
            if not parsed.json:
                sys.stdout.write(comparison_text(eyes[-1].comparison) + "\n")
    if parsed.json:
        print_json(eyes_json(eyes))
    else:
        sys.stdout.write(eyes_text(eyes) + f"{RESEARCH_USE}\n")
    return 0
