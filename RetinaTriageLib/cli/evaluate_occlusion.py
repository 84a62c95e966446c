"""`retina-triage evaluate occlusion`: whether occlusion tests point at marked lesions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.cli.evaluate_options import (
    Actions,
    add_scanner,
    add_spacing,
    scan_paths,
    scanner_family,
)
from RetinaTriageLib.cli.occlusion_options import add_box_options
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.volume import VoxelSpacing

if TYPE_CHECKING:
    from RetinaTriageLib.evaluation.fluid import FluidScan
    from RetinaTriageLib.evaluation.occlusion_study import Marked
    from RetinaTriageLib.explain.occlusion_files import OcclusionCase
    from RetinaTriageLib.explain.occlusion_map import OcclusionMap
    from RetinaTriageLib.inference.compute import Compute
    from RetinaTriageLib.volume import OCTVolume

FLUID = ("intraretinal_fluid", "subretinal_fluid")


def add_action(actions: Actions) -> None:
    """Add this action."""
    purpose = "see whether occlusion tests point at lesions that a grader marked"
    parser = actions.add_parser("occlusion", help=purpose, description=purpose)
    parser.add_argument(
        "--lesions", type=Path, metavar="FOLDER", help="folder with images and a folder of masks"
    )
    parser.add_argument("--masks", default="fluid", help="name of the folder of masks")
    parser.add_argument("--pattern", default="*", help="of the file names, such as 'S0[89]_*'")
    parser.add_argument("--largest", type=int, metavar="N", help="only the N largest lesions")
    parser.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="B-scans without masks, to be looked at"
    )
    add_scanner(parser)
    add_spacing(parser, "of all B-scans; lesions need it")
    parser.add_argument("--bundle", type=Path, required=True, help="bundle folder or zip")
    parser.add_argument("--class", dest="score", required=True, metavar="NAME")
    parser.add_argument("--out", type=Path, required=True, help="folder of the overlays, made new")
    parser.add_argument(
        "--marks-of",
        type=Path,
        metavar="BUNDLE",
        help="bundle of tissue maps that mark the lesions of --pictures, in place of a grader",
    )
    parser.add_argument(
        "--mark", nargs="+", default=list(FLUID), metavar="TISSUE", help="tissues of --marks-of"
    )
    add_box_options(parser)
    parser.add_argument("--finest", type=int, default=1, help="step to end with, in pixels")
    parser.add_argument("--compute", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.set_defaults(command=occlusion)


def occlusion(parsed: argparse.Namespace) -> int:
    """Test all B-scans; returns the exit code."""
    from RetinaTriageLib.bundle import load_bundle
    from RetinaTriageLib.bundle_images import is_image_bundle, load_image_bundle
    from RetinaTriageLib.evaluation.occlusion_hits import summarize
    from RetinaTriageLib.evaluation.occlusion_study import (
        hits_text,
        marked_fluid,
        study_lesions,
        study_pictures,
    )
    from RetinaTriageLib.explain.box_gray import filled_box
    from RetinaTriageLib.explain.bundle_occlusion import occlude_bscan
    from RetinaTriageLib.explain.lone_bscan import lone_bscan, picture_of
    from RetinaTriageLib.explain.occlusion_files import OcclusionCase
    from RetinaTriageLib.explain.picture_occlusion import OcclusionPlan
    from RetinaTriageLib.inference.allocator import keep_freed_memory
    from RetinaTriageLib.inference.compute import choose_compute
    from RetinaTriageLib.readers.registry import read_volume
    from RetinaTriageLib.writers.case_folder import require_free_folder

    scans = marked_fluid(_lesions(parsed))
    if parsed.lesions is None and parsed.pictures is None:
        msg = "Found neither --lesions nor --pictures; expected one or both."
        raise InputError(msg)
    require_free_folder(parsed.out, overwrite=False)
    keep_freed_memory()
    is_image = is_image_bundle(parsed.bundle)
    bundle = load_image_bundle(parsed.bundle) if is_image else load_bundle(parsed.bundle)
    compute = choose_compute(parsed.compute)

    def test(bscan: OCTVolume) -> OcclusionMap:
        box = filled_box(picture_of(bscan), parsed.box, parsed.gray)
        plan = OcclusionPlan(box=box, finest=parsed.finest)
        return occlude_bscan(
            bscan, bundle, parsed.score, plan, compute=compute, tissue_only=parsed.tissue_only
        )

    def draw(bscan: OCTVolume, found: OcclusionMap) -> OcclusionCase:
        name = f"{bundle.manifest.name} {bundle.manifest.version}"
        return OcclusionCase(found, bscan, 1, parsed.score, name, bundle.manifest.trained_on)

    parsed.out.mkdir(parents=True, exist_ok=True)
    bscans = []
    if parsed.pictures is not None:
        bscans = [lone_bscan(read_volume(p), 0) for p in _picture_paths(parsed.pictures)]
    if parsed.marks_of is not None:
        marked, bscans = _marked(bscans, parsed, compute)
        scans += marked
    with progress_bar(sys.stderr) as on_progress:
        hits = study_lesions(scans, test, draw, parsed.out, on_progress) if scans else ()
    if hits:
        sys.stdout.write(hits_text(hits, summarize(hits)))
    if bscans:
        with progress_bar(sys.stderr) as on_progress:
            maps = study_pictures(bscans, test, draw, parsed.out, on_progress)
        for bscan, found in zip(bscans, maps, strict=True):
            depth, width = found.place
            sys.stdout.write(
                f"{bscan.name:24} P {found.probability:.3f} drop {found.largest:.4f} at depth "
                f"{depth}, A-scan {width}; region {int(found.region.sum())} pixels\n"
            )
    sys.stdout.write(f"{RESEARCH_USE}\n")
    return 0


def _lesions(parsed: argparse.Namespace) -> list[FluidScan]:
    from RetinaTriageLib.evaluation.fluid import FluidFolder, fluid_scans
    from RetinaTriageLib.evaluation.occlusion_study import largest_lesions

    if parsed.lesions is None:
        return []
    if parsed.spacing_um is None:
        msg = "Found --lesions without --spacing-um; expected BSCAN DEPTH WIDTH, in µm."
        raise InputError(msg)
    spacing = VoxelSpacing.from_um(*parsed.spacing_um)
    folder = FluidFolder(
        parsed.lesions, parsed.masks, spacing, scanner_family(parsed), parsed.pattern
    )
    return largest_lesions(fluid_scans(folder), parsed.largest)


def _marked(
    bscans: list[OCTVolume], parsed: argparse.Namespace, compute: Compute
) -> tuple[list[Marked], list[OCTVolume]]:
    """B-scans with what tissue maps find on them, and those on which they find nothing."""
    from RetinaTriageLib.bundle import load_bundle
    from RetinaTriageLib.evaluation.occlusion_marks import map_marks
    from RetinaTriageLib.evaluation.occlusion_study import Marked

    marks = map_marks(load_bundle(parsed.marks_of), parsed.mark, compute)
    found = [Marked(bscan, marks(bscan)) for bscan in bscans]
    return (
        [one for one in found if one.lesion.any()],
        [one.bscan for one in found if not one.lesion.any()],
    )


def _picture_paths(folder: Path) -> list[Path]:
    """Pictures of a folder, or of its folders."""
    below = sorted(path for path in folder.iterdir() if path.is_dir())
    return [path for part in below or [folder] for path in scan_paths([part], separate=True)]
