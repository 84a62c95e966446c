"""Command ``train average``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from RetinaTriageLib.training.average_weights import average_weights


def add_average_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command; it sets ``command``, which takes the options."""
    parser = subparsers.add_parser(
        "average",
        help="average the weights of a network before and after further training",
        description="Writes the average of two weight files of one network, before and after it "
        "was trained on: it keeps what either has learned.",
    )
    parser.add_argument("before", type=Path, metavar="BEFORE.safetensors")
    parser.add_argument("after", type=Path, metavar="AFTER.safetensors")
    parser.add_argument("--share", type=float, default=0.5, help="of AFTER (default %(default)s)")
    parser.add_argument(
        "--shift",
        type=_shift,
        action="append",
        default=[],
        metavar="TISSUE=NUMBER",
        help="add to the scores of a tissue before softmax; below 0 it is found less often",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the new weights")
    parser.set_defaults(command=run_average)


def run_average(options: argparse.Namespace) -> int:
    """Write the average that the options ask for."""
    shifts = dict(options.shift)
    path = average_weights(
        options.before, options.after, options.out, share=options.share, shifts=shifts
    )
    sys.stdout.write(f"{path}\n")
    return 0


def _shift(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError as error:
        msg = f"found {text!r}; expected TISSUE=NUMBER, such as fibrovascular_ped=-0.5"
        raise argparse.ArgumentTypeError(msg) from error
