"""Command ``train transfer``: a classifier of whole images from pictures with a class."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from RetinaTriageLib.bundle_images import write_image_bundle
from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.image_classes import ImageClass, Pooling, require_referral
from RetinaTriageLib.outcomes import CONDITIONS, REFERRAL
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.image_patients import PatientRule
from RetinaTriageLib.training.image_sets import Columns, ImageSet, class_folders, csv_images
from RetinaTriageLib.training.transfer_card import (
    ClassifierFacts,
    require_names,
    transfer_card,
    transfer_manifest,
)
from RetinaTriageLib.training.transfer_job import Scored, TransferJob, cross_validated, trained
from RetinaTriageLib.training.transfer_options import add_plan_options, plan_of
from RetinaTriageLib.training.transfer_plan import Splitting
from RetinaTriageLib.training.transfer_scores import write_scores
from RetinaTriageLib.training.volume_figures import volume_figures

BUNDLE = "bundle"
SCORES = "scores.csv"
TOLD_ITERATIONS = 100


def add_transfer_command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """Add the command; it sets ``command``, which takes the options."""
    parser = subparsers.add_parser(
        "transfer", help="train a classifier of whole images on pictures with a class each"
    )
    _add_data_options(parser)
    add_plan_options(parser)
    _add_bundle_options(parser)
    parser.set_defaults(command=run_transfer)


def run_transfer(options: argparse.Namespace) -> int:
    """Train as the options say; writes ``scores.csv`` and the bundle."""
    pictures = _pictures(options)
    require_names(options.name, pictures.classes)
    classes = _classes(pictures.classes, options)
    bundle: Path = options.out / BUNDLE
    if bundle.exists():
        msg = f"Found {bundle}, which is not overwritten; choose another --out or remove it."
        raise OutputError(msg)
    splitting = Splitting(
        options.held_out_share, options.test_share, options.images_per_class, options.split_seed
    )
    job = TransferJob(plan_of(options), splitting, options.folds, options.members, options.cache)
    scored: Scored | None = None
    if job.folds:
        scored = cross_validated(pictures, job, options.out, _print)
        write_scores(options.out / SCORES, pictures, scored)
        if options.scores_only:
            return 0
    networks, of_split = trained(pictures, job, options.out, _print)
    if scored is None:
        scored = of_split
        write_scores(options.out / SCORES, pictures, scored)
    facts = ClassifierFacts(options.name, "0.1", options.license, options.images_are, classes)
    manifest = transfer_manifest(facts, pictures, job, scored)
    if job.plan.attention is not None:
        measured = volume_figures(networks, of_split.images, job.plan)
        manifest = replace(
            manifest, pooling=Pooling.ATTENTION, measured=(*manifest.measured, *measured)
        )
    named = {f"network{number}": network for number, network in enumerate(networks, 1)}
    write_image_bundle(bundle, manifest, named, transfer_card(manifest, pictures, job))
    for found in manifest.measured:
        print(f"{found.name} {found.value} ({found.data})")  # noqa: T201 - the command's output
    return 0


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group("pictures")
    data.add_argument(
        "data", type=Path, metavar="FOLDER_OR_CSV", help="folder with a folder a class, or a CSV"
    )
    data.add_argument("--images", type=Path, help="folder of the CSV's files, unless its own")
    columns = Columns()
    data.add_argument("--file-column", default=columns.file)
    data.add_argument("--class-column", default=columns.label)
    data.add_argument("--patient-column", default=columns.patient)
    data.add_argument(
        "--scan-column", default=columns.scan, help="volume of a B-scan, for --attention"
    )
    data.add_argument(
        "--patient-pattern",
        metavar="REGEX",
        help="tells patients by file names: its first group, or all of it; '.+' states that "
        "every file is of another patient",
    )
    data.add_argument(
        "--patient-blocks",
        type=int,
        default=0,
        metavar="N",
        help="patients with neighboring numbers stay together, in blocks of N pictures or more",
    )
    split = Splitting()
    data.add_argument("--folds", type=int, default=0, help="cross-validate by patient")
    data.add_argument(
        "--scores-only", action="store_true", help="cross-validate, and train nothing to keep"
    )
    data.add_argument(
        "--held-out-share",
        type=float,
        default=split.held_out_share,
        help="share of pictures by which the best weights are chosen; 0 takes those of the end",
    )
    data.add_argument(
        "--test-share",
        type=float,
        default=split.test_share,
        help="share of pictures that are only measured with",
    )
    data.add_argument("--images-per-class", type=int, help="learn from so many of each class only")
    data.add_argument("--split-seed", type=int, default=split.seed)


def _add_bundle_options(parser: argparse.ArgumentParser) -> None:
    result = parser.add_argument_group("result")
    result.add_argument(
        "--out", type=Path, required=True, help="run folder; goes on where it was, and gets bundle/"
    )
    result.add_argument("--cache", type=Path, help="folder of bottleneck features, unless in --out")
    result.add_argument("--members", type=int, default=1, help="networks that are averaged")
    result.add_argument("--name", default="classifier", help="of the bundle")
    result.add_argument(
        "--license", default="Not stated; ask the maker.", help="of the bundle, a sentence"
    )
    result.add_argument(
        "--images-are",
        default="Not stated; ask the maker.",
        metavar="SENTENCE",
        help="what images it is for, such as 'Macular OCT B-scans, Spectralis.'",
    )
    result.add_argument(
        "--normal", action="append", default=[], metavar="CLASS", help="class without any finding"
    )
    result.add_argument(
        "--referral",
        action="append",
        default=[],
        metavar="CLASS=NAME",
        help=f"referral that a class asks for: {', '.join(REFERRAL.names)}",
    )
    result.add_argument(
        "--condition",
        action="append",
        default=[],
        metavar="CLASS=NAME",
        help="condition of the tissue-map pipeline that means the same",
    )


def _pictures(options: argparse.Namespace) -> ImageSet:
    rule = PatientRule(options.patient_pattern, options.patient_blocks)
    if options.data.is_dir():
        return class_folders(options.data, rule)
    columns = Columns(
        options.file_column, options.class_column, options.patient_column, options.scan_column
    )
    return csv_images(options.data, rule, columns, options.images)


def _classes(names: Sequence[str], options: argparse.Namespace) -> tuple[ImageClass, ...]:
    """Classes with what the options state of them."""
    referrals = _by_class(options.referral, names, "--referral")
    conditions = _by_class(options.condition, names, "--condition")
    _by_class([f"{name}=" for name in options.normal], names, "--normal")
    for referral in referrals.values():
        require_referral(referral)
    for condition in conditions.values():
        _require_condition(condition)
    return tuple(
        ImageClass(
            name,
            name,
            finding=name not in options.normal,
            referral=referrals.get(name),
            condition=conditions.get(name),
        )
        for name in names
    )


def _by_class(stated: Sequence[str], names: Sequence[str], option: str) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in stated)
    strange = sorted(set(pairs) - set(names))
    if strange:
        msg = f"Found {option} of {strange[0]!r}; expected a class: {', '.join(names)}."
        raise InputError(msg)
    return pairs


def _require_condition(name: str) -> None:
    if name not in CONDITIONS.names:
        msg = f"Found condition {name!r}; expected one of {', '.join(CONDITIONS.names)}."
        raise InputError(msg)


def _print(progress: Progress) -> None:
    learns = progress.stage == "train" and progress.done % TOLD_ITERATIONS == 0
    ends = progress.done == progress.total
    if learns or ends or progress.stage == "fold":
        shown = f"{progress.stage} {progress.done}/{progress.total} {progress.message}"
        print(shown.rstrip(), flush=True)  # noqa: T201 - the command's output
