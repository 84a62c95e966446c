"""Time and peak memory of `retina-triage run`, file to report, each in a fresh process.

Each argument is a scan with its own options, quoted: "SCAN --laterality OD".
"""

from __future__ import annotations

import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 3
SAMPLE = "Resources/SampleData/phantom_edema_OD.nrrd --laterality OD --scanner spectralis"


def run_once(words: list[str], out: Path) -> tuple[float, float]:
    """Seconds and peak memory (GB) of one run."""
    command = [sys.executable, "-m", "RetinaTriageLib.cli.main", "run", *words, "--out", str(out)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{shlex.join(command)} failed")
    return time.perf_counter() - start, usage.ru_maxrss * 1024 / 1e9


def main(scans: list[str]) -> None:
    """Print medians of interleaved runs."""
    figures: dict[str, list[tuple[float, float]]] = {scan: [] for scan in scans}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(RUNS):
            for index, scan in enumerate(scans):
                out = Path(folder) / f"{index}_{number}"
                figures[scan].append(run_once(shlex.split(scan), out))
    print(f"{'scan':32} {'median s':>9} {'min s':>7} {'max s':>7} {'peak GB':>8}")
    for scan, runs in figures.items():
        seconds = [run[0] for run in runs]
        print(
            f"{Path(shlex.split(scan)[0]).name:32} {statistics.median(seconds):9.1f} "
            f"{min(seconds):7.1f} {max(seconds):7.1f} {max(run[1] for run in runs):8.2f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:] or [SAMPLE])
