"""Command ``train fluid-views``: straightened retinas, as ``train fluid`` learns from."""

from __future__ import annotations

import argparse
import sys

from RetinaTriageLib.bundle import bundled_models, load_bundle
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.finish_maps import UNFINISHED
from RetinaTriageLib.progress import Progress
from RetinaTriageLib.training.case_options import (
    add_case_options,
    add_stack_options,
    stated_cases,
)
from RetinaTriageLib.training.fluid_views import write_views
from RetinaTriageLib.training.lesion_scans import stack_cases
from RetinaTriageLib.training.map_grids import automatic_maps
from RetinaTriageLib.volume import LabelArray, OCTVolume


def add_fluid_views_command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """Add the command; it sets ``command``, which takes the options."""
    parser = subparsers.add_parser(
        "fluid-views",
        help="straighten retinas whose fluid is known, for train fluid",
        description="Writes scans along Bruch's membrane, with what is known of their intraretinal "
        "fluid, as .npz files. Where not every tissue is known, a bundle's maps say where the "
        "retina lies.",
    )
    add_case_options(parser)
    add_stack_options(parser)
    parser.set_defaults(command=run_fluid_views)


def run_fluid_views(options: argparse.Namespace) -> int:
    """Write the views that the options ask for."""
    cases = stated_cases(options, stack_cases(options.stacks, options.spacing_um))
    bundle = load_bundle(options.bundle or bundled_models())
    compute = choose_compute(options.device)

    def maps_of(volume: OCTVolume) -> tuple[LabelArray, ...]:
        found = automatic_maps(volume, bundle, compute, lambda _done: None, UNFINISHED)
        return found.tissue_maps

    written = write_views(cases, maps_of, options.out, _say)
    sys.stdout.write(f"{options.out}: {written} new views of {len(cases)} scans\n")
    return 0


def _say(progress: Progress) -> None:
    sys.stderr.write(f"{progress.done}/{progress.total} {progress.message}\n")
