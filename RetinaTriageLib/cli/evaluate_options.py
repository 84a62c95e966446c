"""Options that the actions of `retina-triage evaluate` share, and what is made of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.readers.pictures import picture_paths
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.volume import DeviceFamily, OCTVolume, VoxelSpacing, with_geometry

if TYPE_CHECKING:
    from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
    from RetinaTriageLib.evaluation.labeled_set import LabeledSet

Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What a module adds its action to."""


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the bundle and where it runs."""
    group = parser.add_argument_group("model")
    group.add_argument("--bundle", type=Path, help="bundle folder or zip; default: the bundled one")
    group.add_argument("--compute", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    group.add_argument("--slab", type=int, help="B-scans at a time; default: what suits the device")
    group.add_argument(
        "--branch-of",
        metavar="SCANNER",
        help="one that the bundle lists, whose branch all scans take; default: by their device",
    )


def add_spacing(parser: argparse.ArgumentParser, where: str, *, required: bool = False) -> None:
    """Add the spacing of scans that do not state it."""
    parser.add_argument(
        "--spacing-um",
        type=float,
        nargs=3,
        required=required,
        metavar=("BSCAN", "DEPTH", "WIDTH"),
        help=f"distance between B-scans, axial and lateral spacing, in µm, {where}",
    )


def add_operating_point(parser: argparse.ArgumentParser) -> None:
    """Add the operating point that scores are decided at."""
    parser.add_argument(
        "--operating-point",
        default=OperatingPoint.BALANCED.value,
        choices=[point.value for point in OperatingPoint],
    )


def add_scanner(parser: argparse.ArgumentParser) -> None:
    """Add the scanner family of scans that do not state it."""
    parser.add_argument("--scanner", choices=[family.value for family in DeviceFamily])


def scanner_family(parsed: argparse.Namespace) -> DeviceFamily | None:
    """Return the scanner family of the command line; None where it is not stated."""
    return DeviceFamily(parsed.scanner) if parsed.scanner else None


def add_time_limit(parser: argparse.ArgumentParser) -> None:
    """Add how long a run that can be continued may go on."""
    parser.add_argument(
        "--minutes", type=float, help="begin no further eye after these, and report on those done"
    )


def time_limit_s(parsed: argparse.Namespace) -> float | None:
    """Return the seconds after which no further eye is begun; None for no limit."""
    return None if parsed.minutes is None else 60 * float(parsed.minutes)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the choice of JSON over text."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def print_json(facts: object) -> None:
    """Print facts as JSON."""
    sys.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def ensemble_runs(parsed: argparse.Namespace) -> EnsembleRuns:
    """Load the bundle of the command line."""
    from RetinaTriageLib.bundle import bundled_models, load_bundle
    from RetinaTriageLib.evaluation.ensemble_runs import EnsembleRuns
    from RetinaTriageLib.inference.allocator import keep_freed_memory
    from RetinaTriageLib.inference.compute import choose_compute

    keep_freed_memory()
    bundle = load_bundle(parsed.bundle or bundled_models())
    return EnsembleRuns(bundle, choose_compute(parsed.compute), parsed.slab, parsed.branch_of)


def labeled_set(parsed: argparse.Namespace) -> LabeledSet:
    """Make the labeled set of the command line: a folder, or phantoms.

    Raises
    ------
    InputError
        If both or neither are asked for, or the folder holds no labeled scan.
    """
    from RetinaTriageLib.evaluation.labeled_set import folder_set, phantom_set, with_spacing
    from RetinaTriageLib.phantoms.devices import SCANNERS, with_bscans

    if (parsed.folder is None) == (parsed.phantoms is None):
        msg = "Expected either a folder of labeled scans or --phantoms N."
        raise InputError(msg)
    if parsed.folder is not None:
        cases = folder_set(parsed.folder)
        spacing = parsed.spacing_um
        return with_spacing(cases, VoxelSpacing.from_um(*spacing)) if spacing else cases
    if parsed.phantoms < 1 or parsed.first_seed is None:
        msg = (
            f"Found --phantoms {parsed.phantoms} --first-seed {parsed.first_seed}; expected at "
            "least one phantom, and a first seed that no training used."
        )
        raise InputError(msg)
    profile = SCANNERS[parsed.scanner]
    if parsed.bscans is not None:
        profile = with_bscans(profile, parsed.bscans)
    return phantom_set(profile, parsed.phantoms, parsed.first_seed)


def scan_paths(scans: Sequence[Path], *, separate: bool) -> list[Path]:
    """List the scans to show; with ``separate`` every picture of a folder is one."""
    paths: list[Path] = []
    for path in scans:
        pictures = picture_paths(path) if separate and path.is_dir() else []
        paths += pictures or [path]
    return paths


def stated_volume(path: Path, parsed: argparse.Namespace) -> OCTVolume:
    """Read a scan; what the command line states fills in what the file does not."""
    volume = read_volume(path)
    spacing = VoxelSpacing.from_um(*parsed.spacing_um) if parsed.spacing_um else None
    return with_geometry(
        volume,
        spacing=spacing if volume.spacing is None else None,
        device=scanner_family(parsed) if volume.device is None else None,
    )
