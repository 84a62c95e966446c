"""`retina-triage bundle check`: whether a model bundle can be trusted and used."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of this command."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="verify hashes, weights and manifest")
    check.add_argument("path", type=Path, nargs="?", help="folder or zip; default: the bundled one")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(command=check_path)


def check_path(parsed: argparse.Namespace) -> int:
    """Print what was verified; an unusable bundle is an error."""
    from RetinaTriageLib.bundle import bundled_models, check_bundle

    checks = check_bundle(parsed.path or bundled_models())
    if parsed.json:
        found = {check.what: check.found for check in checks}
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return 0
    for check in checks:
        sys.stdout.write(f"{check.what}: {check.found}\n")
    return 0
