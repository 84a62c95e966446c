"""Command ``train adapt-scanner``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from RetinaTriageLib.bundle import bundled_models, load_bundle
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.adapt_branch import BranchPlan
from RetinaTriageLib.training.adapt_scanner import Adaptation, adapt_scanner
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.volume import DeviceFamily


def add_adapt_command(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command; it sets ``command``, which takes the options."""
    plan = BranchPlan()
    parser = subparsers.add_parser(
        "adapt-scanner",
        help="adapt a bundle to a new scanner with a handful of labeled B-scans",
        description="Adds a branch for a new scanner to every segmentation network of a bundle and "
        "trains it alone; the common block and all classifiers stay as they are.",
    )
    parser.add_argument(
        "data", type=Path, nargs="+", metavar="FOLDER", help="labeled B-scans of the new scanner"
    )
    parser.add_argument("--bundle", type=Path, help="bundle to adapt; default: the bundled one")
    parser.add_argument("--name", required=True, help="of the scanner, for run --scanner NAME")
    parser.add_argument("--out", type=Path, required=True, help="folder of the new bundle")
    parser.add_argument(
        "--family",
        choices=[family.value for family in DeviceFamily],
        help="device family whose scans take the new branch of themselves",
    )
    parser.add_argument(
        "--start-from", metavar="BRANCH", help="branch to copy; default: the one that fits best"
    )
    parser.add_argument("--phantoms", action="store_true", help="the labeled B-scans are phantoms")
    parser.add_argument(
        "--held-out", type=Path, action="append", default=[], help="folder to validate on"
    )
    add_plan_options(parser, plan)
    parser.set_defaults(command=run_adapt_scanner)


def add_plan_options(parser: argparse.ArgumentParser, plan: BranchPlan) -> None:
    """Add how a branch is trained."""
    parser.add_argument(
        "--iterations",
        type=int,
        default=plan.optimization.iterations,
        help="for each network (default %(default)s)",
    )
    parser.add_argument("--learning-rate", type=float, default=plan.optimization.learning_rate)
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--device", default=plan.device, help="torch device of the training")
    parser.add_argument(
        "--single-precision", action="store_true", help="compute in float32, not bfloat16"
    )


def branch_plan(options: argparse.Namespace) -> BranchPlan:
    """Plan of the command line."""
    plan = BranchPlan()
    optimization = replace(
        plan.optimization, iterations=options.iterations, learning_rate=options.learning_rate
    )
    return replace(
        plan,
        optimization=optimization,
        seed=options.seed,
        half_precision=not options.single_precision,
        device=options.device,
    )


def run_adapt_scanner(options: argparse.Namespace) -> int:
    """Adapt a bundle as the options say."""
    adaptation = Adaptation(
        options.name,
        DeviceFamily(options.family) if options.family else None,
        options.start_from,
        phantoms=options.phantoms,
    )
    bundle = load_bundle(options.bundle or bundled_models())
    adapted = adapt_scanner(
        bundle,
        adaptation,
        [Folder(path) for path in options.data],
        options.out,
        branch_plan(options),
        held_out=options.held_out,
        on_progress=_say,
    )
    sys.stdout.write(
        f"{options.out}: bundle {adapted.manifest.name} {adapted.manifest.version}\n"
        f"Choose the branch with: retina-triage run SCAN --bundle {options.out} "
        f"--scanner {options.name}\n"
    )
    return 0


def _say(progress: Progress) -> None:
    if progress.message:
        sys.stderr.write(f"{progress.done}/{progress.total} {progress.message}\n")
