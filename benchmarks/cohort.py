"""A cohort of phantoms with bad files among them: rows, engines, kills, speed and memory.

Steps: run (an undisturbed run, its memory and its cost a volume), few (ten volumes), loop (the same
work by processes of `retina-triage run`), kill (driver and helpers killed at random moments),
ray (a local Ray cluster of two nodes, with an actor each), ray-kill (actors and a node lost).
"""

from __future__ import annotations

import argparse
import csv
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cohort_folders import ROOT, Place, fresh
from cohort_kills import killed, on_ray, on_ray_killed
from cohort_scans import make_scans
from watched_run import watch

STEPS = ("run", "few", "loop", "ray", "kill", "ray-kill")
LOOPED = 5


def undisturbed(place: Place) -> None:
    """Print rows, reasons, cost a volume and memory of one whole run."""
    out = fresh(place.out("whole"))
    found = watch(place.command(out), out)
    print(found.said)
    with (out / "cohort.csv").open(encoding="utf-8", newline="") as file:
        rows = len(list(csv.DictReader(file)))
    with (out / "failures.csv").open(encoding="utf-8", newline="") as file:
        failures = list(csv.DictReader(file))
    print(f"{place.count} files: {rows} rows, {len(failures)} failures")
    for row in failures:
        print(f"  {row['file']}: {row['reason'][:110]} -> {row['what_to_do'][:70]}")
    print(f"whole run {found.seconds:.1f} s, {found.cpu_seconds:.1f} s of processor")
    print(f"per volume, start included: {found.seconds / rows:.3f} s")
    for first, last in ((10, 60), (rows - 60, rows - 10)):
        if 0 < first < last <= rows:
            cost = (found.came[last - 1] - found.came[first - 1]) / (last - first)
            print(f"  from volume {first} to {last}: {cost:.3f} s each")
    for name, mb in (("main process", found.main_mb), ("all processes", found.all_mb)):
        tenth, end = statistics.median(mb[9:14]), statistics.median(mb[-10:])
        most = max(mb[9:])
        print(
            f"memory of {name}: {tenth:.0f} MB at the tenth, {end:.0f} MB at the last, "
            f"{most:.0f} MB at most: {100 * (end / tenth - 1):+.1f} %"
        )


def few(place: Place) -> None:
    """Print the cost a volume of ten volumes."""
    scans = fresh(place.folder / "ten")
    scans.mkdir()
    for number in range(10):
        shutil.copy(place.scans / f"eye_{number:03d}.nrrd", scans)
    out = fresh(place.folder / "out_ten")
    found = watch(place.command(out, scans), out)
    print(found.said)
    print(f"ten volumes: {found.seconds:.1f} s, {found.cpu_seconds:.1f} s of processor")


def loop(place: Place) -> None:
    """Print the cost a volume of a process each."""
    spent: list[float] = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for number in range(LOOPED):
        scan = place.scans / f"eye_{10 + number:03d}.nrrd"
        run = [sys.executable, "-m", "RetinaTriageLib.cli.main", "run", str(scan)]
        out = fresh(place.folder / f"loop_{number}")
        options = ["--bundle", str(place.bundle), "--scanner", "spectralis", "--compute", "cpu"]
        start = time.perf_counter()
        subprocess.run(
            [*run, "--out", str(out), *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        spent.append(time.perf_counter() - start)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"loop of run: {statistics.mean(spent):.2f} s a volume, {cpu / LOOPED:.2f} s of processor"
    )


def main() -> None:
    """Run the steps and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("steps", nargs="*", default=list(STEPS), metavar="STEP")
    parser.add_argument("--folder", type=Path, required=True, help="for phantoms and results")
    parser.add_argument("--bundle", type=Path, required=True, help="a small one is told apart best")
    parser.add_argument("--count", type=int, default=300, help="files, the bad ones included")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", help="of the local engine")
    parsed = parser.parse_args()
    words = ("--jobs", parsed.jobs) if parsed.jobs else ()
    place = Place(parsed.folder, parsed.bundle, parsed.count, words)
    make_scans(place.scans, place.count)
    steps: dict[str, Callable[[], None]] = {
        "run": lambda: undisturbed(place),
        "few": lambda: few(place),
        "loop": lambda: loop(place),
        "ray": lambda: on_ray(place),
        "kill": lambda: killed(place, parsed.kills, parsed.seed),
        "ray-kill": lambda: on_ray_killed(place, parsed.seed),
    }
    for step in parsed.steps:
        print(f"== {step}", flush=True)
        steps[step]()


if __name__ == "__main__":
    main()
