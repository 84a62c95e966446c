"""A cohort of phantoms with bad files among them: rows, engines, kills, speed and memory.

Steps: run (an undisturbed run, its memory and its cost a volume), few (ten volumes), loop (the same
work by processes of `retina-triage run`), kill (driver and helpers killed at random moments),
ray (a local Ray cluster of two nodes, with an actor each), ray-kill (actors and a node lost).
"""

from __future__ import annotations

import argparse
import csv
import filecmp
import os
import random
import resource
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
STEPS = ("run", "few", "loop", "ray", "kill", "ray-kill")
TABLES = ("cohort.csv", "cohort.parquet", "failures.csv")
BAD_FILES = 15
LOOPED = 5
SHAPE = (5, 128, 128)


@dataclass(frozen=True)
class Place:
    """Folders of the benchmark."""

    folder: Path
    bundle: Path
    count: int
    words: tuple[str, ...] = field(default=())

    @property
    def scans(self) -> Path:
        """Phantoms and bad files."""
        return self.folder / f"scans_{self.count}"

    def out(self, name: str) -> Path:
        """Folder of one run."""
        return self.folder / f"{name}_{self.count}"

    def command(self, out: Path, scans: Path | None = None, *words: str) -> list[str]:
        """Command line of a run."""
        run = [sys.executable, "-m", "RetinaTriageLib.cli.main", "cohort"]
        options = ["--bundle", str(self.bundle), "--scanner", "spectralis", "--device", "cpu"]
        return [*run, str(scans or self.scans), "--out", str(out), *options, *self.words, *words]


def make_scans(place: Place) -> None:
    """Write the phantoms and plant the bad files, unless they are there."""
    from RetinaTriageLib.phantoms.devices import SPECTRALIS
    from RetinaTriageLib.phantoms.phantom import make_phantom
    from RetinaTriageLib.volume import VoxelSpacing
    from RetinaTriageLib.writers.volume_file import write_volume

    done = place.scans / ".done"
    if done.exists():
        return
    place.scans.mkdir(parents=True, exist_ok=True)
    small = replace(SPECTRALIS, shape=SHAPE, spacing=VoxelSpacing.from_um(490.0, 14.9, 46.8))
    for number in range(place.count - BAD_FILES):
        write_volume(make_phantom(number, small).volume, place.scans / f"eye_{number:03d}.nrrd")
    plant_bad_files(place.scans)
    done.touch()


def plant_bad_files(scans: Path) -> None:
    """Fifteen files that give no row, each in another way."""
    from RetinaTriageLib.readers.registry import read_volume
    from RetinaTriageLib.volume import OCTVolume
    from RetinaTriageLib.writers.volume_file import write_volume

    eyes = [(scans / f"eye_{number:03d}.nrrd").read_bytes() for number in range(4)]
    for number, part in enumerate((0.1, 0.5, 0.95)):
        content = eyes[number][: int(len(eyes[number]) * part)]
        (scans / f"bad_truncated_{number}.nrrd").write_bytes(content)
    (scans / "bad_type_pdf.nrrd").write_bytes(b"%PDF-1.7\n" + os.urandom(3000))
    (scans / "bad_type_text.dcm").write_text("a letter\n" * 99, encoding="utf-8")
    (scans / "bad_type_zip.fda").write_bytes(b"PK\3\4" + os.urandom(3000))
    sizes = struct.pack("<8h", 3, 32000, 32000, 32000, 1, 1, 1, 1)
    header = struct.pack("<i", 348) + bytes(36) + sizes + bytes(14) + struct.pack("<hh", 2, 8)
    header += bytes(344 - len(header)) + b"n+1\0"
    (scans / "bad_header.nii").write_bytes(header + bytes(1000))
    (scans / "bad_header.nrrd").write_text(
        "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 60000 60000 60000\nencoding: raw\n\nx",
        encoding="ascii",
    )
    volume = read_volume(scans / "eye_000.nrrd")
    for number, value in enumerate((np.nan, np.inf)):
        voxels = volume.voxels.astype(np.float32)
        voxels[2, 60, 60] = value
        hollow = object.__new__(OCTVolume)  # the library refuses to make such a volume
        for name, fact in {**vars(volume), "voxels": voxels}.items():
            object.__setattr__(hollow, name, fact)
        write_volume(hollow, scans / f"bad_nan_{number}.nrrd")
    (scans / "bad_empty.nrrd").touch()
    (scans / "bad_empty.vol").touch()
    (scans / "eye_001_again.nrrd").write_bytes(eyes[1])
    (scans / "eye_002_again.nrrd").write_bytes(eyes[2])
    flat = np.zeros(SHAPE, np.uint8)
    write_flat(flat, scans / "bad_constant.nrrd")


def write_flat(voxels: np.ndarray, path: Path) -> None:
    """Write an NRRD file without asking whether it is a scan."""
    depth_first = " ".join(str(size) for size in reversed(voxels.shape))
    head = f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: {depth_first}\nspacings: .0468 .0149 .49\n"
    path.write_bytes((head + "encoding: raw\n\n").encode() + voxels.tobytes())


@dataclass
class Watched:
    """One run: when its cases came, and the memory (MB) of its processes at that time."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    came: list[float] = field(default_factory=list)
    main_mb: list[float] = field(default_factory=list)
    all_mb: list[float] = field(default_factory=list)
    said: str = ""


def watch(command: list[str], out: Path) -> Watched:
    """Run a command and look at it as its cases come."""
    found = Watched()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        while run.poll() is None:
            time.sleep(0.05)
            cases = len(list(out.glob("cases/[!.]*")))
            if cases > len(found.came):
                main = memory_mb(run.pid)
                found.came += [time.perf_counter() - start] * (cases - len(found.came))
                found.main_mb += [main] * (cases - len(found.main_mb))
                whole = main + sum(memory_mb(child) for child in children(run.pid))
                found.all_mb += [whole] * (cases - len(found.all_mb))
        assert run.stdout is not None
        found.said = run.stdout.read()
    found.seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found.cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if run.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return found


def memory_mb(process: int) -> float:
    """Resident memory of a process; 0 where it is gone."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 1e6


def children(process: int) -> list[int]:
    """Find the processes that a process started and that still run."""
    found: list[int] = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += [int(word) for word in path.read_text(encoding="ascii").split()]
        except OSError:
            continue
    return found


def fresh(out: Path) -> Path:
    """Folder of a run, emptied."""
    shutil.rmtree(out, ignore_errors=True)
    return out


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


def stamps(out: Path) -> dict[str, int]:
    """Cases to the time of their writing."""
    found = {}
    for row in out.glob("cases/[!.]*/row.json"):
        found[row.parent.name] = row.stat().st_mtime_ns
    return found


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


def more(out: Path, count: int, run: subprocess.Popen[bytes]) -> None:
    """Wait until a run has so many cases."""
    while len(stamps(out)) < count and run.poll() is None:
        time.sleep(0.1)


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


def compare(whole: Path, other: Path) -> None:
    """Print whether two runs gave the same tables, byte for byte."""
    equal = [filecmp.cmp(whole / name, other / name, shallow=False) for name in TABLES]
    said = "equal" if all(equal) else f"DIFFERENT: {dict(zip(TABLES, equal, strict=True))}"
    print(f"tables of {other.name} and {whole.name}, byte for byte: {said}")


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
    make_scans(place)
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
