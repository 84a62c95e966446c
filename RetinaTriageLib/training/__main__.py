"""Training without the main command: ``python -m RetinaTriageLib.training segmentation ...``."""

from __future__ import annotations

import argparse
import sys

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.training.cli import add_train_commands


def main() -> int:
    """Train what the command line asks for; 1 where that is impossible."""
    parser = argparse.ArgumentParser(prog="python -m RetinaTriageLib.training")
    add_train_commands(parser.add_subparsers(required=True, metavar="NETWORK"))
    options = parser.parse_args()
    try:
        status: int = options.command(options)
    except RetinaTriageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
