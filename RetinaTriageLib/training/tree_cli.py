"""Commands that train what is no network: a forest, the table of graph search, boosted trees."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.boosted_training import BoostedPlan, train_boosted
from RetinaTriageLib.training.forest_training import ForestPlan, train_forest
from RetinaTriageLib.training.gradual_boosting import BoostingPlan
from RetinaTriageLib.training.graph_search_training import GraphSearchPlan, train_graph_search
from RetinaTriageLib.training.measured_maps import MeasuringPlan
from RetinaTriageLib.training.patients import Resampling
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.stack_spacing import device_spacing
from RetinaTriageLib.volume import VoxelSpacing

EVERY = 20  # progress is printed each time that so many samples are done


def add_tree_commands(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    folder: Callable[[str], Folder],
) -> None:
    """Add one command a method; each sets ``command``, which takes the options.

    Parameters
    ----------
    folder : type of an option that names a folder of samples
    """
    forest = subparsers.add_parser(
        "forest-segmentation", help="train a random forest on labeled B-scans"
    )
    _add_folders(forest, folder, spacing=True)
    plan = ForestPlan()
    forest.add_argument("--trees", type=int, default=plan.trees)
    forest.add_argument("--depth", type=int, default=plan.depth)
    forest.add_argument("--stacks", type=int, default=plan.stacks, help="stacks to learn from")
    forest.add_argument("--voxels", type=int, default=plan.voxels, help="of a tissue and B-scan")
    forest.add_argument("--seed", type=int, default=plan.seed)
    forest.set_defaults(command=run_forest)

    search = subparsers.add_parser(
        "graph-search-segmentation", help="count what lies between layer surfaces"
    )
    _add_folders(search, folder, spacing=True)
    search.add_argument("--stacks", type=int, default=GraphSearchPlan().stacks, help="of a folder")
    search.set_defaults(command=run_graph_search)

    boosted = subparsers.add_parser(
        "boosted-classification", help="train boosted trees on measurements of tissue maps"
    )
    _add_folders(boosted, folder, spacing=False)
    judges = BoostedPlan()
    trees = judges.boosting
    boosted.add_argument("--rounds", type=int, default=trees.rounds, help="trees of an outcome")
    boosted.add_argument("--depth", type=int, default=trees.depth)
    boosted.add_argument("--learning-rate", type=float, default=trees.learning_rate)
    boosted.add_argument(
        "--softness",
        type=float,
        default=trees.softness,
        help="share of the maps below a threshold, and above, over which a split turns; 0: none",
    )
    boosted.add_argument(
        "--drawn",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="true maps, to learn from with the errors of segmenters that the other folders show; "
        "may be given several times",
    )
    measuring = judges.measuring
    boosted.add_argument("--samples", type=int, default=measuring.samples, help="of a folder")
    boosted.add_argument("--copies", type=int, default=measuring.copies, help="changed, a map")
    boosted.add_argument("--seed", type=int, default=judges.seed)
    boosted.add_argument(
        "--members",
        type=int,
        default=judges.members,
        help="classifiers, each with a seed of its own, in folders member_1, member_2, ...",
    )
    boosted.add_argument(
        "--resampling",
        choices=[way.value for way in Resampling],
        default=judges.resampling.value,
        help="of the maps of several members: all, or patients drawn with replacement",
    )
    boosted.set_defaults(command=run_boosted)


def run_forest(options: argparse.Namespace) -> int:
    """Train a random forest as the options say."""
    plan = ForestPlan(
        trees=options.trees,
        depth=options.depth,
        stacks=options.stacks,
        voxels=options.voxels,
        seed=options.seed,
    )
    _print_figures(
        train_forest(
            plan,
            options.data,
            _spacings(options),
            options.out,
            held_out=options.held_out,
            on_progress=_print,
        )
    )
    return 0


def run_graph_search(options: argparse.Namespace) -> int:
    """Count the table of graph search as the options say."""
    _print_figures(
        train_graph_search(
            GraphSearchPlan(stacks=options.stacks),
            options.data,
            _spacings(options),
            options.out,
            held_out=options.held_out,
            on_progress=_print,
        )
    )
    return 0


def run_boosted(options: argparse.Namespace) -> int:
    """Train boosted trees as the options say."""
    boosting = BoostingPlan(
        rounds=options.rounds,
        depth=options.depth,
        learning_rate=options.learning_rate,
        softness=options.softness,
    )
    measuring = MeasuringPlan(options.samples, options.copies, seed=options.seed)
    plan = BoostedPlan(
        boosting,
        measuring,
        seed=options.seed,
        members=options.members,
        resampling=Resampling(options.resampling),
    )
    _print_figures(
        train_boosted(
            plan,
            options.data,
            options.out,
            drawn=options.drawn,
            held_out=options.held_out,
            on_progress=_print,
        )
    )
    return 0


def _add_folders(
    parser: argparse.ArgumentParser, folder: Callable[[str], Folder], *, spacing: bool
) -> None:
    parser.add_argument(
        "data", type=folder, nargs="+", metavar="FOLDER[=WEIGHT]", help="folders of .npz samples"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for best.safetensors")
    parser.add_argument(
        "--held-out", type=Path, action="append", default=[], help="folder to validate on"
    )
    if spacing:
        parser.add_argument(
            "--spacing-um",
            type=device_spacing,
            action="append",
            required=True,
            metavar="DEVICE=DEPTH,WIDTH",
            help="spacing of the B-scans of a device",
        )


def _spacings(options: argparse.Namespace) -> Mapping[str, VoxelSpacing]:
    return {stated.device: stated.spacing for stated in options.spacing_um}


def _print(progress: Progress) -> None:
    if progress.done % EVERY == 0 or progress.message:
        line = f"{progress.stage} {progress.done}/{progress.total} {progress.message}"
        print(line.rstrip(), flush=True)  # noqa: T201 - the command's output


def _print_figures(figures: Mapping[str, float]) -> None:
    for name, value in figures.items():
        if not math.isnan(value):
            print(f"{name} {value:.4f}")  # noqa: T201 - the command's output
