"""Folders of the cohort benchmark, what runs left in them, and whether two runs are equal."""

from __future__ import annotations

import filecmp
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLES = ("cohort.csv", "cohort.parquet", "failures.csv")


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


def fresh(out: Path) -> Path:
    """Folder of a run, emptied."""
    shutil.rmtree(out, ignore_errors=True)
    return out


def stamps(out: Path) -> dict[str, int]:
    """Cases to the time of their writing."""
    found = {}
    for row in out.glob("cases/[!.]*/row.json"):
        found[row.parent.name] = row.stat().st_mtime_ns
    return found


def compare(whole: Path, other: Path) -> None:
    """Print whether two runs gave the same tables, byte for byte."""
    equal = [filecmp.cmp(whole / name, other / name, shallow=False) for name in TABLES]
    said = "equal" if all(equal) else f"DIFFERENT: {dict(zip(TABLES, equal, strict=True))}"
    print(f"tables of {other.name} and {whole.name}, byte for byte: {said}")
