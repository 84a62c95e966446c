"""`retina-triage explain occlusion`: hide a box of a B-scan, judge again, see what drops."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.cli.evaluate_options import Actions, add_operating_point
from RetinaTriageLib.cli.geometry import add_geometry_options, read_stated_volume
from RetinaTriageLib.cli.occlusion_options import add_box_options
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.result import RESEARCH_USE

if TYPE_CHECKING:
    from RetinaTriageLib.explain.occlusion_files import OcclusionCase
    from RetinaTriageLib.volume import OCTVolume


def add_action(actions: Actions) -> None:
    """Add this action."""
    purpose = "hide a box of a B-scan wherever it fits, and see how far a score drops"
    parser = actions.add_parser("occlusion", help=purpose, description=purpose)
    add_geometry_options(parser)
    parser.add_argument(
        "--bscan",
        type=int,
        metavar="N",
        help="B-scan of a volume, from 1; needed where it has many",
    )
    parser.add_argument("--bundle", type=Path, required=True, help="bundle folder or zip")
    parser.add_argument(
        "--class",
        dest="score",
        required=True,
        metavar="NAME",
        help="class of a whole-image classifier; or outcome of tissue maps, such as urgent or "
        "conditions.drusen",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder, made new")
    parser.add_argument(
        "--exhaustive", action="store_true", help="box at every position, as in the paper; slow"
    )
    add_box_options(parser)
    parser.add_argument(
        "--share",
        type=float,
        default=0.5,
        help="of the largest drop, that bounds the region of interest (default 0.5)",
    )
    parser.add_argument("--batch", type=int, default=16, help="pictures at a time (default 16)")
    parser.add_argument("--compute", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    add_operating_point(parser)
    parser.set_defaults(command=occlusion)


def occlusion(parsed: argparse.Namespace) -> int:
    """Test one B-scan; returns the exit code."""
    from RetinaTriageLib.bundle import load_bundle
    from RetinaTriageLib.bundle_images import is_image_bundle, load_image_bundle
    from RetinaTriageLib.explain.box_gray import filled_box
    from RetinaTriageLib.explain.bundle_occlusion import occlude_bscan
    from RetinaTriageLib.explain.lone_bscan import lone_bscan, picture_of
    from RetinaTriageLib.explain.occlusion_files import OcclusionCase, write_occlusion
    from RetinaTriageLib.explain.occlusion_map import OcclusionMode
    from RetinaTriageLib.explain.picture_occlusion import OcclusionPlan
    from RetinaTriageLib.inference.allocator import keep_freed_memory
    from RetinaTriageLib.inference.compute import choose_compute
    from RetinaTriageLib.writers.case_folder import require_free_folder
    from RetinaTriageLib.writers.whole_folder import write_whole_folder

    require_free_folder(parsed.out, overwrite=False)
    keep_freed_memory()
    mode = OcclusionMode.EXHAUSTIVE if parsed.exhaustive else OcclusionMode.FAST
    volume = read_stated_volume(parsed)
    number = _bscan_number(volume, parsed.bscan)
    bscan = lone_bscan(volume, number - 1)
    box = filled_box(picture_of(bscan), parsed.box, parsed.gray)
    plan = OcclusionPlan(mode, box, parsed.batch, parsed.share)
    bundle = (
        load_image_bundle(parsed.bundle)
        if is_image_bundle(parsed.bundle)
        else load_bundle(parsed.bundle)
    )
    with progress_bar(sys.stderr) as on_progress:
        found = occlude_bscan(
            bscan,
            bundle,
            parsed.score,
            plan,
            compute=choose_compute(parsed.compute),
            operating_point=OperatingPoint(parsed.operating_point),
            tissue_only=parsed.tissue_only,
            on_progress=on_progress,
        )
    manifest = bundle.manifest
    name = f"{manifest.name} {manifest.version}"
    case = OcclusionCase(found, bscan, number, parsed.score, name, manifest.trained_on)
    write_whole_folder(parsed.out.resolve(), lambda folder: write_occlusion(case, folder))
    sys.stdout.write(_summary(case, parsed.out))
    return 0


def _bscan_number(volume: OCTVolume, stated: int | None) -> int:
    if stated is None and volume.shape[0] > 1:
        msg = (
            f"Found {volume.shape[0]} B-scans in {volume.name}; choose one with --bscan N, from 1."
        )
        raise InputError(msg)
    return 1 if stated is None else stated


def _summary(case: OcclusionCase, folder: Path) -> str:
    found = case.found
    lines = [f"{case.score}: {found.probability:.3f} on {case.bscan.name}"]
    if found.extent is None:
        lines.append(f"No box lowers it (largest drop {found.largest:.2g}).")
    else:
        depth, width = found.place
        rows, columns = found.extent[:2], found.extent[2:]
        lines += [
            f"Largest drop {found.largest:.3f}, box centered on depth {depth}, A-scan {width}.",
            f"Region of interest: depths {rows[0]} to {rows[1]}, A-scans {columns[0]} to "
            f"{columns[1]}, {int(found.region.sum())} pixels.",
        ]
    lines += [f"{found.judged} boxes judged; written to {folder}", RESEARCH_USE]
    return "\n".join(lines) + "\n"
