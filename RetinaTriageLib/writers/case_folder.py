"""The case folder: one folder a case, with segmentations, tables, maps and ``result.json``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from RetinaTriageLib.bscan_agreement import compare_result
from RetinaTriageLib.errors import InputError, OutputError
from RetinaTriageLib.result import Measurements, TriageResult
from RetinaTriageLib.volume import LabelArray
from RetinaTriageLib.writers.bscan_tables import write_bscan_scores, write_comparison
from RetinaTriageLib.writers.result_json import write_result_json
from RetinaTriageLib.writers.segmentation import write_segmentation
from RetinaTriageLib.writers.tables import (
    write_etdrs,
    write_opinions,
    write_scores,
    write_tissues,
)
from RetinaTriageLib.writers.whole_folder import recover_folder, write_whole_folder

FileWriter = Callable[[Path], None]
FileWriters = Mapping[str, FileWriter]

RESULT_FILE = "result.json"
MAPS_FILE = "maps.npz"

NO_EXTRAS: FileWriters = MappingProxyType({})

SYSTEM_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers leave in folders on their own."""


@dataclass(frozen=True)
class CasePaths:
    """Where the files of a written case lie.

    Attributes
    ----------
    consensus, hypotheses : ``.seg.nrrd``, or ``.npy`` where the spacing is unknown
    tables : "scores", "opinions", "tissues" and, if measured, "etdrs" to CSV file; "bscan_scores"
        and "verdicts" with whole-image classifiers
    maps : NumPy ``.npz`` with "enface", "disagreement" and "thickness_um_NAME"
    extras : file name to file, as asked for
    """

    folder: Path
    result_json: Path
    consensus: Path
    hypotheses: tuple[Path, ...]
    tables: Mapping[str, Path]
    maps: Path
    extras: Mapping[str, Path]


def write_case(
    result: TriageResult,
    folder: Path,
    extras: FileWriters = NO_EXTRAS,
    *,
    overwrite: bool = False,
) -> CasePaths:
    """Write a case as one folder, which appears whole or not at all.

    Parameters
    ----------
    extras : file name to function that writes this file, such as a report
    overwrite : put the case in place of an earlier one

    Raises
    ------
    OutputError
        If the folder may not be replaced (`require_free_folder`) or could not be written; what
        was there before is unchanged.
    InputError
        If an extra file has no plain name or that of another file of the case.
    """
    folder = folder.resolve()
    require_free_folder(folder, overwrite=overwrite)
    suffix = ".npy" if result.volume.spacing is None else ".seg.nrrd"
    hypotheses = [f"hypothesis_{n}{suffix}" for n in range(1, len(result.hypotheses) + 1)]
    consensus = f"consensus{suffix}"
    tables = _table_writers(result)
    writers: dict[str, FileWriter] = {
        consensus: _map_writer(result, result.consensus),
        **{
            name: _map_writer(result, hypothesis.tissue_map)
            for name, hypothesis in zip(hypotheses, result.hypotheses, strict=True)
        },
        **{f"{name}.csv": writer for name, writer in tables.items()},
        MAPS_FILE: partial(_write_maps, result.measurements),
    }
    _require_plain_names(extras, taken=(*writers, RESULT_FILE))
    files = (*writers, *extras, RESULT_FILE)
    writers |= extras
    writers[RESULT_FILE] = partial(_write_result, result, files)

    def fill(place: Path) -> None:
        for name, writer in writers.items():
            writer(place / name)

    write_whole_folder(folder, fill)
    return CasePaths(
        folder=folder,
        result_json=folder / RESULT_FILE,
        consensus=folder / consensus,
        hypotheses=tuple(folder / name for name in hypotheses),
        tables={name: folder / f"{name}.csv" for name in tables},
        maps=folder / MAPS_FILE,
        extras={name: folder / name for name in extras},
    )


def require_free_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that a case must not replace; to be asked before long work, too.

    Free is what does not exist or is empty. With ``overwrite`` an earlier case is free as well, if
    it holds no files but its own: files that a user added are never deleted.

    Raises
    ------
    OutputError
        If the folder is not free.
    """
    recover_folder(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        msg = f"{folder} is a file; expected a folder or a new name. Choose another folder."
        raise OutputError(msg)
    found = {path.name for path in folder.iterdir()} - SYSTEM_FILES
    if not found:
        return
    if not overwrite:
        msg = f"{folder} holds files already; choose a new folder, or overwrite an earlier case."
        raise OutputError(msg)
    foreign = sorted(found - _files_of_case(folder))
    if foreign:
        msg = (
            f"{folder} holds {', '.join(foreign[:5])}, which overwriting would delete; expected "
            "files of an earlier case only. Move them, or choose another folder."
        )
        raise OutputError(msg)


def _files_of_case(folder: Path) -> set[str]:
    """Names of the files that a case says it consists of; empty where there is no case."""
    try:
        fields = json.loads((folder / RESULT_FILE).read_text(encoding="utf-8"))
        return set(fields["files"]) if "research_use" in fields else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _map_writer(result: TriageResult, tissue_map: LabelArray) -> FileWriter:
    if result.volume.spacing is None:
        return lambda path: np.save(path, tissue_map, allow_pickle=False)
    return partial(write_segmentation, tissue_map, result.volume, result.vocabulary.tissues)


def _table_writers(result: TriageResult) -> dict[str, FileWriter]:
    writers: dict[str, FileWriter] = {
        "scores": partial(write_scores, result.verdict, result.vocabulary),
        "opinions": partial(
            write_opinions,
            result.hypotheses,
            result.vocabulary,
            joint_opinions=result.joint_opinions,
        ),
        "tissues": partial(write_tissues, result.measurements.tissues),
    }
    if result.measurements.etdrs is not None:
        writers["etdrs"] = partial(write_etdrs, result.measurements.etdrs)
    if result.bscan_verdict is not None:
        writers["bscan_scores"] = partial(write_bscan_scores, result.bscan_verdict)
        writers["verdicts"] = partial(write_comparison, compare_result(result))
    return writers


def _write_maps(measurements: Measurements, path: Path) -> None:
    maps: dict[str, Any] = {
        "enface": measurements.enface,
        "disagreement": measurements.disagreement,
        **{f"thickness_um_{name}": um for name, um in measurements.thickness_um.items()},
    }
    np.savez_compressed(path, **maps)


def _write_result(result: TriageResult, files: Sequence[str], path: Path) -> None:
    write_result_json(result, path, files, _notes(result))


def _notes(result: TriageResult) -> tuple[str, ...]:
    spacing = result.volume.spacing
    if spacing is None:
        return (
            "Tissue maps are NumPy arrays (B-scan, depth, width), not segmentations, since the "
            "spacing is unknown. State it with --spacing-um BSCAN DEPTH WIDTH.",
        )
    if spacing.bscan_mm is None:
        return (
            f"Segmentations show the single B-scan {spacing.width_mm * 1000:.2f} µm thick, as much "
            "as an A-scan is wide; the scan itself has no thickness.",
        )
    return ()


def _require_plain_names(extras: FileWriters, taken: Sequence[str]) -> None:
    for name in extras:
        is_plain = name != "" and Path(name).name == name and not name.startswith(".")
        if not is_plain or name.lower() in taken:
            msg = f"Found the extra file {name!r}; expected a plain name other than {taken}."
            raise InputError(msg)
