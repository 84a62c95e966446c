"""Command ``train grids``: tissue maps with answers, as ``train classification`` learns from."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.bundle import bundled_models, load_bundle
from RetinaTriageLib.bundle_networks import classifier_grid
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.inference.compute import REQUESTS, choose_compute
from RetinaTriageLib.phantoms.devices import SCANNERS, with_bscans, with_middle_bscan
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.answered_cases import AnsweredScan, folder_cases, phantom_cases
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
    parser.add_argument("data", type=Path, nargs="*", metavar="FOLDER", help="scans with answers")
    parser.add_argument("--phantoms", type=int, default=0, metavar="COUNT", help="and phantoms")
    parser.add_argument("--first-seed", type=int, default=0, help="one phantom a seed, from here")
    parser.add_argument("--scanner", choices=list(SCANNERS), default="spectralis", help="phantoms'")
    parser.add_argument(
        "--bscans", type=int, help="of a phantom, over the scanner's field; 1 is a line scan"
    )
    parser.add_argument(
        "--maps", choices=[maps.value for maps in Maps], default=Maps.AUTOMATIC.value
    )
    parser.add_argument("--bundle", type=Path, help="whose segmenters; default: the bundled one")
    parser.add_argument("--device", choices=REQUESTS, default="auto", help="where they run")
    parser.add_argument("--out", type=Path, required=True, help="folder; what is there is kept")
    parser.set_defaults(command=run_grids)


def run_grids(options: argparse.Namespace) -> int:
    """Write the grids that the options ask for."""
    cases = [case for folder in options.data for case in folder_cases(folder)]
    profile = SCANNERS[options.scanner]
    if options.bscans == 1:
        profile = with_middle_bscan(profile)
    elif options.bscans is not None:
        profile = with_bscans(profile, options.bscans)
    cases += phantom_cases(options.phantoms, options.first_seed, profile)
    if not cases:
        msg = "Found no data; name folders of scans with answers, or --phantoms COUNT."
        raise InputError(msg)
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
