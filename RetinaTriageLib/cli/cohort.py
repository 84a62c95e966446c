"""`retina-triage cohort`: many scans from a folder or a list to one table."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.errors import CancelledError, InputError
from RetinaTriageLib.operating_points import OperatingPoint
from RetinaTriageLib.result import RESEARCH_USE

if TYPE_CHECKING:
    from RetinaTriageLib.cohort.plan import CohortPlan
    from RetinaTriageLib.cohort.run_cohort import Engine, Summary

GPU_JOBS, CPU_JOBS = 1.0, 0.5  # helper processes a core: networks on the CPU need the cores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "input", type=Path, help="folder with scans, or a .csv list with a column file"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the cohort; a stopped run goes on there"
    )
    parser.add_argument(
        "--save",
        default="maps",
        choices=("maps", "tables"),
        help="what is kept of each case: all that run writes (default), or its numbers alone",
    )
    parser.add_argument(
        "--keep-identifiers",
        action="store_true",
        help="keep patient numbers, visit dates and other identifiers of the files; default: none",
    )
    scans = parser.add_argument_group(
        "scan geometry", "of every scan, unless a list says otherwise"
    )
    scans.add_argument(
        "--spacing-um", type=float, nargs=3, metavar=("BSCAN", "DEPTH", "WIDTH"), help="in µm"
    )
    scans.add_argument("--scanner", metavar="NAME", help="scanner family or adapted scanner")
    model = parser.add_argument_group("model")
    model.add_argument("--bundle", type=Path, help="bundle folder or zip; default: the bundled one")
    model.add_argument(
        "--bscan-bundle",
        type=Path,
        help="whole-image classifiers whose verdict stands beside the tissue maps'",
    )
    model.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    model.add_argument("--slab", type=int, help="B-scans at a time; default: what suits the device")
    model.add_argument(
        "--operating-point",
        default=OperatingPoint.BALANCED.value,
        choices=[point.value for point in OperatingPoint],
    )
    engine = parser.add_argument_group("engine")
    engine.add_argument("--engine", default="local", choices=("local", "ray"))
    engine.add_argument(
        "--jobs", type=int, metavar="N", help="processes that read and write, beside each network"
    )
    engine.add_argument(
        "--read-timeout", type=float, default=600.0, metavar="S", help="of one scan (default 600)"
    )
    engine.add_argument(
        "--ray-address", default="auto", help="of an existing Ray cluster (default: auto)"
    )
    engine.add_argument(
        "--ray-cpus",
        type=int,
        default=4,
        metavar="N",
        help="cores of each set of networks where Ray has no GPU (default 4)",
    )
    parser.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Work a cohort; returns the exit code."""
    from RetinaTriageLib.cohort.progress_line import progress_line
    from RetinaTriageLib.cohort.run_cohort import find_inputs, run_cohort
    from RetinaTriageLib.cohort.units import Facts
    from RetinaTriageLib.volume import VoxelSpacing

    spacing_um = tuple(parsed.spacing_um) if parsed.spacing_um else None
    if spacing_um:
        VoxelSpacing.from_um(*spacing_um)
    inputs = find_inputs(
        parsed.input, parsed.out, Facts(scanner=parsed.scanner, spacing_um=spacing_um)
    )
    for sentence in inputs.said:
        sys.stderr.write(f"{sentence}\n")
    try:
        with progress_line(sys.stderr) as on_count:
            summary = run_cohort(_plan(parsed), inputs, _engine(parsed), on_count)
    except KeyboardInterrupt:
        msg = f"Stopped; what is done is in {parsed.out}. The same command goes on with the rest."
        raise CancelledError(msg) from None
    sys.stdout.write(_report(summary, parsed.out))
    return 0


def _plan(parsed: argparse.Namespace) -> CohortPlan:
    from RetinaTriageLib.bundle import bundled_models
    from RetinaTriageLib.cohort.plan import CohortPlan, Helpers
    from RetinaTriageLib.cohort.write_task import Save
    from RetinaTriageLib.inference.allocator import keep_freed_memory

    keep_freed_memory()
    jobs = parsed.jobs if parsed.jobs is not None else _jobs(parsed.device)
    if jobs < 1 or parsed.read_timeout <= 0 or parsed.ray_cpus < 1:
        msg = (
            f"Found --jobs {jobs}, --read-timeout {parsed.read_timeout:g}, --ray-cpus "
            f"{parsed.ray_cpus}; expected each above 0."
        )
        raise InputError(msg)
    return CohortPlan(
        out_dir=parsed.out.resolve(),
        bundle=(parsed.bundle or bundled_models()).resolve(),
        compute=parsed.device,
        slab_bscans=parsed.slab,
        operating_point=OperatingPoint(parsed.operating_point),
        save=Save(parsed.save),
        keep_identifiers=parsed.keep_identifiers,
        helpers=Helpers.of(jobs, parsed.read_timeout),
        bscan_bundle=parsed.bscan_bundle.resolve() if parsed.bscan_bundle else None,
    )


def _jobs(device: str) -> int:
    import torch

    on_gpu = device != "cpu" and torch.cuda.is_available()
    return max(2, int((os.cpu_count() or 1) * (GPU_JOBS if on_gpu else CPU_JOBS)))


def _engine(parsed: argparse.Namespace) -> Engine:
    if parsed.engine == "local":
        from RetinaTriageLib.cohort.run_cohort import local_engine

        return local_engine
    from RetinaTriageLib.cohort.ray_engine import ray_engine

    return ray_engine(parsed.ray_address, parsed.ray_cpus)


def _report(summary: Summary, out_dir: Path) -> str:
    from RetinaTriageLib.cohort.table import has_pyarrow

    lines = [f"{summary.rows} cases, {summary.failures} failures"]
    if summary.worked:
        lines.append(
            f"{summary.worked} cases in {summary.seconds:.0f} s, "
            f"{summary.seconds / summary.worked:.2f} s each; the networks computed "
            f"{summary.computing * 100:.0f} % of the time"
        )
    if summary.failures:
        lines.append(f"What failed and why: {out_dir / 'failures.csv'}")
    if not has_pyarrow():
        lines.append("No cohort.parquet: install pyarrow with pip install 'retina-triage[cohort]'")
    lines += [f"Table: {out_dir / 'cohort.csv'}", f"Page: {out_dir / 'index.html'}", RESEARCH_USE]
    return "\n".join(lines) + "\n"
