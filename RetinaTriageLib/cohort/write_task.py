"""Writing of cases, as it is done in a process of its own; a case appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from RetinaTriageLib.cohort.thumbnails import write_thumbnail
from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.writers.bscan_tables import write_bscan_scores
from RetinaTriageLib.writers.case import save_case
from RetinaTriageLib.writers.case_folder import RESULT_FILE
from RetinaTriageLib.writers.image_case import SCORES_FILE
from RetinaTriageLib.writers.result_json import write_result_json
from RetinaTriageLib.writers.tables import (
    write_etdrs,
    write_opinions,
    write_scores,
    write_tissues,
)
from RetinaTriageLib.writers.whole_folder import write_whole_folder

ROW_FILE = "row.json"

Stored = Mapping[str, Any]


class Save(Enum):
    """What is kept of a case: all that `run` writes, or its numbers alone."""

    MAPS = "maps"
    TABLES = "tables"


@dataclass(frozen=True)
class WriteCase:
    """Ask to write a case; the answer is None.

    Attributes
    ----------
    folder : of this case
    stored : content of its ``row.json``
    """

    result: TriageResult
    folder: Path
    stored: Stored
    save: Save


def write_task(request: WriteCase) -> None:
    """Write one case; an earlier one at its place is replaced.

    Raises
    ------
    OutputError
        If it could not be written.
    """
    if read_stored(request.folder) == request.stored:
        return
    try:
        write_whole_folder(request.folder, partial(_fill, request))
    except OutputError:
        # A process that outlived its parent for a moment may have written the same case.
        if read_stored(request.folder) != request.stored:
            raise


def read_stored(folder: Path) -> Stored | None:
    """Content of the ``row.json`` of a case; None where there is no whole case."""
    try:
        fields: Stored = json.loads((folder / ROW_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return fields if isinstance(fields, dict) and isinstance(fields.get("row"), dict) else None


def _fill(request: WriteCase, place: Path) -> None:
    if request.save is Save.MAPS:
        save_case(request.result, place)
        write_thumbnail(place)
    else:
        _write_numbers(request.result, place)
    text = json.dumps(request.stored, indent=1, ensure_ascii=False, allow_nan=False)
    (place / ROW_FILE).write_text(text + "\n", encoding="utf-8")


def _write_numbers(result: TriageResult, place: Path) -> None:
    names = ["scores.csv", "opinions.csv", "tissues.csv", RESULT_FILE]
    write_scores(result.verdict, result.vocabulary, place / names[0])
    write_opinions(
        result.hypotheses,
        result.vocabulary,
        place / names[1],
        joint_opinions=result.joint_opinions,
    )
    write_tissues(result.measurements.tissues, place / names[2])
    if result.measurements.etdrs is not None:
        names.append("etdrs.csv")
        write_etdrs(result.measurements.etdrs, place / names[-1])
    if result.bscan_verdict is not None:
        names.append(SCORES_FILE)
        write_bscan_scores(result.bscan_verdict, place / SCORES_FILE)
    write_result_json(result, place / RESULT_FILE, names)
