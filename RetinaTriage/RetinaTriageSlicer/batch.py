"""Many volumes in a row: each is saved, a bad one is named with its reason, the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from RetinaTriageLib.errors import RetinaTriageError
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.volume import OCTVolume, with_geometry
from RetinaTriageLib.writers.case import save_case
from RetinaTriageLib.writers.case_folder import RESULT_FILE, require_free_folder
from RetinaTriageLib.writers.whole_folder import recover_folder
from RetinaTriageSlicer.batch_cases import BatchInput, batchInputs
from RetinaTriageSlicer.batch_summary import readSummary, resultFigures, writeSummary
from RetinaTriageSlicer.run_settings import RunSettings
from RetinaTriageSlicer.triage_runs import TriageRuns
from RetinaTriageSlicer.volume_node import readVolumeNode

DONE, KEPT, FAILED = "done", "kept", "failed"


@dataclass(frozen=True)
class BatchCase:
    """What became of one case.

    Attributes
    ----------
    state : "done", "kept" (an earlier call has done it) or "failed"
    reason : why it failed
    figures : column of the summary to value
    """

    name: str
    source: str
    folder: Path
    state: str
    reason: str = ""
    seconds: float = 0.0
    figures: dict[str, str] = field(default_factory=dict)


OnCase = Callable[[BatchCase], object]


def runBatch(
    runs: TriageRuns,
    cases: Sequence[Any] | str | Path,
    folder: Path,
    settings: RunSettings,
    *,
    overwrite: bool,
    onCase: OnCase,
) -> tuple[BatchCase, ...]:
    """Work all cases; the summary is written anew after each of them.

    Raises
    ------
    InputError
        If there are no cases.
    OutputError
        If the summary cannot be written.
    """
    inputs = batchInputs(cases)
    earlier = readSummary(folder)
    ended: list[BatchCase] = []
    for one in inputs:
        case = None if overwrite else _kept(one, folder, earlier)
        ended.append(case or _work(runs, one, folder / one.name, settings, overwrite=overwrite))
        writeSummary(folder, ended, earlier)
        onCase(ended[-1])
    return tuple(ended)


def _kept(one: BatchInput, folder: Path, earlier: dict[str, dict[str, str]]) -> BatchCase | None:
    """Case of an earlier call, if that has finished it; another scan of this name has not."""
    place, row = folder / one.name, earlier.get(one.name)
    recover_folder(place)
    done = row is not None and row["state"] in (DONE, KEPT) and row["source"] == one.source
    if row is None or not done or not (place / RESULT_FILE).is_file():
        return None
    known = ("case", "source", "state", "reason", "seconds")
    figures = {column: value for column, value in row.items() if column not in known}
    return BatchCase(one.name, one.source, place, KEPT, "", float(row["seconds"] or 0), figures)


def _work(
    runs: TriageRuns, one: BatchInput, place: Path, settings: RunSettings, *, overwrite: bool
) -> BatchCase:
    start = time.monotonic()
    try:
        require_free_folder(place, overwrite=overwrite)
        result = runs.submit(_volume(one, settings), settings).wait()
        save_case(result, place, overwrite=overwrite)
    except (RetinaTriageError, OSError, MemoryError) as error:
        reason = str(error) or "Memory ran out. Close other programs."
        return BatchCase(one.name, one.source, place, FAILED, reason, time.monotonic() - start)
    except Exception as error:  # noqa: BLE001 - a mistake in one case must not end the others
        reason = f"Found a mistake of this program ({type(error).__name__}: {error}). Report it."
        return BatchCase(one.name, one.source, place, FAILED, reason, time.monotonic() - start)
    return _done(one, place, result, time.monotonic() - start)


def _done(one: BatchInput, place: Path, result: TriageResult, seconds: float) -> BatchCase:
    return BatchCase(one.name, one.source, place, DONE, "", seconds, resultFigures(result))


def _volume(one: BatchInput, settings: RunSettings) -> OCTVolume:
    """Volume of a node, or of a file read by the library, with what the caller states."""
    stated = settings.stated
    if one.path is None:
        volume, _grid = readVolumeNode(one.node, stated)
        return volume
    from RetinaTriageLib.readers.registry import read_volume

    return with_geometry(
        read_volume(one.path, bscan_axis=stated.bscanAxis),
        spacing=stated.spacing,
        laterality=stated.laterality,
        device=stated.device,
    )
