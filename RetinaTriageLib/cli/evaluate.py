"""`retina-triage evaluate`: how well a bundle does on scans whose answers are known."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.result import RESEARCH_USE

if TYPE_CHECKING:
    from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command."""
    parser = commands.add_parser(
        "evaluate", help="measure a bundle on scans with known answers", description=__doc__
    )
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add_device_table(actions)


def device_table(parsed: argparse.Namespace) -> int:
    """Print our thickness table beside the device's for every scan."""
    from RetinaTriageLib.evaluation.device_table import (
        compare_with_device,
        comparison_json,
        comparison_text,
        require_device_table,
        summary_text,
    )
    from RetinaTriageLib.readers.registry import read_volume

    runs = _ensemble_runs(parsed)
    comparisons = []
    with progress_bar(sys.stderr) as on_progress:
        for path in parsed.volumes:
            volume = read_volume(path)
            require_device_table(volume)
            consensus = runs.run(volume, on_progress).consensus
            comparison = compare_with_device(volume, consensus, runs.tissues)
            comparisons.append(comparison)
            if not parsed.json:
                sys.stdout.write(comparison_text(comparison) + "\n")
    if parsed.json:
        facts = [comparison_json(comparison) for comparison in comparisons]
        sys.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(summary_text(comparisons) + f"{RESEARCH_USE}\n")
    return 0


def _add_device_table(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = actions.add_parser(
        "device-table", help="ETDRS thickness beside the table that the scanner made"
    )
    parser.add_argument("volumes", type=Path, nargs="+", metavar="VOLUME", help="HEYEX XML exports")
    parser.add_argument("--json", action="store_true", help="print JSON")
    _add_model_options(parser)
    parser.set_defaults(command=device_table)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument("--bundle", type=Path, help="bundle folder or zip; default: the bundled one")
    group.add_argument("--compute", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    group.add_argument("--slab", type=int, default=4, help="B-scans at a time (default 4)")


def _ensemble_runs(parsed: argparse.Namespace) -> EnsembleRuns:
    from RetinaTriageLib.bundle import bundled_models, load_bundle
    from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
    from RetinaTriageLib.inference.allocator import keep_freed_memory
    from RetinaTriageLib.inference.compute import choose_compute

    keep_freed_memory()
    bundle = load_bundle(parsed.bundle or bundled_models())
    return EnsembleRuns(bundle, choose_compute(parsed.compute), parsed.slab)
