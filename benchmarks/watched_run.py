"""A run of a cohort that is watched as its cases come: seconds, processor, memory."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from cohort_folders import ROOT


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
