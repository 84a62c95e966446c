"""Time of the Slicer side without inference, and how long its window stands still during a run.

Run it with the test host's Python: ``python benchmarks/slicer_side.py``. The worker pretends, so
the figures are those of the Slicer side alone. With ``--run BUNDLE`` and the variable
PYTHON_WITH_TORCH a real run follows, with those networks in a real worker; it is stopped
``--seconds`` after its first B-scan, which on a busy machine is before its end. Figures of CPU time
are worth more than those of a clock where other programs run.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDERS = ("", "RetinaTriage", "Testing/host", "Testing/library", "Testing/slicer")
SHAPE = (128, 496, 512)
HYPOTHESES = 5
TICK_MS = 5


def main() -> None:
    """Print the time and memory of each step."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--run", type=Path, metavar="BUNDLE", help="bundle of a real run")
    parser.add_argument("--bscans", type=int, default=SHAPE[0], help="of the run (default 128)")
    parser.add_argument("--seconds", type=float, default=120.0, help="limit of a real run")
    stated = parser.parse_args()
    start = time.perf_counter()
    from slicer_host.boot import boot

    boot(views=True)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"start of the host          {time.perf_counter() - start:6.2f} s  {memory_mb} MB")
    measure_nodes()
    measure_window(None, stated.bscans, math.inf)
    if stated.run is not None:
        measure_window(stated.run, stated.bscans, stated.seconds)


def measure_nodes() -> None:
    """Print what a volume node in and all result nodes out take together."""
    from example_result import Example, example_result, result_from_maps
    from RetinaTriageSlicer.scene import showResult
    from RetinaTriageSlicer.volume_node import readVolumeNode
    from volume_nodes import volume_node

    known = example_result(Example(shape=SHAPE, hypotheses=HYPOTHESES))
    maps = [hypothesis.tissue_map for hypothesis in known.hypotheses]
    for title, axes in (("as the library stores it", (0, 1, 2)), ("axes permuted", (2, 0, 1))):
        node = volume_node(known.volume, axes=axes)
        node.SetAttribute("RetinaTriage.Laterality", "OD")
        start, used = time.perf_counter(), time.process_time()
        volume, grid = readVolumeNode(node)
        read, read_used = time.perf_counter() - start, time.process_time() - used
        result = result_from_maps(volume, maps)
        start, used = time.perf_counter(), time.process_time()
        showResult(result, node, grid)
        shown, shown_used = time.perf_counter() - start, time.process_time() - used
        print(f"{title}, {SHAPE}, {HYPOTHESES} hypotheses")
        print(f"  volume node to volume    {read:6.2f} s  (CPU {read_used:.2f} s)")
        print(f"  result to nodes          {shown:6.2f} s  (CPU {shown_used:.2f} s)", flush=True)


def measure_window(bundle: Path | None, bscans: int, limit_s: float) -> None:
    """Print the longest time that the event loop did not answer from Apply to the last node.

    Parameters
    ----------
    bundle : None for a worker that pretends
    limit_s : time after the first B-scan when the run is stopped
    """
    import qt  # noqa: TID251 - this is the Slicer side
    import slicer  # noqa: TID251
    from example_result import Example, example_map, example_volume
    from fake_worker import fake_client
    from RetinaTriageSlicer.logic import RetinaTriageLogic
    from volume_nodes import volume_node

    from RetinaTriageLib.worker.client import WorkerClient

    slicer.mrmlScene.Clear(False)  # noqa: FBT003 - Slicer's signature
    gc.collect()  # the segmentations of what was measured before, which take a second to free
    example = Example(shape=(bscans, *SHAPE[1:]))
    node = volume_node(example_volume(example, example_map(example, 0)), axes=(2, 0, 1))
    if bundle is None:
        client, settings = fake_client(), {"bundle": "work"}
    else:
        client = WorkerClient(os.environ.get("PYTHON_WITH_TORCH", sys.executable))
        settings = {"bundle": bundle, "laterality": "OD", "scanner": "spectralis"}
    logic = RetinaTriageLogic(client)
    gaps: list[tuple[float, float, float]] = []  # wall, CPU, when it ended
    last = [time.perf_counter(), time.thread_time()]

    def tick() -> None:
        now, used = time.perf_counter(), time.thread_time()
        gaps.append((now - last[0], used - last[1], now))
        last[:] = [now, used]

    timer: Any = qt.QTimer()
    timer.setInterval(TICK_MS)
    timer.connect("timeout()", tick)
    timer.start()
    start = time.perf_counter()
    run = logic.processAsync(node, logic.settings(**settings))
    stopped, end = "", math.inf
    while not run.ended:
        done = run.progress
        if done is not None and done.stage == "segment" and end == math.inf:
            end = time.perf_counter() + limit_s  # the start of torch does not count
        if not stopped and time.perf_counter() > end:
            stopped = f"stopped {limit_s:.0f} s later at {done.stage} {done.done} of {done.total}"
            run.cancel()
        slicer.app.processEvents()
        time.sleep(0.001)
    tick()
    timer.stop()
    seconds = time.perf_counter() - start
    logic.close()
    kind = "worker that pretends" if bundle is None else f"bundle {bundle.name}"
    print(f"run of {example.shape}, axes permuted, {kind}: {seconds:.1f} s")
    if stopped:
        print(f"  {stopped}; nodes were not added")
    elif run.error is not None:
        print(f"  failed: {run.error}")
    longest, _used, when = max(gaps)
    late = sum(wall > 0.1 for wall, _used, _when in gaps)
    print(f"  longest gap of the window {1000 * longest:6.0f} ms, {late} above 100 ms")
    print(f"  it ended at               {when - start:6.1f} s of the run")
    print(f"  most work of it in one    {1000 * max(gap[1] for gap in gaps):6.0f} ms of CPU")
    load = os.getloadavg()[0]
    print(f"  load of this machine      {load:6.1f} on {os.cpu_count()} cores", flush=True)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    main()
