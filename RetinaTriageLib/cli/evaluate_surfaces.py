"""`retina-triage evaluate surfaces`: ILM and Bruch's membrane beside the device's own lines."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_json,
    add_model_options,
    ensemble_runs,
    print_json,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.result import RESEARCH_USE

SHEET_WIDTH = 1500


def add_action(actions: Actions) -> None:
    """Add the action `surfaces`."""
    parser = actions.add_parser("surfaces", help="ILM and BM beside the lines that the device drew")
    parser.add_argument("scans", type=Path, nargs="+", metavar="SCAN", help="Heidelberg .vol files")
    parser.add_argument("--sheet", type=Path, help="PNG to write: scan, and both lines over it")
    add_json(parser)
    add_model_options(parser)
    parser.set_defaults(command=surfaces)


def surfaces(parsed: argparse.Namespace) -> int:
    """Print the distance of our surfaces from the device's lines."""
    from RetinaTriageLib.evaluation.contact_sheet import write_contact_sheet
    from RetinaTriageLib.evaluation.ensemble_runs import case_progress
    from RetinaTriageLib.evaluation.line_distance import (
        line_distances,
        line_tiles,
        lines_json,
        lines_text,
        require_lines,
    )
    from RetinaTriageLib.readers.registry import read_volume

    volumes = [read_volume(path) for path in parsed.scans]
    for volume in volumes:
        volume.require_raster()
        require_lines(volume)
    runs, found, tiles = ensemble_runs(parsed), [], []
    with progress_bar(sys.stderr) as on_progress:
        for number, volume in enumerate(volumes):
            consensus = runs.run(volume, case_progress(on_progress, number, len(volumes))).consensus
            found.append((volume.name, line_distances(volume, consensus, runs.tissues)))
            tiles += line_tiles(volume, consensus, runs.tissues) if parsed.sheet else []
    if parsed.sheet is not None:
        write_contact_sheet(tiles, parsed.sheet, columns=1, tile_width=SHEET_WIDTH)
    if parsed.json:
        print_json([lines_json(name, distances) for name, distances in found])
    else:
        text = "".join(lines_text(name, distances) for name, distances in found)
        sys.stdout.write(text + f"{RESEARCH_USE}\n")
    return 0
