"""`retina-triage evaluate contact-sheet`: a picture of scans with their tissue maps."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_model_options,
    add_scanner,
    add_spacing,
    ensemble_runs,
    scan_paths,
    stated_volume,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.result import RESEARCH_USE


def add_action(actions: Actions) -> None:
    """Add the action `contact-sheet`."""
    parser = actions.add_parser("contact-sheet", help="picture of scans with their tissue maps")
    parser.add_argument("scans", type=Path, nargs="+", metavar="SCAN", help="scans or folders")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--bscans", type=int, default=3, help="of each scan (default 3)")
    parser.add_argument("--columns", type=int, default=2, help="of the sheet (default 2)")
    parser.add_argument(
        "--separate", action="store_true", help="every picture of a folder is a scan by itself"
    )
    add_scanner(parser)
    add_spacing(parser, "where a scan states none")
    add_model_options(parser)
    parser.set_defaults(command=contact_sheet)


def contact_sheet(parsed: argparse.Namespace) -> int:
    """Write one picture of many scans with their consensus maps."""
    from RetinaTriageLib.evaluation.contact_sheet import (
        legend_tile,
        volume_tiles,
        write_contact_sheet,
    )
    from RetinaTriageLib.evaluation.ensemble_runs import case_progress

    runs, tiles = ensemble_runs(parsed), []
    paths = scan_paths(parsed.scans, separate=parsed.separate)
    with progress_bar(sys.stderr) as on_progress:
        for number, path in enumerate(paths):
            volume = stated_volume(path, parsed)
            consensus = runs.run(volume, case_progress(on_progress, number, len(paths))).consensus
            tiles += volume_tiles(volume, consensus, parsed.bscans, runs.tissues)
            on_progress(Progress("cases", number + 1, len(paths)))
    write_contact_sheet([*tiles, legend_tile(runs.tissues)], parsed.out, parsed.columns)
    sys.stdout.write(f"{parsed.out}: {len(tiles)} B-scans of {len(paths)} scans\n{RESEARCH_USE}\n")
    return 0
