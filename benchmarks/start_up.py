"""Time that `import RetinaTriageLib` and the command line add to a bare interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 9
CODES = {
    "bare interpreter": "pass",
    "import RetinaTriageLib": "import RetinaTriageLib",
    "RetinaTriageLib.OCTVolume": "from RetinaTriageLib import OCTVolume",
    "RetinaTriageLib.read_volume": "from RetinaTriageLib import read_volume",
    "retina-triage --version": "from RetinaTriageLib.cli.main import main; main(['--version'])",
    "import torch, for comparison": "import torch",
}


def seconds(code: str) -> float:
    """Wall time of one fresh interpreter that runs ``code``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print medians of interleaved runs, beyond the bare interpreter."""
    times: dict[str, list[float]] = {name: [] for name in CODES}
    for _ in range(RUNS):
        for name, code in CODES.items():
            times[name].append(seconds(code))
    medians = {name: statistics.median(values) for name, values in times.items()}
    bare = medians["bare interpreter"]
    print(f"{'':32} {'s':>7} {'beyond bare':>12}")
    for name, value in medians.items():
        print(f"{name:32} {value:7.3f} {value - bare:12.3f}")


if __name__ == "__main__":
    main()
