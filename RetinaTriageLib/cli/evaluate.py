"""`retina-triage evaluate`: how well a bundle does on scans whose answers are known."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from RetinaTriageLib.cli.evaluate_options import (
    add_model_options,
    add_spacing,
    ensemble_runs,
    labeled_set,
    scan_paths,
    stated_volume,
)
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.phantoms.devices import SCANNERS
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.volume import DeviceFamily, VoxelSpacing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one action for each kind of evaluation."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add_labeled(actions)
    _add_device_table(actions)
    _add_fluid(actions)
    _add_contact_sheet(actions)


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
        _print_json(evaluation_json(evaluation))
        return 0
    sys.stdout.write(evaluation_text(evaluation))
    if parsed.out is not None:
        sys.stdout.write(f"Report: {parsed.out / HTML_FILE}\n")
    sys.stdout.write(f"{RESEARCH_USE}\n")
    return 0


def device_table(parsed: argparse.Namespace) -> int:
    """Print our thickness table beside the device's for every scan."""
    from RetinaTriageLib.evaluation.device_table import (
        compare_with_device,
        comparison_json,
        comparison_text,
        require_device_table,
        summary_text,
    )
    from RetinaTriageLib.evaluation.ensemble_runs import case_progress
    from RetinaTriageLib.readers.registry import read_volume

    runs, comparisons = ensemble_runs(parsed), []
    with progress_bar(sys.stderr) as on_progress:
        for number, path in enumerate(parsed.volumes):
            volume = read_volume(path)
            require_device_table(volume)
            report = case_progress(on_progress, number, len(parsed.volumes))
            consensus = runs.run(volume, report).consensus
            comparisons.append(compare_with_device(volume, consensus, runs.tissues))
            if not parsed.json:
                sys.stdout.write(comparison_text(comparisons[-1]) + "\n")
    if parsed.json:
        _print_json([comparison_json(comparison) for comparison in comparisons])
    else:
        sys.stdout.write(summary_text(comparisons) + f"{RESEARCH_USE}\n")
    return 0


def fluid(parsed: argparse.Namespace) -> int:
    """Compare fluid on single B-scans with masks of a grader."""
    from RetinaTriageLib.evaluation.contact_sheet import write_contact_sheet
    from RetinaTriageLib.evaluation.fluid import (
        FluidFolder,
        evaluate_fluid,
        fluid_json,
        fluid_scans,
        fluid_text,
    )

    device = DeviceFamily(parsed.scanner) if parsed.scanner else None
    spacing = VoxelSpacing.from_um(*parsed.spacing_um)
    scans = fluid_scans(FluidFolder(parsed.folder, parsed.masks, spacing, device, parsed.pattern))
    runs = ensemble_runs(parsed)
    with progress_bar(sys.stderr) as on_progress:
        evaluation = evaluate_fluid(runs, scans, on_progress)
    if parsed.sheet is not None:
        write_contact_sheet(evaluation.tiles, parsed.sheet, columns=1, tile_width=1200)
    if parsed.json:
        _print_json(fluid_json(evaluation))
    else:
        sys.stdout.write(fluid_text(evaluation) + f"{RESEARCH_USE}\n")
    return 0


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


def _add_labeled(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    parser.add_argument(
        "--operating-point",
        default=OperatingPoint.BALANCED.value,
        choices=[point.value for point in OperatingPoint],
    )
    parser.add_argument("--out", type=Path, help="folder of the report, made new")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_model_options(parser)
    parser.set_defaults(command=labeled)


def _add_device_table(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "device-table", help="ETDRS thickness beside the table that the scanner made"
    )
    parser.add_argument("volumes", type=Path, nargs="+", metavar="VOLUME", help="HEYEX XML exports")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_model_options(parser)
    parser.set_defaults(command=device_table)


def _add_fluid(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("fluid", help="fluid on B-scans beside the masks of a grader")
    parser.add_argument("folder", type=Path, help="with the folder images and one of masks")
    parser.add_argument("--masks", default="fluid", help="name of the folder of masks")
    parser.add_argument("--pattern", default="*", help="of the file names, such as 'S0[89]_*'")
    parser.add_argument("--scanner", choices=[family.value for family in DeviceFamily])
    add_spacing(parser, "of all B-scans", required=True)
    parser.add_argument("--sheet", type=Path, help="PNG to write: scan, grader, bundle")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_model_options(parser)
    parser.set_defaults(command=fluid)


def _add_contact_sheet(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser("contact-sheet", help="picture of scans with their tissue maps")
    parser.add_argument("scans", type=Path, nargs="+", metavar="SCAN", help="scans or folders")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    parser.add_argument("--bscans", type=int, default=3, help="of each scan (default 3)")
    parser.add_argument("--columns", type=int, default=2, help="of the sheet (default 2)")
    parser.add_argument(
        "--separate", action="store_true", help="every picture of a folder is a scan by itself"
    )
    parser.add_argument("--scanner", choices=[family.value for family in DeviceFamily])
    add_spacing(parser, "where a scan states none")
    add_model_options(parser)
    parser.set_defaults(command=contact_sheet)


def _print_json(facts: object) -> None:
    sys.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
