"""The whole job in one process, file to report: its first run beside warm ones, on any device.

    python benchmarks/warm_job.py [--shape 49 496 512] [--compute auto] [--memory-gb 6]

The first result is timed from the start of the process; later ones keep the networks, as the
worker of 3D Slicer does. On a GPU the ensemble alone is timed too, with the share of that time in
which the GPU had nothing to do; `--memory-gb` lends the process that much of its memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from RetinaTriageLib.bundle import Bundle
    from RetinaTriageLib.inference.compute import Compute
    from RetinaTriageLib.volume import OCTVolume

STARTED = "RETINA_TRIAGE_STARTED"  # environment: when the process was asked for, seconds of time()


def main() -> None:
    """Make the scan, and measure in a fresh process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, help="default: the one that comes with the package")
    parser.add_argument("--shape", type=int, nargs=3, default=(49, 496, 512))
    parser.add_argument("--compute", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--memory-gb", type=float, help="of the GPU; default: all that is free")
    parser.add_argument("--runs", type=int, default=4, help="the first of which is cold")
    parser.add_argument("--scan", type=Path, help=argparse.SUPPRESS)
    stated = parser.parse_args()
    if stated.scan is not None:
        measure(stated)
        return
    with tempfile.TemporaryDirectory() as folder:
        scan = Path(folder) / "scan.nrrd"
        write_scan(tuple(stated.shape), scan)
        words = [sys.executable, __file__, *sys.argv[1:], "--scan", str(scan)]
        environment = os.environ | {STARTED: str(time.time())}
        subprocess.run(words, check=True, env=environment)


def write_scan(shape: tuple[int, int, int], path: Path) -> None:
    """Write the sample in another size."""
    from engine_agreement import volume_named

    from RetinaTriageLib.writers.volume_file import write_volume

    write_volume(volume_named("sample", shape), path)


def measure(stated: argparse.Namespace) -> None:
    """Print seconds of the cold and the warm runs, and memory."""
    import torch

    from RetinaTriageLib import TriageOptions, read_volume, triage
    from RetinaTriageLib.bundle import bundled_models, load_bundle
    from RetinaTriageLib.inference.allocator import keep_freed_memory
    from RetinaTriageLib.inference.compute import choose_compute
    from RetinaTriageLib.inference.warm_bundle import WarmBundle
    from RetinaTriageLib.writers.case import save_case

    keep_freed_memory()  # as the command line and the worker do
    if stated.memory_gb:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(stated.memory_gb * 1e9 / total)
    bundle = WarmBundle.of(load_bundle(stated.bundle or bundled_models()))
    seconds, parts = [], []
    start = float(os.environ[STARTED])
    for number in range(stated.runs):
        begun = start if number == 0 else time.time()
        volume = read_volume(stated.scan)
        result = triage(volume, bundle, TriageOptions(compute=stated.compute))
        save_case(result, stated.scan.parent / f"case_{number}")
        seconds.append(time.time() - begun)
        parts.append(result.provenance.seconds)
    warm = statistics.median(seconds[1:])
    print(f"{bundle.manifest.name} {bundle.manifest.version}, {volume.shape}")
    print(result.provenance.compute)
    print(f"first result after {seconds[0]:.1f} s, {seconds[0] - warm:.1f} s later than a warm one")
    print(f"warm, file to report: {warm:.1f} s ({', '.join(f'{s:.1f}' for s in seconds[1:])})")
    print("parts of the last: " + ", ".join(f"{name} {s:.2f} s" for name, s in parts[-1].items()))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9:.2f} GB")
    compute = choose_compute(stated.compute)
    if compute.device == "cuda":
        on_gpu(volume, bundle, compute)


def on_gpu(volume: OCTVolume, bundle: Bundle, compute: Compute) -> None:
    """Print seconds of the ensemble alone, how long the GPU idled, and its peak memory."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    from RetinaTriageLib.inference.ensemble import run_ensemble

    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        output = run_ensemble(volume, bundle, compute=compute)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        run_ensemble(volume, bundle, compute=compute)
        torch.cuda.synchronize()
    busy = sum(event.self_device_time_total for event in profiled.key_averages()) / 1e6
    median = statistics.median(seconds)
    print(f"S x C on the GPU: {median:.3f} s, of which idle {100 * (1 - busy / median):.0f} %")
    print(f"peak GPU memory {torch.cuda.max_memory_allocated() / 1e9:.2f} GB")
    print("\n".join(output.notes))


if __name__ == "__main__":
    main()
