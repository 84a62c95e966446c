"""Speed, memory and agreement of inference beside MONAI and nnU-Net, on the same weights.

    python benchmarks/engine.py [--bundle BUNDLE] [--network reference] [--rounds 3]
        [--shape 49 496 512]

Needs the development extra `benchmark`; a baseline that is not installed is left out and said.
Ratios are those of medians of interleaved rounds. `--network reference` times a drawn network of
8.5 times the operations in place of the bundle's (`engine_cases.REFERENCE`).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import engine_cases as cases
import torch
from engine_agreement import VOLUMES, agreement, print_agreement, volume_named

from RetinaTriageLib import OCTVolume
from RetinaTriageLib.bundle import Bundle, bundled_models, load_bundle

MONAI = "MONAI overlap 0.25"
BASELINES = {MONAI: "monai", "MONAI bf16 + channels last": "monai", "nnU-Net step 0.5": "nnunetv2"}
CASES = (
    *BASELINES,
    "ours fp32, torch kernels",
    "ours fp32",
    "ours bf16, torch kernels",
    "ours bf16",
)
NETWORKS = ("bundle", "reference")
PARTS = ("case", "scale", "classify", "agree", "roofline")


def measure_case(name: str, volume: OCTVolume, bundle: Bundle) -> dict[str, float]:
    """Seconds of one case."""
    if name == MONAI:
        return {"s": cases.seconds_monai(volume, bundle, tuned=False)}
    if name.startswith("MONAI"):
        return {"s": cases.seconds_monai(volume, bundle, tuned=True)}
    if name.startswith("nnU-Net"):
        return {"s": cases.seconds_nnunet(volume, bundle)}
    dtype = torch.bfloat16 if "bf16" in name else torch.float32
    return {"s": cases.seconds_streamed(volume, bundle, dtype, fused="torch" not in name)}


def measure_scale(name: str, volume: OCTVolume, bundle: Bundle) -> dict[str, float]:
    """Seconds of so many networks in the faster number format."""
    return {
        "s": cases.seconds_streamed(volume, bundle, torch.bfloat16, networks=int(name)),
        "maps MB": (int(name) + 1) * volume.voxels.size / 1e6,
    }


def measure_classify(name: str, volume: OCTVolume, bundle: Bundle) -> dict[str, float]:
    """Seconds of S x C opinions, "S,C"."""
    maps, classifiers = map(int, name.split(","))
    short = OCTVolume(volume.voxels[:3], volume.spacing)
    found = cases.streamed(short, bundle, torch.bfloat16, networks=maps)
    cases.judged(found, bundle, 1)
    start = time.perf_counter()
    cases.judged(found, bundle, classifiers)
    return {"s": time.perf_counter() - start}


def measure_agree(name: str, volume: OCTVolume, bundle: Bundle) -> dict[str, float]:
    """Agreement of bfloat16 with float32 on one of the volumes of `engine_agreement`."""
    return agreement(volume_named(name, volume.shape), bundle)


def measure_roofline(_name: str, volume: OCTVolume, bundle: Bundle) -> dict[str, float]:
    """Rates of this machine and operations of the network."""
    return {
        "fp32": cases.roofline_tflops(torch.float32),
        "bf16": cases.roofline_tflops(torch.bfloat16),
        "gflop": cases.gflop_a_bscan(bundle, volume.shape),
    }


def main() -> None:
    """Print one table, or measure one part in this process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, default=bundled_models())
    parser.add_argument("--network", choices=NETWORKS, default="bundle", help="that is timed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shape", type=int, nargs=3, default=(49, 496, 512))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--name", default="", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.part is None:
        report(parsed)
        return
    torch.set_num_threads(parsed.threads)
    volume = volume_named("sample", tuple(parsed.shape))
    bundle = load_bundle(parsed.bundle)
    if parsed.network == "reference":
        bundle = cases.with_reference(bundle)
    before = peak_mb()
    work = {
        "case": measure_case,
        "scale": measure_scale,
        "classify": measure_classify,
        "agree": measure_agree,
        "roofline": measure_roofline,
    }[parsed.part]
    figures = work(parsed.name, volume, bundle)
    print(json.dumps(figures | {"MB": peak_mb() - before}))


def peak_mb() -> float:
    """Most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measured(
    parsed: argparse.Namespace, part: str, name: str, shape: tuple[int, ...]
) -> dict[str, float]:
    """Figures of one part, measured in a fresh process."""
    command = [sys.executable, __file__, "--part", part, "--name", name]
    command += ["--bundle", str(parsed.bundle), "--network", parsed.network]
    command += ["--threads", str(parsed.threads)]
    command += ["--shape", *map(str, shape)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def report(parsed: argparse.Namespace) -> None:
    """Measure everything and print it."""
    bscans, depth, width = shape = tuple(parsed.shape)
    names = [name for name in CASES if importlib.util.find_spec(BASELINES.get(name, "torch"))]
    whose = f"network of bundle {parsed.bundle.name}"
    if parsed.network == "reference":
        whose = f"drawn network of {cases.REFERENCE.channels} channels"
    print(f"{whose}, {shape}, {parsed.threads} threads, torch {torch.__version__}")
    print(f"not installed: {sorted(set(CASES) - set(names)) or 'none'}; windows are extrapolated")
    rates = measured(parsed, "roofline", "", shape)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(parsed.rounds):
        for name in names:
            runs[name].append(measured(parsed, "case", name, shape))
    seconds = {name: statistics.median(run["s"] for run in runs[name]) for name in names}
    reference = seconds[names[0]]
    tflop = rates["gflop"] * bscans / 1000
    print(
        f"roofline fp32 {rates['fp32']:.2f}, bf16 {rates['bf16']:.2f} TFLOP/s; "
        f"{rates['gflop']:.1f} GFLOP a B-scan"
    )
    print(
        f"{'one network':28} {'median s':>9} {'min':>7} {'x first':>8} {'% roof':>7} {'MB more':>8}"
    )
    for name in names:
        rate = rates["bf16" if "bf16" in name else "fp32"]
        print(
            f"{name:28} {seconds[name]:9.2f} {min(run['s'] for run in runs[name]):7.2f} "
            f"{reference / seconds[name]:8.1f} {100 * tflop / seconds[name] / rate:7.0f} "
            f"{max(run['MB'] for run in runs[name]):8.0f}"
        )
    if parsed.network == "bundle":  # drawn weights agree on nothing, and nothing is judged
        found = {name: measured(parsed, "agree", name, shape) for name in VOLUMES}
        for figures in found.values():
            del figures["MB"]
        print_agreement(found)
    for count in (bscans // 4, bscans // 2, bscans):
        print_scale(parsed, "scale", "1", (count, depth, width))
    for part in (width // 4, width // 2, width):
        print_scale(parsed, "scale", "1", (bscans // 2, depth, part))
    for networks in (1, 2, 5):
        print_scale(parsed, "scale", str(networks), (round(bscans * 128 / 49), depth, width))
    for pair in ("1,1", "5,1", "1,5", "5,5") if parsed.network == "bundle" else ():
        print_scale(parsed, "classify", pair, shape)


def print_scale(parsed: argparse.Namespace, part: str, name: str, shape: tuple[int, ...]) -> None:
    """Print one line on how time and memory grow."""
    found = measured(parsed, part, name, shape)
    what = f"{name} networks on {shape}" if part == "scale" else f"{name} maps, classifiers"
    maps = f", of which maps {found['maps MB']:.0f}" if "maps MB" in found else ""
    print(f"{what:32} {found['s']:7.2f} s, {found['MB']:6.0f} MB more{maps}", flush=True)


if __name__ == "__main__":
    main()
