"""A folder of tiny scans with bad files among them, and a run of a cohort on it."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scan_files import speckle, write_grid

ROOT = Path(__file__).parents[2]
TABLES = ("cohort.csv", "cohort.parquet", "failures.csv")
SHAPE = (3, 32, 24)


def write_scans(folder: Path, count: int) -> Path:
    """Scans ``eye_00.nrrd`` and so on, each of other speckle."""
    folder.mkdir()
    for number in range(count):
        write_grid(folder / f"eye_{number:02d}.nrrd", speckle(SHAPE, seed=number))
    return folder


def plant_bad_files(folder: Path) -> dict[str, str]:
    """Put bad files beside a scan ``eye_00.nrrd``; returns their names with words of the reason."""
    good = (folder / "eye_00.nrrd").read_bytes()
    (folder / "truncated.nrrd").write_bytes(good[: len(good) * 2 // 3])
    (folder / "wrong_type.nrrd").write_bytes(b"%PDF-1.7\n" + bytes(200))
    (folder / "empty.nrrd").touch()
    (folder / "duplicate.nrrd").write_bytes(good)
    huge = (
        struct.pack("<i", 348) + bytes(36) + struct.pack("<8h", 3, 32000, 32000, 32000, 1, 1, 1, 1)
    )
    huge += bytes(14) + struct.pack("<hh", 2, 8) + bytes(344 - 74) + b"n+1\0"
    (folder / "huge_header.nii").write_bytes(huge + bytes(100))
    hollow = speckle(SHAPE).astype(np.float32)
    hollow[1, 4, 5] = np.nan
    write_grid(folder / "nan.nrrd", hollow)
    return {
        "truncated.nrrd": "cannot be read",
        "wrong_type.nrrd": "cannot be read",
        "empty.nrrd": "is empty",
        "duplicate.nrrd": "same content as",
        "huge_header.nii": "huge_header.nii",
        "nan.nrrd": "NaN",
    }


def command(scans: Path, out: Path, bundle: Path, *words: str) -> list[str]:
    """Command line of a run in a process of its own."""
    run = [sys.executable, "-m", "RetinaTriageLib.cli.main", "cohort", str(scans)]
    options = ["--out", str(out), "--bundle", str(bundle), "--scanner", "spectralis"]
    return [*run, *options, "--device", "cpu", *words]


def run_cohort_command(words: Sequence[str]) -> str:
    """Output of a run that succeeds."""
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def tables(out: Path) -> dict[str, bytes]:
    """Bytes of the tables of a cohort."""
    return {name: (out / name).read_bytes() for name in TABLES}
