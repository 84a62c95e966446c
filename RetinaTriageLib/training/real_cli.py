"""Command ``train real-stacks``: labeled B-scans out of the public research sets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.training.real_data import DUKE_VALIDATION_PATIENTS, write_all


def add_real_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command; it sets ``command``, which takes the options."""
    parser = subparsers.add_parser(
        "real-stacks",
        help="make labeled B-scans of public research sets for train segmentation",
        description="Reads duke_dme, spectralis_vol and rathke_circular_scan as published and "
        "writes OUT/train and, of Duke patients "
        f"{' and '.join(DUKE_VALIDATION_PATIENTS)}, OUT/held_out.",
    )
    parser.add_argument("data", type=Path, metavar="FOLDER", help="with a folder for each set")
    parser.add_argument("--out", type=Path, required=True)
    parser.set_defaults(command=run_real_stacks)


def run_real_stacks(options: argparse.Namespace) -> int:
    """Write the samples that training may use, patients to be held out apart."""
    learned, held_out = options.out / "train", options.out / "held_out"
    counts = write_all(options.data, learned)
    held_out.mkdir(exist_ok=True)
    for patient in DUKE_VALIDATION_PATIENTS:
        for path in learned.glob(f"duke_{patient}_*.npz"):
            path.replace(held_out / path.name)
    listed = ", ".join(f"{count} of {name}" for name, count in counts.items())
    sys.stdout.write(f"{options.out}: {listed}\n")
    return 0
