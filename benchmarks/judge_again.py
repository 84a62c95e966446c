"""Time from the click on "Judge again" to the scores, for an edited map of 49 x 496 x 512 voxels.

Run it with the test host's Python: ``python benchmarks/judge_again.py``. The variable
PYTHON_WITH_TORCH names the Python of the worker where the host's own has no torch.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDERS = ("", "RetinaTriage", "Testing/host", "Testing/library", "Testing/slicer")
RUNS = 5


def main() -> None:
    """Print the time of each judgement, the first of which warms the worker."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bscans", type=int, default=49, help="B-scans of the map (default 49)")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"judgements (default {RUNS})")
    stated = parser.parse_args()
    from slicer_host.boot import boot

    boot(views=True)
    import slicer  # noqa: TID251 - this is the Slicer side

    from RetinaTriageLib.worker.client import WorkerClient

    module = slicer.app.moduleManager().loadScriptedModule(
        ROOT / "RetinaTriage" / "RetinaTriage.py"
    )
    code = sys.modules[module.name]
    logic = code.RetinaTriageLogic(
        WorkerClient(os.environ.get("PYTHON_WITH_TORCH", sys.executable))
    )
    panel = module.widgetRepresentation().self().panel
    panel.useLogic(logic)
    panel.enter()
    measure_judging(panel, stated.bscans, stated.runs)
    logic.close()


def measure_judging(panel: Any, bscans: int, runs: int) -> None:
    """Edit and judge again some times, through the buttons of the panel."""
    from browser_steps import show_case, tissue_map
    from example_result import Example
    from RetinaTriageSlicer.browser_scan import mapScan
    from RetinaTriageSlicer.edited_map import makeEditedCopy, writeTissueMap

    nodes = show_case(Example(shape=(bscans, 496, 512)))
    browser, again = panel.browser.browser, panel.browser.judgeAgain
    browser.show(nodes)
    copy = makeEditedCopy(nodes, nodes.hypotheses[0])
    browser.chooseMap(copy)
    labels = tissue_map(copy)
    print(f"map of {bscans} x 496 x 512 voxels, load {os.getloadavg()[0]:.1f}")
    for number in range(runs):
        labels[number % bscans][labels[number % bscans] == 4] = 3
        writeTissueMap(copy, labels, mapScan(copy))
        seconds, own = judge_once(again)
        title = "first: worker, bundle, original" if number == 0 else f"judgement {number}"
        print(f"  {title:32} {seconds:6.2f} s  (CPU of the window {own:.2f} s)")
        print(f"    {again.statusLabel.text}")


def judge_once(again: Any) -> tuple[float, float]:
    """Seconds from the click to the scores, and CPU seconds of the window's own process."""
    import slicer  # noqa: TID251

    start, used = time.perf_counter(), time.process_time()
    again.judgeButton.click()
    while again.busy:
        slicer.app.processEvents()
        time.sleep(0.001)
    return time.perf_counter() - start, time.process_time() - used


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    main()
