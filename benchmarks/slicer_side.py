"""Time of the Slicer side without inference: a volume node in, all result nodes out.

Run it with the test host's Python: ``python benchmarks/slicer_side.py``.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("", "RetinaTriage", "Testing/host", "Testing/library", "Testing/slicer")
SHAPE = (128, 496, 512)
HYPOTHESES = 5


def main() -> None:
    """Print the time and memory of each step."""
    start = time.perf_counter()
    from slicer_host.boot import boot

    boot(views=True)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"start of the host          {time.perf_counter() - start:6.2f} s  {memory_mb} MB")

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
        print(f"  result to nodes          {shown:6.2f} s  (CPU {shown_used:.2f} s)")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    main()
