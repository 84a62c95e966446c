"""Feed mutated files to every reader: each must end in a volume or in one of our errors.

    python Testing/fuzz/fuzz_readers.py --files 1000            # of every kind of file
    python Testing/fuzz/fuzz_readers.py --files 1000 --kind dicom --first 5000
    python Testing/fuzz/fuzz_readers.py --kind dicom --first 5042 --files 1 --keep here

Scratch files lie in the folder of temporary files; one in memory (TMPDIR=/dev/shm) is faster.

A number names a mutated file, so every run can be repeated. Each kind runs in a process of its own
with limited memory; what ends that process, takes more than ten seconds, raises another error,
opens a file for writing or starts a program is a finding, printed with its number.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

MOST_SECONDS = 10  # of processor time
MOST_BYTES = 3 * 2**30  # address space beyond what is taken at the start
STALLED_SECONDS = 30  # of processor time: a decoder in C that hangs does not see the alarm


CHANGES = ("os.remove", "os.rename", "os.mkdir", "subprocess.Popen", "os.system")


class Stop(BaseException):
    """Raised by the alarm; no reader may catch it."""


def main() -> int:
    """Fuzz the chosen kinds; returns 1 if there was a finding."""
    parsed = _arguments().parse_args()
    if parsed.worker:
        return work(parsed.kind[0], parsed.first, parsed.files, parsed.keep)
    findings, total = [], 0
    for kind in parsed.kind or _kinds():
        started = time.monotonic()
        outcome = supervise(kind, parsed.first, parsed.files, parsed.keep)
        total += outcome["files"]
        findings += outcome["findings"]
        seconds = time.monotonic() - started
        sys.stdout.write(
            f"{kind:16} {outcome['files']:7} files, {outcome['volumes']:6} volumes, "
            f"{outcome['errors']:7} errors, slowest {outcome['slowest']:.2f} s, "
            f"peak {outcome['peak_mb']} MB, {seconds:.0f} s, "
            f"{len(outcome['findings'])} findings\n"
        )
        sys.stdout.flush()
    sys.stdout.write(f"{total} files, {len(findings)} findings\n")
    for finding in findings:
        sys.stdout.write(json.dumps(finding) + "\n")
    return 1 if findings else 0


def supervise(kind: str, first: int, files: int, keep: Path | None) -> dict:
    """Run one kind in worker processes; a new one goes on behind a file that ended the last."""
    total = Counter()
    outcome = {"findings": [], "slowest": 0.0, "peak_mb": 0}
    number, end = first, first + files
    while number < end:
        with tempfile.NamedTemporaryFile() as at, tempfile.TemporaryFile("w+") as said:
            command = [sys.executable, __file__, "--worker", at.name, "--kind", kind]
            command += ["--first", str(number), "--files", str(end - number)]
            command += ["--keep", str(keep)] if keep else []
            # Libraries in C warn at length; a pipe that nobody reads would stop them.
            worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)
            _await(worker, Path(at.name))
            out, _ = worker.communicate()
            said.seek(0)
            err = said.read()
            reached = int(Path(at.name).read_bytes() or str(number))
        report = json.loads(out.splitlines()[-1]) if worker.returncode == 0 else None
        if report is None:
            reason = f"process ended with {worker.returncode}: {err[-300:]}"
            outcome["findings"].append({"kind": kind, "number": reached, "reason": reason})
            total["files"] += reached - number + 1
            number = reached + 1
            continue
        total += Counter({key: report[key] for key in ("files", "volumes", "errors")})
        outcome["findings"] += report["findings"]
        outcome["slowest"] = max(outcome["slowest"], report["slowest"])
        outcome["peak_mb"] = max(outcome["peak_mb"], report["peak_mb"])
        number = end
    return {**outcome, **{key: total[key] for key in ("files", "volumes", "errors")}}


def _await(worker: subprocess.Popen, at: Path) -> None:
    """Wait for a worker; kill it where it stays at one file for too long."""
    seen, since = b"", 0.0
    while worker.poll() is None:
        time.sleep(0.2)
        now = at.read_bytes()
        with suppress(OSError, IndexError):  # it ended meanwhile
            spent = _processor_seconds(worker.pid)
            if now != seen:
                seen, since = now, spent
            elif spent - since > STALLED_SECONDS:
                worker.kill()


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def work(kind: str, first: int, files: int, keep: Path | None) -> int:
    """Read mutated files of one kind and print a report as JSON."""
    import numpy as np
    from bases import make_bases
    from mutations import mutated

    from RetinaTriageLib.errors import RetinaTriageError
    from RetinaTriageLib.readers.registry import list_series, read_volume

    at = os.open(sys.argv[sys.argv.index("--worker") + 1], os.O_RDWR)
    report = {"files": 0, "volumes": 0, "errors": 0, "findings": [], "slowest": 0.0}
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        bases = make_bases(root, kind)
        everything = [content for base in bases for content in base.files.values()]
        _warm_up(root, kind)
        watch = _Watch()
        limit = _taken_bytes() + MOST_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGPROF, _stop)
        places = [(keep or root) / f"case_{index}" for index in range(len(bases))]
        for place, base in zip(places, bases, strict=True):
            _write(place, base.files)
        sound = [sorted(place.rglob("*")) for place in places]
        for number in range(first, first + files):
            os.pwrite(at, str(number).encode(), 0)
            rng = np.random.default_rng([number, *kind.encode()])
            index = int(rng.integers(0, len(bases)))
            base, place = bases[index], places[index]
            chosen = sorted(base.files)[int(rng.integers(0, len(base.files)))]
            other = everything[int(rng.integers(0, len(everything)))]
            (place / chosen).write_bytes(mutated(base.files[chosen], other, rng))
            started = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
            reason = None
            watch.on = True
            try:
                if number % 4 == 0:
                    list_series(place / base.read)
                read_volume(place / base.read)
                report["volumes"] += 1
            except RetinaTriageError:
                report["errors"] += 1
            except Stop:
                reason = f"took more than {MOST_SECONDS} s"
            except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
                reason = f"{type(error).__name__}: {error}"[:300]
            finally:
                watch.on = False
                signal.setitimer(signal.ITIMER_PROF, 0)
            if watch.seen or sorted(place.rglob("*")) != sound[index]:
                reason = f"touched {watch.seen or 'the folder'}"
                watch.seen = ""
            report["files"] += 1
            report["slowest"] = max(report["slowest"], time.process_time() - started)
            if reason:
                report["findings"].append({"kind": kind, "number": number, "reason": reason})
            if not keep:
                (place / chosen).write_bytes(base.files[chosen])
    report["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


class _Watch:
    """Notes files opened for writing and programs started while a reader is at work."""

    def __init__(self) -> None:
        self.on, self.seen = False, ""
        sys.addaudithook(self._note)

    def _note(self, event: str, details: tuple) -> None:
        if not self.on:
            return
        writes = event == "open" and set(str(details[1] or "r")) & set("wax+")
        if writes or event in CHANGES:
            self.seen = f"{event} {details[0]}"


def _warm_up(root: Path, kind: str) -> None:
    """Read a sound file of the kind, so that imports do not count."""
    from RetinaTriageLib.errors import RetinaTriageError
    from RetinaTriageLib.readers.registry import read_volume

    for folder in sorted(root.glob(f"{kind}_*")):
        for path in [folder, *sorted(folder.rglob("*"))]:
            try:
                read_volume(path)
            except RetinaTriageError:
                continue


def _write(place: Path, contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _kinds() -> list[str]:
    from bases import MAKERS

    return list(MAKERS)


def _taken_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _stop(_number: int, _frame: object) -> None:
    raise Stop


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000, help="mutated files of every kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--kind", action="append", help="kind of file; default: all")
    parser.add_argument("--keep", type=Path, help="folder in which the last file stays")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
