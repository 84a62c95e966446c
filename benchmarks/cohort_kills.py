"""Runs of a cohort that are killed, here or on Ray: what is worked again, whether tables agree."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cohort_folders import ROOT, Place, compare, fresh, stamps
from watched_run import children, watch


def killed(place: Place, kills: int, seed: int) -> None:
    """Kill the driver or one of its processes at random moments, then compare the tables."""
    rng = random.Random(seed)
    out = fresh(place.out("killed"))
    seen: dict[str, int] = {}
    counts = {"driver": 0, "helper": 0}
    while sum(counts.values()) < kills:
        run = subprocess.Popen(
            place.command(out), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while run.poll() is None and sum(counts.values()) < kills:
            wait_for_a_moment(out, run, rng)
            helpers = children(run.pid)
            if run.poll() is None and helpers and rng.random() < 0.5:
                os.kill(rng.choice(helpers), signal.SIGKILL)
                counts["helper"] += 1
            elif run.poll() is None:
                run.kill()
                run.wait()
                counts["driver"] += 1
            remember(out, seen)
        if run.poll() is None:
            run.kill()
            run.wait()
        elif run.returncode == 0:
            print(f"it ended after {counts} kills")
            break
    at_end = len(seen)
    watch(place.command(out), out)
    again = [case for case, stamp in seen.items() if stamps(out).get(case) != stamp]
    print(f"killed: {counts}; {at_end} cases were done by then, {len(again)} of them worked again")
    compare(place.out("whole"), out)


def wait_for_a_moment(out: Path, run: subprocess.Popen[bytes], rng: random.Random) -> None:
    """Wait until some more cases came, and some time beyond that."""
    more(out, len(stamps(out)) + rng.randrange(14), run)
    time.sleep(rng.uniform(0.0, 1.5))


def remember(out: Path, seen: dict[str, int]) -> None:
    """Note the cases that are there, with the time of their writing."""
    for case, stamp in stamps(out).items():
        seen.setdefault(case, stamp)


def more(out: Path, count: int, run: subprocess.Popen[bytes]) -> None:
    """Wait until a run has so many cases."""
    while len(stamps(out)) < count and run.poll() is None:
        time.sleep(0.1)


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """Ray cluster of two nodes on this machine, with a core each."""
    # Workers as nice as the local engine; Ray's own spelling.
    os.environ.update({"RAY_worker_niceness": "0", "PYTHONPATH": str(ROOT)})
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80_000_000}
    head = {"num_cpus": 0, "include_dashboard": False, **small}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        nodes = [cluster.add_node(num_cpus=1, **small) for _ in range(2)]
        yield cluster, nodes
    finally:
        cluster.shutdown()


def on_ray(place: Place) -> None:
    """Run on Ray and compare the tables."""
    out = fresh(place.out("ray"))
    with ray_cluster() as (cluster, _nodes):
        options = ["--engine", "ray", "--ray-address", cluster.address, "--ray-cpus", "1"]
        found = watch(place.command(out, None, *options, "--jobs", "2"), out)
    print(found.said)
    compare(place.out("whole"), out)


def on_ray_killed(place: Place, seed: int) -> None:
    """Kill actors, then lose a node and get another, then compare the tables."""
    rng = random.Random(seed)
    out = fresh(place.out("ray_killed"))
    with ray_cluster() as (cluster, nodes):
        options = ["--engine", "ray", "--ray-address", cluster.address, "--ray-cpus", "1"]
        command = place.command(out, None, *options, "--jobs", "2")
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as run:
            for number in range(4):
                more(out, len(stamps(out)) + 10, run)
                if number == 2:
                    cluster.remove_node(nodes[0], allow_graceful=False)
                    cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
                    print(f"node lost after {len(stamps(out))} cases")
                elif actors := ray_actors():
                    os.kill(rng.choice(actors), signal.SIGKILL)
                    print(f"actor killed after {len(stamps(out))} cases")
            run.wait()
    compare(place.out("whole"), out)


def ray_actors() -> list[int]:
    """Find the processes of our actors, by the name that Ray gives them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::StationActor"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
