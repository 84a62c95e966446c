"""Commands ``train segmentation``, ``train classification`` and ``train fluid``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.segmentation_shape import segmentation_config
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.adapt_cli import add_adapt_command
from RetinaTriageLib.training.average_cli import add_average_command
from RetinaTriageLib.training.checkpoints import read_weights
from RetinaTriageLib.training.classification_loop import ClassificationPlan, train_classification
from RetinaTriageLib.training.classification_validation import JOINT_MAPS
from RetinaTriageLib.training.fluid_cli import add_fluid_views_command
from RetinaTriageLib.training.fluid_loop import FluidPlan, train_fluid
from RetinaTriageLib.training.grids_cli import add_grids_command
from RetinaTriageLib.training.grow_cli import add_grow_command
from RetinaTriageLib.training.lesions_cli import add_lesion_commands
from RetinaTriageLib.training.optimization import OptimizationPlan
from RetinaTriageLib.training.patients import Resampling
from RetinaTriageLib.training.real_cli import add_real_command
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.schedule import Schedule
from RetinaTriageLib.training.segmentation_loop import SegmentationPlan, train_segmentation
from RetinaTriageLib.training.train_network import Plan, TrainingPlan
from RetinaTriageLib.training.transfer_cli import add_transfer_command
from RetinaTriageLib.training.tree_cli import add_tree_commands


def add_train_commands(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add one command for each kind of network; each sets ``command``, which takes the options."""
    segmentation = subparsers.add_parser(
        "segmentation", help="train a segmentation network on labeled B-scans"
    )
    _add_options(segmentation, SegmentationPlan())
    _add_class_options(segmentation, SegmentationPlan())
    segmentation.set_defaults(command=run_segmentation)
    classification = subparsers.add_parser(
        "classification", help="train a classification network on tissue maps with answers"
    )
    _add_options(classification, ClassificationPlan())
    _add_class_options(classification, ClassificationPlan())
    classification.add_argument(
        "--penalty-share",
        type=float,
        default=ClassificationPlan().penalty_share,
        help="weight of the expected penalty of referrals beside cross-entropy",
    )
    classification.add_argument(
        "--joint", action="store_true", help="judge all tissue maps of a scan together"
    )
    classification.set_defaults(command=run_classification)
    fluid = subparsers.add_parser(
        "fluid", help="train the network that looks for intraretinal fluid once more"
    )
    _add_options(fluid, FluidPlan())
    fluid.set_defaults(command=run_fluid)
    add_fluid_views_command(subparsers)
    add_grids_command(subparsers)
    add_lesion_commands(subparsers)
    add_real_command(subparsers)
    add_tree_commands(subparsers, weighted_folder)
    add_adapt_command(subparsers)
    add_average_command(subparsers)
    add_grow_command(subparsers)
    add_transfer_command(subparsers)


def run_segmentation(options: argparse.Namespace) -> int:
    """Train a segmentation network as the options say."""
    plan = replace(
        _with_options(SegmentationPlan(), options),
        smoothing=options.smoothing,
        class_weight_limits=_limits(options.class_weights),
    )
    if plan.init_from is not None:
        plan = replace(plan, network=segmentation_config(read_weights(plan.init_from)))
    train_segmentation(
        plan, options.data, options.out, held_out=options.held_out, on_progress=_print
    )
    return 0


def run_classification(options: argparse.Namespace) -> int:
    """Train a classification network as the options say."""
    plan = replace(
        _with_options(ClassificationPlan(), options),
        smoothing=options.smoothing,
        class_weight_limits=_limits(options.class_weights),
        penalty_share=options.penalty_share,
        joint_maps=JOINT_MAPS if options.joint else 0,
    )
    train_classification(
        plan, options.data, options.out, held_out=options.held_out, on_progress=_print
    )
    return 0


def run_fluid(options: argparse.Namespace) -> int:
    """Train the network of fluid as the options say."""
    plan = _with_options(FluidPlan(), options)
    train_fluid(plan, options.data, options.out, held_out=options.held_out, on_progress=_print)
    return 0


def weighted_folder(text: str) -> Folder:
    """Folder of an option ``PATH`` or ``PATH=WEIGHT``.

    Examples
    --------
    >>> weighted_folder("phantoms=0.65").weight
    0.65
    """
    path, separator, weight = text.rpartition("=")
    if not separator:
        return Folder(Path(text))
    try:
        share = float(weight)
    except ValueError:
        share = 0.0
    if share <= 0:
        msg = f"found weight {weight!r} in {text!r}; expected a number above 0"
        raise argparse.ArgumentTypeError(msg)
    return Folder(Path(path), share)


def _add_options(parser: argparse.ArgumentParser, plan: TrainingPlan) -> None:
    _add_data_options(parser)
    _add_learning_options(parser, plan.optimization)
    parser.add_argument("--seed", type=int, default=plan.seed, help="makes one member of many")
    parser.add_argument(
        "--resampling",
        choices=[resampling.value for resampling in Resampling],
        default=plan.resampling.value,
        help="of a member's data: all in another order, or patients drawn with replacement",
    )
    parser.add_argument("--init-from", type=Path, help="weights to start from (.safetensors)")
    parser.add_argument("--device", default=plan.device, help="torch device")
    parser.add_argument(
        "--single-precision", action="store_true", help="compute in float32, not bfloat16"
    )


def _add_class_options(
    parser: argparse.ArgumentParser, plan: SegmentationPlan | ClassificationPlan
) -> None:
    parser.add_argument(
        "--smoothing", type=float, default=plan.smoothing, help="label smoothing, 0 to 1"
    )
    parser.add_argument(
        "--class-weights",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        default=plan.class_weight_limits,
        help="limits of the weights of frequent and of rare classes; 1 1 weighs them alike",
    )


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data",
        type=weighted_folder,
        nargs="+",
        metavar="FOLDER[=WEIGHT]",
        help="folders of samples, drawn from by weight",
    )
    parser.add_argument("--out", type=Path, required=True, help="run folder; resumed where it is")
    parser.add_argument(
        "--held-out",
        type=Path,
        action="append",
        default=[],
        help="folder to validate on, of other patients; may be given several times",
    )


def _add_learning_options(parser: argparse.ArgumentParser, plan: OptimizationPlan) -> None:
    parser.add_argument("--iterations", type=int, default=plan.iterations)
    parser.add_argument("--minutes", type=float, help="end after this time, over all starts")
    parser.add_argument("--learning-rate", type=float, default=plan.learning_rate)
    parser.add_argument(
        "--schedule", choices=[schedule.value for schedule in Schedule], default=plan.schedule.value
    )
    parser.add_argument("--patience", type=int, help="validations without progress that end it")
    parser.add_argument("--validate-iterations", type=int, default=plan.validate_iterations)
    parser.add_argument(
        "--tensorboard", action="store_true", help="write curves for TensorBoard beside log.csv"
    )


def _with_options(plan: Plan, options: argparse.Namespace) -> Plan:
    """Plan with what all networks share as the options say."""
    optimization = replace(
        plan.optimization,
        iterations=options.iterations,
        minutes=options.minutes,
        learning_rate=options.learning_rate,
        schedule=Schedule(options.schedule),
        patience=options.patience,
        validate_iterations=options.validate_iterations,
        tensorboard=options.tensorboard,
    )
    return replace(
        plan,
        optimization=optimization,
        seed=options.seed,
        resampling=Resampling(options.resampling),
        init_from=options.init_from,
        half_precision=not options.single_precision,
        device=options.device,
    )


def _limits(values: list[float]) -> tuple[float, float]:
    low, high = values
    if not 0 < low <= high:
        msg = f"Found --class-weights {low:g} {high:g}; expected two numbers above 0, rising."
        raise InputError(msg)
    return low, high


def _print(progress: Progress) -> None:
    if progress.message:
        print(f"{progress.done}/{progress.total} {progress.message}", flush=True)  # noqa: T201 - the command's output
