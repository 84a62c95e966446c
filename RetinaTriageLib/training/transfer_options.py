"""Options of ``train transfer`` that make its plan: backbone, changes of pictures, learning."""

from __future__ import annotations

import argparse
from dataclasses import replace

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Evidence, Head
from RetinaTriageLib.networks.bscan import OWN
from RetinaTriageLib.training.attention import AttentionPlan
from RetinaTriageLib.training.image_augment import ImageAugmentation
from RetinaTriageLib.training.transfer_backbone import DEFAULT_BUNDLE, HUB, BackboneSource
from RetinaTriageLib.training.transfer_plan import TransferPlan


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Add the options, with what a plan holds unless told otherwise."""
    plan = TransferPlan()
    network = parser.add_argument_group("network")
    network.add_argument(
        "--backbone",
        default=plan.source.backbone,
        help="'encoder' or 'decoder', RetinaTriage's own segmentation network up to its deepest or "
        "its last features, or 'timm:NAME' (default %(default)s)",
    )
    network.add_argument(
        "--weights",
        help="first weights: 'random'; 'hub' (default of timm); a .safetensors file; or, for the "
        "own network, a bundle or the run folder of a segmentation network (default: bundle "
        "macula)",
    )
    network.add_argument("--member", type=int, default=plan.source.member, help="of the bundle")
    network.add_argument("--branch", default=plan.source.branch, help="scanner branch to take")
    network.add_argument(
        "--unfreeze-from",
        metavar="STAGE",
        help="first stage of the backbone that learns, or 'all'; frozen unless given",
    )
    network.add_argument(
        "--head",
        choices=[head.value for head in Head],
        default=plan.head.value,
        help="one class a picture, or each class present or absent on its own",
    )
    network.add_argument(
        "--evidence",
        choices=[evidence.value for evidence in Evidence],
        default=plan.evidence.value,
        help="what a score rests on: the whole picture, or the places that speak most for a class, "
        "which suits small lesions and occlusion tests; places need the own network",
    )
    network.add_argument(
        "--attention",
        type=int,
        default=0,
        metavar="UNITS",
        help="train attention over the B-scans of a volume, with so many hidden units (16 serve); "
        "needs a CSV with a column that names the volume",
    )
    network.add_argument("--size", type=int, nargs=2, metavar=("DEPTH", "WIDTH"), default=plan.size)
    _add_change_options(parser, plan.augmentation)
    learning = parser.add_argument_group("learning")
    learning.add_argument("--iterations", type=int, default=plan.optimization.iterations)
    learning.add_argument("--learning-rate", type=float, default=plan.optimization.learning_rate)
    learning.add_argument("--weight-decay", type=float, default=plan.optimization.weight_decay)
    learning.add_argument("--batch-size", type=int, default=plan.batch_size)
    learning.add_argument(
        "--copies",
        type=int,
        default=plan.copies,
        help="versions of a picture that are cached for a frozen backbone, all but one changed",
    )
    learning.add_argument("--smoothing", type=float, default=plan.smoothing, help="of labels")
    learning.add_argument(
        "--class-weights",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        default=plan.class_weight_limits,
        help="limits of the weights of frequent and of rare classes; 1 1 weighs them alike",
    )
    learning.add_argument("--seed", type=int, default=plan.seed)
    learning.add_argument("--device", default=plan.device, help="torch device")
    learning.add_argument(
        "--single-precision", action="store_true", help="compute in float32, not bfloat16"
    )


def plan_of(options: argparse.Namespace) -> TransferPlan:
    """Plan as the options say.

    Raises
    ------
    InputError
        If a number is out of its range.
    """
    if options.attention < 0:
        msg = f"Found --attention {options.attention}; expected 0, for none, or more."
        raise InputError(msg)
    for name in ("copies", "batch_size", "iterations"):
        if getattr(options, name) < 1:
            msg = f"Found --{name.replace('_', '-')} {getattr(options, name)}; expected 1 or more."
            raise InputError(msg)
    plan = TransferPlan()
    usual = str(DEFAULT_BUNDLE) if options.backbone in OWN else HUB
    attention = None
    if options.attention:
        attention = AttentionPlan(options.attention, absent=tuple(options.normal))
    depth, width = options.size
    low, high = options.class_weights
    return replace(
        plan,
        source=BackboneSource(
            options.backbone, options.weights or usual, options.member, options.branch
        ),
        head=Head(options.head),
        size=(depth, width),
        unfreeze_from=options.unfreeze_from,
        optimization=replace(
            plan.optimization,
            iterations=options.iterations,
            learning_rate=options.learning_rate,
            weight_decay=options.weight_decay,
        ),
        augmentation=ImageAugmentation(
            rotation_degrees=options.rotation,
            crop=options.crop,
            stretch=options.stretch,
            flip_width_chance=options.flip_width,
            flip_depth_chance=options.flip_depth,
            brightness=options.brightness,
            contrast=options.contrast,
        ),
        copies=options.copies,
        batch_size=options.batch_size,
        smoothing=options.smoothing,
        class_weight_limits=(low, high),
        seed=options.seed,
        half_precision=not options.single_precision,
        device=options.device,
        evidence=Evidence(options.evidence),
        attention=attention,
    )


def _add_change_options(parser: argparse.ArgumentParser, changes: ImageAugmentation) -> None:
    group = parser.add_argument_group("changes of pictures")
    group.add_argument("--rotation", type=float, default=changes.rotation_degrees, help="degrees")
    group.add_argument("--crop", type=float, default=changes.crop, help="share of a side, 0 to 1")
    group.add_argument("--stretch", type=float, default=changes.stretch, help="share of the width")
    group.add_argument(
        "--flip-width",
        type=float,
        default=changes.flip_width_chance,
        metavar="CHANCE",
        help="mirrored left to right, as the other eye is",
    )
    group.add_argument(
        "--flip-depth",
        type=float,
        default=changes.flip_depth_chance,
        metavar="CHANCE",
        help="upside down; only where this makes sense, which it does not in B-scans",
    )
    group.add_argument("--brightness", type=float, default=changes.brightness)
    group.add_argument("--contrast", type=float, default=changes.contrast)
