"""`retina-triage phantom`: synthetic scans with complete truth, and how real they look."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from RetinaTriageLib.cli.geometry import add_geometry_options, read_stated_volume
from RetinaTriageLib.cli.progress_bar import progress_bar
from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one action for each kind of phantom set, and the comparison."""
    kinds = parser.add_subparsers(title="kinds", required=True, metavar="KIND")
    _add_volume(kinds)
    for name, help_text, command in (
        ("stacks", "training set for segmentation: short stacks of B-scans", write_stacks),
        ("grids", "training set for classification: whole tissue maps as grids", write_grids),
    ):
        kind = kinds.add_parser(name, help=help_text, description=help_text)
        kind.add_argument("--count", type=int, required=True, help="how many samples")
        kind.add_argument("--first-seed", type=int, default=0, help="one sample a seed, from here")
        kind.add_argument("--out", type=Path, required=True, help="folder; what is there is kept")
        kind.set_defaults(command=command)
    _add_compare(kinds)


def _add_volume(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from RetinaTriageLib.phantoms.devices import SCANNERS
    from RetinaTriageLib.phantoms.eye import Disease

    kind = kinds.add_parser(
        "volume",
        help="one scan, its tissue map and its truth",
        description="Writes FILE.nrrd (gray), FILE.seg.nrrd (tissue map) and FILE.json (truth).",
    )
    kind.add_argument("--seed", type=int, required=True, help="equal seeds give equal phantoms")
    kind.add_argument("--out", type=Path, required=True, metavar="FILE.nrrd")
    kind.add_argument(
        "--disease",
        nargs="*",
        choices=[disease.value for disease in Disease],
        metavar="NAME",
        help="what the eye has, nothing for a healthy one; drawn where the option is missing: "
        + ", ".join(disease.value for disease in Disease),
    )
    kind.add_argument("--scanner", choices=list(SCANNERS), default="spectralis")
    kind.add_argument("--bscans", type=int, help="number of B-scans over the scanner's field")
    kind.add_argument("--overwrite", action="store_true", help="replace files that are there")
    kind.set_defaults(command=write_phantom_volume)


def _add_compare(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from RetinaTriageLib.phantoms.eye import Disease

    kind = kinds.add_parser(
        "compare",
        help="show how phantoms differ from real B-scans",
        description="Compares phantoms on the raster of a real scan with that scan, in a figure "
        "and in a table; layers of both are found by graph search.",
    )
    add_geometry_options(kind)
    kind.add_argument("--out", type=Path, required=True, metavar="FIGURE.png")
    kind.add_argument("--count", type=int, default=24, help="B-scans of either kind (default 24)")
    kind.add_argument("--first-seed", type=int, default=0, help="of the phantoms, one a B-scan")
    kind.add_argument(
        "--disease",
        nargs="*",
        choices=[disease.value for disease in Disease],
        metavar="NAME",
        help="what the phantoms have; drawn where the option is missing",
    )
    kind.set_defaults(command=compare)


def write_phantom_volume(parsed: argparse.Namespace) -> int:
    """Write one phantom; returns the exit code."""
    from RetinaTriageLib.phantoms.description import describe_phantom
    from RetinaTriageLib.phantoms.devices import SCANNERS, with_bscans
    from RetinaTriageLib.phantoms.eye import diseases_named
    from RetinaTriageLib.phantoms.phantom import make_phantom
    from RetinaTriageLib.tissues import TISSUES
    from RetinaTriageLib.writers.segmentation import write_segmentation
    from RetinaTriageLib.writers.volume_file import write_volume
    from RetinaTriageLib.writers.whole_files import require_free_files, whole_files

    out: Path = parsed.out
    if not out.name.endswith(".nrrd") or out.name.endswith(".seg.nrrd"):
        msg = f"Found --out {out.name}; expected a name like phantom.nrrd."
        raise InputError(msg)
    _require_seed(parsed.seed)
    paths = (out, out.with_suffix(".seg.nrrd"), out.with_suffix(".json"))
    require_free_files(*paths, overwrite=parsed.overwrite)
    device = SCANNERS[parsed.scanner]
    if parsed.bscans is not None:
        device = with_bscans(device, parsed.bscans)
    with progress_bar(sys.stderr) as on_progress:
        phantom = make_phantom(
            parsed.seed, device, diseases=diseases_named(parsed.disease), on_progress=on_progress
        )
    truth = describe_phantom(phantom, parsed.seed, device)
    with whole_files(*paths) as (gray, labels, facts):
        write_volume(phantom.volume, gray)
        write_segmentation(phantom.tissue_map, phantom.volume, TISSUES, labels)
        facts.write_text(json.dumps(truth, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    sys.stdout.write(
        f"{out}: {', '.join(phantom.truth.conditions)}; referral {phantom.truth.referral}, "
        f"{phantom.placement.laterality.value}\n"
    )
    return 0


def write_stacks(parsed: argparse.Namespace) -> int:
    """Write a training set for segmentation; returns the exit code."""
    from RetinaTriageLib.training.phantom_sets import write_stack

    return _write_set(parsed, write_stack)


def write_grids(parsed: argparse.Namespace) -> int:
    """Write a training set for classification; returns the exit code."""
    from RetinaTriageLib.training.phantom_sets import write_grid

    return _write_set(parsed, write_grid)


def compare(parsed: argparse.Namespace) -> int:
    """Compare phantoms with a real scan; returns the exit code."""
    from RetinaTriageLib.phantoms.eye import diseases_named
    from RetinaTriageLib.training.phantom_realism import compare_with_phantoms
    from RetinaTriageLib.training.phantom_realism_figure import draw_comparison
    from RetinaTriageLib.writers.whole_files import whole_files

    if parsed.out.suffix != ".png":
        msg = f"Found --out {parsed.out.name}; expected a name like figure.png."
        raise InputError(msg)
    _require_seed(parsed.first_seed)
    volume = read_stated_volume(parsed)
    with progress_bar(sys.stderr) as on_progress:
        comparison = compare_with_phantoms(
            volume,
            count=parsed.count,
            first_seed=parsed.first_seed,
            diseases=diseases_named(parsed.disease),
            on_progress=on_progress,
        )
    with whole_files(parsed.out) as (figure,):
        draw_comparison(comparison, figure)
    sys.stdout.write(comparison.table() + f"Figure: {parsed.out}\n")
    return 0


def _write_set(parsed: argparse.Namespace, write: Callable[[int, Path], Path]) -> int:
    """Write one sample a seed; samples that are there are kept, so that a stopped run goes on."""
    from RetinaTriageLib.training.phantom_sets import sample_path

    if parsed.count < 1:
        msg = f"Found --count {parsed.count}; expected at least 1."
        raise InputError(msg)
    _require_seed(parsed.first_seed)
    kept = 0
    try:
        with progress_bar(sys.stderr) as on_progress:
            for index in range(parsed.count):
                seed = parsed.first_seed + index
                if sample_path(seed, parsed.out).exists():
                    kept += 1
                else:
                    write(seed, parsed.out)
                on_progress(Progress("phantoms", index + 1, parsed.count))
    except OSError as error:
        msg = f"{parsed.out} could not be written ({error}). Make room or choose another folder."
        raise OutputError(msg) from error
    sys.stdout.write(f"{parsed.out}: {parsed.count - kept} samples written, {kept} kept\n")
    return 0


def _require_seed(seed: int) -> None:
    if seed < 0:
        msg = f"Found seed {seed}; expected 0 or more."
        raise InputError(msg)
