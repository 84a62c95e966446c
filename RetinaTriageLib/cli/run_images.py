"""`retina-triage run` with whole-image classifiers: alone, or beside the tissue maps."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.cli.geometry import read_stated_volume
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.image_classes import Pooling, with_referrals
from RetinaTriageLib.progress import OnProgress
from RetinaTriageLib.result import RESEARCH_USE

if TYPE_CHECKING:
    from RetinaTriageLib.bscan_verdict import BscanVerdict, ImageTask
    from RetinaTriageLib.bundle_images import ImageBundle
    from RetinaTriageLib.volume import OCTVolume

# What a run of tissue maps can do and one of pictures cannot.
MAP_OPTIONS = ("dicom_seg", "dicom_sr", "nifti", "bscan_bundle")


def add_image_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of whole-image classifiers."""
    group = parser.add_argument_group(
        "B-scan classifier",
        "a bundle of train transfer; alone with --bundle, or beside tissue maps",
    )
    group.add_argument(
        "--bscan-bundle", type=Path, help="bundle whose verdict stands beside the tissue maps'"
    )
    group.add_argument(
        "--pooling",
        choices=[pooling.value for pooling in Pooling],
        help="how B-scans become a volume; default: as the bundle says",
    )
    group.add_argument(
        "--referral-map",
        type=_referral_map,
        metavar="CLASS=REFERRAL,...",
        help="referral that a class asks for, in place of the bundle's",
    )
    group.add_argument(
        "--pictures",
        action="store_true",
        help="the input is a folder of separate pictures of any size, not B-scans of one scan",
    )


def runs_images_alone(parsed: argparse.Namespace) -> bool:
    """Tell whether ``--bundle`` names whole-image classifiers; refuses options that do not fit."""
    from RetinaTriageLib.bundle_images import is_image_bundle

    alone = parsed.bundle is not None and is_image_bundle(parsed.bundle)
    given = parsed.bscan_bundle is not None or alone
    if not given and (parsed.pooling or parsed.referral_map or parsed.pictures):
        msg = (
            "Found --pooling, --referral-map or --pictures without a bundle of whole-image "
            "classifiers; expected one with --bundle or --bscan-bundle."
        )
        raise InputError(msg)
    if parsed.pictures and not alone:
        msg = (
            "Found --pictures, whose pictures are no scan to make tissue maps of; expected a "
            "whole-image classifier with --bundle alone."
        )
        raise InputError(msg)
    unfit = [f"--{name.replace('_', '-')}" for name in MAP_OPTIONS if alone and vars(parsed)[name]]
    if unfit:
        msg = (
            f"Found {', '.join(unfit)} with a whole-image classifier alone, which makes no tissue "
            "maps; leave them out, or give the classifier with --bscan-bundle."
        )
        raise InputError(msg)
    return alone


def judge_beside(
    parsed: argparse.Namespace, volume: OCTVolume, on_progress: OnProgress
) -> BscanVerdict | None:
    """Verdict of the classifiers of ``--bscan-bundle``; None where none was given."""
    if parsed.bscan_bundle is None:
        return None
    return judge_volume(parsed.bscan_bundle, parsed, volume, on_progress)


def judge_volume(
    path: Path, parsed: argparse.Namespace, volume: OCTVolume, on_progress: OnProgress
) -> BscanVerdict:
    """Verdict of a bundle's classifiers on a volume, with the options of the command line."""
    from RetinaTriageLib.bundle_images import load_image_bundle
    from RetinaTriageLib.inference.compute import choose_compute
    from RetinaTriageLib.inference.judge_images import judge_bscans

    bundle = load_image_bundle(path)
    return judge_bscans(
        volume,
        bundle,
        Pooling(parsed.pooling) if parsed.pooling else None,
        task=_task(bundle, parsed),
        compute=choose_compute(parsed.compute),
        on_progress=on_progress,
    )


def run_alone(parsed: argparse.Namespace) -> int:
    """Judge one scan or a folder of pictures; returns the exit code."""
    from RetinaTriageLib.inference.allocator import keep_freed_memory
    from RetinaTriageLib.writers.case_folder import RESULT_FILE, require_free_folder

    require_free_folder(parsed.out, overwrite=parsed.overwrite)
    keep_freed_memory()
    files, summary = _judged_pictures(parsed) if parsed.pictures else _judged_scan(parsed)
    result = files[RESULT_FILE].read_text(encoding="utf-8") if parsed.json else summary
    sys.stdout.write(result)
    return 0


def _judged_scan(parsed: argparse.Namespace) -> tuple[dict[str, Path], str]:
    from RetinaTriageLib.writers.case import REPORT_FILE
    from RetinaTriageLib.writers.image_case import save_image_case
    from RetinaTriageLib.writers.image_report import verdict_words

    volume = read_stated_volume(parsed)
    with progress_bar(sys.stderr) as on_progress:
        verdict = judge_volume(parsed.bundle, parsed, volume, on_progress)
    files = save_image_case(volume, verdict, parsed.out, pdf=parsed.pdf, overwrite=parsed.overwrite)
    lines = [f"{volume.name}: {verdict_words(verdict)}", f"  {verdict.pooled_by}"]
    lines += [f"  Note: {sentence}" for sentence in verdict.origin.notes]
    lines += [f"Report: {files[REPORT_FILE]}", RESEARCH_USE]
    return dict(files), "\n".join(lines) + "\n"


def _judged_pictures(parsed: argparse.Namespace) -> tuple[dict[str, Path], str]:
    from RetinaTriageLib.bscan_verdict import answer
    from RetinaTriageLib.bundle_images import load_image_bundle
    from RetinaTriageLib.inference.compute import choose_compute
    from RetinaTriageLib.inference.judge_images import image_origin, judge_images
    from RetinaTriageLib.readers.pictures import read_separate_pictures
    from RetinaTriageLib.writers.case import REPORT_FILE
    from RetinaTriageLib.writers.image_case import PICTURES_FILE, save_pictures
    from RetinaTriageLib.writers.pictures_page import JudgedPictures

    found = read_separate_pictures(parsed.input)
    pictures = [pixels for _, pixels in found]
    bundle = load_image_bundle(parsed.bundle)
    compute = choose_compute(parsed.compute)
    start = time.perf_counter()
    with progress_bar(sys.stderr) as on_progress:
        scores = judge_images(pictures, bundle, compute=compute, on_progress=on_progress)
    task = _task(bundle, parsed)
    names = [name for name, _ in found] if parsed.keep_identifiers else None
    origin = image_origin(bundle, compute, time.perf_counter() - start)
    judged = JudgedPictures(task, scores, origin, pictures, names)
    files = save_pictures(judged, parsed.out, overwrite=parsed.overwrite)
    counts: dict[str, int] = {}
    for row in scores:
        said = " + ".join(answer(task, row).classes) or "no class"
        counts[said] = counts.get(said, 0) + 1
    classes = ", ".join(f"{said} {count}" for said, count in sorted(counts.items()))
    kept = "" if names else " Pictures are numbered by file name; --keep-identifiers names them."
    lines = [f"{len(pictures)} pictures: {classes}.{kept}", f"Scores: {files[PICTURES_FILE]}"]
    lines.append(f"Report: {files[REPORT_FILE]}")
    return dict(files), "\n".join([*lines, RESEARCH_USE]) + "\n"


def _task(bundle: ImageBundle, parsed: argparse.Namespace) -> ImageTask:
    from RetinaTriageLib.inference.judge_images import bundle_task

    task = bundle_task(bundle)
    return replace(task, classes=with_referrals(task.classes, parsed.referral_map or {}))


def _referral_map(words: str) -> dict[str, str]:
    """Class to referral of ``CNV=urgent,DRUSEN=routine``."""
    pairs = [word.partition("=") for word in words.split(",")]
    if not all(name and equals and referral for name, equals, referral in pairs):
        msg = f"found {words!r}, expected CLASS=REFERRAL, several parted by commas"
        raise argparse.ArgumentTypeError(msg)
    return {name.strip(): referral.strip() for name, _, referral in pairs}
