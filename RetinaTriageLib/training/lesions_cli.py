"""Commands ``train lesions`` and ``train lesion-names``: what the trees that name lesions need."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from RetinaTriageLib.bundle import Bundle, bundled_models, load_bundle
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.inference.compute import Compute, choose_compute
from RetinaTriageLib.inference.finish_maps import UNFINISHED
from RetinaTriageLib.inference.lesion_names import measured_lesions
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.answered_cases import AnsweredScan
from RetinaTriageLib.training.case_options import add_case_options, add_stack_options, stated_cases
from RetinaTriageLib.training.lesion_samples import MeasuredLesions, with_truth, write_lesions
from RetinaTriageLib.training.lesion_scans import changed_gray, stack_cases
from RetinaTriageLib.training.lesion_training import LesionPlan, train_lesion_names
from RetinaTriageLib.training.map_grids import automatic_maps


def add_lesion_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands; each sets ``command``, which takes the options."""
    lesions = subparsers.add_parser(
        "lesions",
        help="measure lesions that a bundle's segmenters find, for train lesion-names",
        description="Writes the lesions of the tissue maps of every segmenter of a bundle, before "
        "they are named, with the tissues that were drawn there, as .npz files.",
    )
    add_case_options(lesions)
    add_stack_options(lesions)
    lesions.add_argument(
        "--changed", type=int, default=0, help="times that a scan is measured on other gray"
    )
    lesions.set_defaults(command=run_lesions)
    names = subparsers.add_parser(
        "lesion-names", help="train the trees that say what each lesion of a tissue map is"
    )
    names.add_argument("data", type=Path, nargs="+", metavar="FOLDER", help="of train lesions")
    names.add_argument("--out", type=Path, required=True, help="folder for best.safetensors")
    names.add_argument(
        "--held-out", type=Path, action="append", default=[], help="folder to validate on"
    )
    plan = LesionPlan()
    names.add_argument("--rounds", type=int, default=plan.rounds, help="trees of a tissue")
    names.add_argument("--leaves", type=int, default=plan.leaves, help="of a tree, at most")
    names.add_argument("--learning-rate", type=float, default=plan.learning_rate)
    names.add_argument(
        "--sure",
        type=float,
        default=plan.sure,
        help="chance from which the trees rename a lesion of a size that they did not learn",
    )
    names.add_argument(
        "--sure-of-fluid",
        type=float,
        default=plan.sure_of_fluid,
        help="from which they rename fluid",
    )
    names.add_argument("--seed", type=int, default=plan.seed)
    names.set_defaults(command=run_lesion_names)


def run_lesions(options: argparse.Namespace) -> int:
    """Write the lesions that the options ask for."""
    cases = stated_cases(options, stack_cases(options.stacks, options.spacing_um))
    bundle = load_bundle(options.bundle or bundled_models())
    compute = choose_compute(options.device)
    copies = [f"_changed{number}" if number else "" for number in range(options.changed + 1)]
    names = [f"{entry.name}{copy}" for copy in copies for entry in bundle.manifest.segmenters]

    def lesions_of(scan: AnsweredScan) -> dict[str, MeasuredLesions]:
        found = _lesions(scan, bundle, compute, len(copies))
        return dict(zip(names, found, strict=True))

    written = write_lesions(cases, lesions_of, names, options.out, _say)
    sys.stdout.write(f"{options.out}: lesions of {written} new tissue maps of {len(cases)} scans\n")
    return 0


def run_lesion_names(options: argparse.Namespace) -> int:
    """Train the trees as the options say."""
    plan = replace(
        LesionPlan(),
        rounds=options.rounds,
        leaves=options.leaves,
        learning_rate=options.learning_rate,
        sure=options.sure,
        sure_of_fluid=options.sure_of_fluid,
        seed=options.seed,
    )
    figures = train_lesion_names(
        plan, options.data, options.out, held_out=options.held_out, on_progress=_say
    )
    for name, dice in figures.items():
        if math.isnan(dice):
            continue
        sys.stdout.write(f"Dice of {name}: {dice:.3f}\n")
    return 0


def _lesions(
    scan: AnsweredScan, bundle: Bundle, compute: Compute, times: int
) -> Iterator[MeasuredLesions]:
    """Lesions of every segmenter's map, before any naming; then again on changed gray."""
    if scan.codes is None:
        msg = (
            f"{scan.volume.name}: found no segmentation; expected one, which says what lesions "
            "truly are. Draw the tissues that you know."
        )
        raise InputError(msg)
    maps = automatic_maps(scan.volume, bundle, compute, lambda _done: None, UNFINISHED).tissue_maps
    for number in range(times):
        volume = changed_gray(scan.volume, number) if number else scan.volume
        for tissue_map, features in zip(maps, measured_lesions(volume, maps), strict=True):
            yield with_truth(features, tissue_map, scan.codes)


def _say(progress: Progress) -> None:
    sys.stderr.write(f"{progress.done}/{progress.total} {progress.message}\n")
