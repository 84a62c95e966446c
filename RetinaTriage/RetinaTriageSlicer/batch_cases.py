"""Cases of a batch: volume nodes, files or the scans of a folder, each with a name of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.readers.registry import READERS

# Pictures are left out of folders: there they are B-scans of a scan, or no scans at all.
PICTURES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
SEGMENTATION = ".seg.nrrd"  # what Slicer and this program write beside scans


@dataclass(frozen=True)
class BatchInput:
    """One scan: a file or a node; ``source`` says which, ``name`` is that of its result folder."""

    name: str
    source: str
    path: Path | None = None
    node: Any = None


def batchInputs(cases: Sequence[Any] | str | Path) -> tuple[BatchInput, ...]:
    """Cases in their order; those of a folder sorted by name.

    Raises
    ------
    InputError
        If there are none.
    """
    if isinstance(cases, str | Path):
        cases = scansIn(Path(cases))
    if not cases:
        raise InputError("Found no cases; expected volume nodes, files or a folder of scans.")
    taken: set[str] = set()
    return tuple(_input(case, taken) for case in cases)


def scansIn(folder: Path) -> list[Path]:
    """List the scans in a folder and the folders in it.

    Raises
    ------
    InputError
        If there is no such folder, or no scan in it.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        msg = f"{folder} does not exist; expected a folder of scans. Check the path."
        raise InputError(msg)
    endings = tuple(ending for ending in READERS if ending not in PICTURES)
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name.lower().endswith(endings)
        and not path.name.lower().endswith(SEGMENTATION)
        and not path.name.startswith(".")
    ]
    if not found:
        msg = f"{folder} holds no scan; expected files that end in {', '.join(endings)}."
        raise InputError(msg)
    return found


def _input(case: Any, taken: set[str]) -> BatchInput:
    if isinstance(case, str | Path):
        path = Path(case).resolve()
        ending = next((one for one in READERS if path.name.lower().endswith(one)), "")
        title = path.name[: len(path.name) - len(ending)] if path.is_file() else path.name
        return BatchInput(_freeName(title, taken), str(path), path=path)
    title = str(case.GetName())
    return BatchInput(_freeName(title, taken), f"node {title}", node=case)


def _freeName(title: str, taken: set[str]) -> str:
    """Name of a folder that any system takes and no other case has."""
    plain = re.sub(r"[^\w.-]+", "_", title).strip("._") or "case"
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name.lower())
    return name
