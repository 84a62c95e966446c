"""`retina-triage info`: what a scan file is, without running anything."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from RetinaTriageLib.cli.geometry import add_input_options
from RetinaTriageLib.info import file_info


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("input", type=Path, help="OCT file, or a folder of B-scans or an export")
    parser.add_argument("--bscan-axis", type=int, choices=(0, 1, 2))
    add_input_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=info)


def info(parsed: argparse.Namespace) -> int:
    """Print the facts; returns the exit code."""
    facts = file_info(
        parsed.input,
        bscan_axis=parsed.bscan_axis,
        series=parsed.series,
        keep_identifiers=parsed.keep_identifiers,
    )
    if parsed.json:
        sys.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
        return 0
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        sys.stdout.write(f"{name:<{width}}  {_readable(value)}\n")
    return 0


def _readable(value: object) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_readable(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_readable(item) for item in value) or "none"
    return str(value)
