"""Options that say which scans with answers a command is about."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.inference.compute import REQUESTS
from RetinaTriageLib.phantoms.devices import SCANNERS, with_bscans, with_middle_bscan
from RetinaTriageLib.training.answered_cases import AnsweredCase, folder_cases, phantom_cases
from RetinaTriageLib.training.stack_spacing import device_spacing


def add_case_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `stated_cases` reads, and those of the bundle that segments them."""
    parser.add_argument("data", type=Path, nargs="*", metavar="FOLDER", help="scans with answers")
    parser.add_argument("--phantoms", type=int, default=0, metavar="COUNT", help="and phantoms")
    parser.add_argument("--first-seed", type=int, default=0, help="one phantom a seed, from here")
    parser.add_argument("--scanner", choices=list(SCANNERS), default="spectralis", help="phantoms'")
    parser.add_argument(
        "--bscans", type=int, help="of a phantom, over the scanner's field; 1 is a line scan"
    )
    parser.add_argument("--bundle", type=Path, help="whose segmenters; default: the bundled one")
    parser.add_argument("--device", choices=REQUESTS, default="auto", help="where they run")
    parser.add_argument("--out", type=Path, required=True, help="folder; what is there is kept")


def add_stack_options(parser: argparse.ArgumentParser) -> None:
    """Add what `lesion_scans.stack_cases` reads."""
    parser.add_argument(
        "--stacks",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="labeled B-scans, of which not every tissue need be known; may be given several times",
    )
    parser.add_argument(
        "--spacing-um",
        type=device_spacing,
        action="append",
        default=[],
        metavar="DEVICE=DEPTH,WIDTH",
        help="spacing of the stacks of a device",
    )


def stated_cases(
    options: argparse.Namespace, others: Sequence[AnsweredCase] = ()
) -> list[AnsweredCase]:
    """List the scans of the folders, then others, then phantoms.

    Raises
    ------
    InputError
        If there are none.
    """
    cases = [case for folder in options.data for case in folder_cases(folder)]
    cases += others
    profile = SCANNERS[options.scanner]
    if options.bscans == 1:
        profile = with_middle_bscan(profile)
    elif options.bscans is not None:
        profile = with_bscans(profile, options.bscans)
    cases += phantom_cases(options.phantoms, options.first_seed, profile)
    if not cases:
        msg = "Found no data; name folders of scans with answers, or --phantoms COUNT."
        raise InputError(msg)
    return cases
