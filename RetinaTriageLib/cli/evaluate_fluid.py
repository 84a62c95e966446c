"""`retina-triage evaluate fluid`: fluid on single B-scans beside the masks of a grader."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_json,
    add_model_options,
    add_scanner,
    add_spacing,
    ensemble_runs,
    print_json,
    scanner_family,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.volume import VoxelSpacing


def add_action(actions: Actions) -> None:
    """Add the action `fluid`."""
    parser = actions.add_parser("fluid", help="fluid on B-scans beside the masks of a grader")
    parser.add_argument("folder", type=Path, help="with the folder images and one of masks")
    parser.add_argument("--masks", default="fluid", help="name of the folder of masks")
    parser.add_argument("--pattern", default="*", help="of the file names, such as 'S0[89]_*'")
    parser.add_argument(
        "--columns",
        type=int,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="A-scans that the grader looked at, counted from 0; the others are left out",
    )
    add_scanner(parser)
    add_spacing(parser, "of all B-scans", required=True)
    parser.add_argument("--sheet", type=Path, help="PNG to write: scan, grader, bundle")
    add_json(parser)
    add_model_options(parser)
    parser.set_defaults(command=fluid)


def fluid(parsed: argparse.Namespace) -> int:
    """Compare fluid on single B-scans with masks of a grader."""
    from RetinaTriageLib.evaluation.contact_sheet import write_contact_sheet
    from RetinaTriageLib.evaluation.fluid import FluidFolder, evaluate_fluid, fluid_scans
    from RetinaTriageLib.evaluation.fluid_report import fluid_json, fluid_text

    spacing = VoxelSpacing.from_um(*parsed.spacing_um)
    columns = tuple(parsed.columns) if parsed.columns else None
    device = scanner_family(parsed)
    scans = fluid_scans(
        FluidFolder(parsed.folder, parsed.masks, spacing, device, parsed.pattern, columns)
    )
    runs = ensemble_runs(parsed)
    with progress_bar(sys.stderr) as on_progress:
        evaluation = evaluate_fluid(runs, scans, on_progress)
    if parsed.sheet is not None:
        write_contact_sheet(evaluation.tiles, parsed.sheet, columns=1, tile_width=1200)
    if parsed.json:
        print_json(fluid_json(evaluation))
    else:
        sys.stdout.write(fluid_text(evaluation) + f"{RESEARCH_USE}\n")
    return 0
