"""`retina-triage bundle`: check a model bundle, or make one of trained networks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from RetinaTriageLib.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of this command."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="verify hashes, weights and manifest")
    check.add_argument("path", type=Path, nargs="?", help="folder or zip; default: the bundled one")
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(command=check_path)
    make = actions.add_parser("make", help="make a bundle of training runs")
    make.add_argument("--out", type=Path, required=True, help="folder of the bundle, made new")
    make.add_argument("--facts", type=Path, required=True, help="JSON: name, version, license, ...")
    make.add_argument("--model-card", type=Path, required=True, help="Markdown")
    make.add_argument("--calibration", type=Path, help="JSON of a calibration")
    for kind in ("segmenter", "classifier"):
        make.add_argument(
            f"--{kind}", type=_named_path, action="append", required=True, metavar="NAME=WEIGHTS"
        )
    make.add_argument("--lesion-namer", type=Path, metavar="WEIGHTS", help="of train lesion-names")
    make.add_argument("--fluid-network", type=Path, metavar="WEIGHTS", help="of train fluid")
    make.set_defaults(command=make_bundle)
    calibrate = actions.add_parser(
        "calibrate",
        help="fit operating points on tissue maps with answers",
        description="Writes the bundle again with factors for its operating points, and with the "
        "sensitivity and specificity that decisions then have, measured by cross-validation.",
    )
    calibrate.add_argument("path", type=Path, help="folder or zip of the bundle")
    calibrate.add_argument(
        "--grids", type=Path, nargs="+", required=True, help="folders of train grids, held out"
    )
    calibrate.add_argument(
        "--line-scans",
        action="store_true",
        help="the maps are of scans of one B-scan: fit points for those, keep those for volumes",
    )
    calibrate.add_argument("--measured-on", required=True, help="sentence: which scans these are")
    calibrate.add_argument("--out", type=Path, required=True, help="folder of the new bundle")
    calibrate.set_defaults(command=calibrate_bundle)


def check_path(parsed: argparse.Namespace) -> int:
    """Print what was verified; an unusable bundle is an error."""
    from RetinaTriageLib.bundle import bundled_models, check_bundle
    from RetinaTriageLib.bundle_images import check_image_bundle, is_image_bundle

    path = parsed.path or bundled_models()
    checks = check_image_bundle(path) if is_image_bundle(path) else check_bundle(path)
    if parsed.json:
        found = {check.what: check.found for check in checks}
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
        return 0
    for check in checks:
        sys.stdout.write(f"{check.what}: {check.found}\n")
    return 0


def make_bundle(parsed: argparse.Namespace) -> int:
    """Write a bundle of trained weights and say what it holds."""
    from RetinaTriageLib.bundle import check_bundle
    from RetinaTriageLib.calibration import IDENTITY, calibration_from_json
    from RetinaTriageLib.training.assemble import assemble_bundle, facts_from_json

    calibration = IDENTITY
    if parsed.calibration is not None:
        calibration = calibration_from_json(_text(parsed.calibration))
    assemble_bundle(
        parsed.out,
        facts_from_json(_text(parsed.facts)),
        dict(parsed.segmenter),
        dict(parsed.classifier),
        _text(parsed.model_card),
        calibration,
        lesion_namer=parsed.lesion_namer,
        fluid_network=parsed.fluid_network,
    )
    for check in check_bundle(parsed.out):
        sys.stdout.write(f"{check.what}: {check.found}\n")
    return 0


def calibrate_bundle(parsed: argparse.Namespace) -> int:
    """Write a calibrated bundle and say what its operating points rest on."""
    from RetinaTriageLib.bundle import load_bundle
    from RetinaTriageLib.cli.progress_bar import progress_bar
    from RetinaTriageLib.training.calibrate import calibrated_bundle
    from RetinaTriageLib.training.judged_grids import judged_scans

    bundle = load_bundle(parsed.path)
    with progress_bar(sys.stderr) as on_progress:
        judged = judged_scans(bundle, parsed.grids, on_progress)
    written = calibrated_bundle(
        parsed.out, bundle, judged, parsed.measured_on, line_scans=parsed.line_scans
    )
    for head in written.vocabulary.heads:
        count = len(judged[head.name].patients) if head.name in judged else 0
        sys.stdout.write(f"{head.name}: {count} scans with an answer\n")
    calibration = written.calibration_of(1) if parsed.line_scans else written.calibration
    for name, gaps in calibration.gaps.items():
        for outcome, reason in gaps.items():
            sys.stdout.write(f"{name}, {outcome} keeps its raw scores: {reason}\n")
    return 0


def _named_path(word: str) -> tuple[str, Path]:
    """Name and path of ``NAME=WEIGHTS``."""
    name, equals, path = word.partition("=")
    if not (name and equals and path):
        msg = f"found {word!r}, expected NAME=WEIGHTS, such as segmenter_1=run/best.safetensors"
        raise argparse.ArgumentTypeError(msg)
    return name, Path(path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read as text ({error}); check its name."
        raise InputError(msg) from error
