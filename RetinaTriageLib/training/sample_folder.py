"""Folders that training draws its samples from, and the files in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.labels.slicer_pairs import pair_files


@dataclass(frozen=True)
class Folder:
    """A folder of samples; an iteration draws from it with a chance in proportion to ``weight``."""

    path: Path
    weight: float = 1.0


def sample_files(folder: Path) -> list[Path]:
    """``.npz`` files of a folder by name, without those that are still being written.

    Raises
    ------
    InputError
        If there are none.
    """
    return _require_some(_whole_files(folder), ".npz file", folder)


def stack_files(folder: Path) -> list[Path]:
    """Labeled B-scans of a folder by name: ``.npz`` files, and scans with a ``.seg.nrrd``.

    Raises
    ------
    InputError
        If there are none.
    """
    files = sorted([*_whole_files(folder), *pair_files(folder)])
    return _require_some(files, ".npz file and no .nrrd with its .seg.nrrd", folder)


def _whole_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.npz") if ".partial" not in path.name)


def _require_some(files: list[Path], kind: str, folder: Path) -> list[Path]:
    if not files:
        msg = f"Found no {kind} in {folder}; write training samples there first."
        raise InputError(msg)
    return files
