"""Command ``train grids``: tissue maps with answers, as ``train classification`` learns from."""

from __future__ import annotations

import argparse
import sys

from RetinaTriageLib.bundle import bundled_models, load_bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.answered_cases import AnsweredScan
from RetinaTriageLib.training.case_options import add_case_options, stated_cases
from RetinaTriageLib.training.map_grids import (
    Grids,
    Maps,
    automatic_grids,
    manual_grids,
    write_grids,
)


def add_grids_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command; it sets ``command``, which takes the options."""
    parser = subparsers.add_parser(
        "grids",
        help="make tissue maps for train classification, drawn ones or those of a bundle",
        description="Writes tissue maps with answers as .npz files for train classification. They "
        "are of scans with answers in a .json beside them, or of phantoms: either the drawn maps, "
        "or those that every segmenter of a bundle finds.",
    )
    add_case_options(parser)
    parser.add_argument(
        "--maps", choices=[maps.value for maps in Maps], default=Maps.AUTOMATIC.value
    )
    parser.set_defaults(command=run_grids)


def run_grids(options: argparse.Namespace) -> int:
    """Write the grids that the options ask for."""
    cases = stated_cases(options)
    if Maps(options.maps) is Maps.MANUAL:
        written = write_grids(cases, manual_grids, ("",), options.out, _say)
    else:
        bundle = load_bundle(options.bundle or bundled_models())
        compute = choose_compute(options.device)

        def grids_of(scan: AnsweredScan) -> Grids:
            return automatic_grids(scan.volume, bundle, compute, lambda _done: None)

        names = [entry.name for entry in bundle.manifest.segmenters]
        grid = classifier_grid(bundle.manifest)
        written = write_grids(cases, grids_of, names, options.out, _say, truth_on=grid)
    sys.stdout.write(f"{options.out}: {written} new tissue maps of {len(cases)} scans\n")
    return 0


def _say(progress: Progress) -> None:
    sys.stderr.write(f"{progress.done}/{progress.total} {progress.message}\n")
