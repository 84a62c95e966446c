"""Entry point of `retina-triage`: parses the command line and turns errors into exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from RetinaTriageLib.errors import (
    BundleError,
    CancelledError,
    DeviceError,
    InputError,
    OutputError,
    RetinaTriageError,
)
from RetinaTriageLib.version import VERSION

EXIT_CODES: dict[type[RetinaTriageError], int] = {
    InputError: 3,
    BundleError: 4,
    DeviceError: 5,
    OutputError: 6,
    CancelledError: 130,
}
"""2 is argparse's own code for a command line that it cannot read."""

NOT_READ = 141
"""As shells count a program that writes to a reader who has left, such as ``head``."""

EPILOG = """\
exit codes: 0 done, 2 command line, 3 input, 4 model bundle, 5 compute device, 6 output, 130 stopped
Research use only. Not a medical device."""


COMMANDS = {
    "run": "segment, classify and measure one scan",
    "cohort": "work many scans and put them into one table",
    "info": "tell what a scan file is",
    "bundle": "check a model bundle, or make one",
    "train": "train networks on one's own labeled scans",
    "evaluate": "measure a bundle on scans whose answers are known",
    "explain": "show which part of a picture a score rests on",
    "reading-list": "print the queue of a reading session on a cohort",
    "phantom": "make synthetic scans with complete truth",
}
"""Each lives in the module of its name, which is imported only when the command is called."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="retina-triage",
        description="Tissue hypotheses, referral opinions and measurements of retinal OCT.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        if name in words[:1]:
            module = name.replace("-", "_")
            import_module(f"RetinaTriageLib.cli.{module}").add_arguments(command)
    parsed = parser.parse_args(words)
    try:
        code: int = parsed.command(parsed)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer goes nowhere, else Python would complain of it at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_READ
    except RetinaTriageError as error:
        sys.stderr.write(f"retina-triage: {error}\n")
        return _exit_code(error)
    except KeyboardInterrupt:
        sys.stderr.write("retina-triage: stopped; nothing was written.\n")
        return EXIT_CODES[CancelledError]
    return code


def _exit_code(error: RetinaTriageError) -> int:
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


if __name__ == "__main__":
    sys.exit(main())
