"""What whole-image classifiers alone yield, as a folder: ``result.json``, a table, a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from RetinaTriageLib.bscan_verdict import BscanVerdict, answer
from RetinaTriageLib.result import RESEARCH_USE
from RetinaTriageLib.volume import OCTVolume
from RetinaTriageLib.writers.bscan_json import bscan_verdict_fields, origin_fields, task_fields
from RetinaTriageLib.writers.bscan_tables import write_bscan_scores, write_picture_scores
from RetinaTriageLib.writers.case import PDF_FILE, REPORT_FILE
from RetinaTriageLib.writers.case_folder import RESULT_FILE, FileWriter, require_free_folder
from RetinaTriageLib.writers.image_report import write_image_pdf, write_image_report
from RetinaTriageLib.writers.pictures_page import JudgedPictures, pictures_page
from RetinaTriageLib.writers.report_file import write_whole_text
from RetinaTriageLib.writers.result_json import SCHEMA_VERSION, volume_fields
from RetinaTriageLib.writers.whole_folder import write_whole_folder

SCORES_FILE = "bscan_scores.csv"
PICTURES_FILE = "picture_scores.csv"

KIND = "whole_image"
"""Value of ``kind`` in ``result.json`` of such a folder; results of tissue maps have none."""


def save_image_case(
    volume: OCTVolume,
    verdict: BscanVerdict,
    folder: Path,
    *,
    pdf: bool = False,
    overwrite: bool = False,
) -> Mapping[str, Path]:
    """Write the verdict on a volume as one folder; gives file name to file.

    Raises
    ------
    OutputError
        If the folder may not be replaced or could not be written; what was there is unchanged.
    """
    writers: dict[str, FileWriter] = {
        SCORES_FILE: partial(write_bscan_scores, verdict),
        REPORT_FILE: partial(write_image_report, volume, verdict),
    }
    if pdf:
        writers[PDF_FILE] = partial(write_image_pdf, volume, verdict)
    fields = {
        "volume": volume_fields(volume),
        "bscan_classifier": bscan_verdict_fields(verdict),
    }
    return _write(folder, writers, fields, overwrite=overwrite)


def save_pictures(
    judged: JudgedPictures, folder: Path, *, overwrite: bool = False
) -> Mapping[str, Path]:
    """Write the scores of separate pictures as one folder; gives file name to file."""
    task, scores, origin, files = judged.task, judged.scores, judged.origin, judged.files
    rows = []
    for at, row in enumerate(scores):
        said = answer(task, row)
        rows.append(
            {
                "picture": at + 1,
                "file": None if files is None else files[at],
                "scores": dict(zip(task.names, map(float, row), strict=True)),
                "classes": list(said.classes),
                "referral": said.referral,
            }
        )
    writers: dict[str, FileWriter] = {
        PICTURES_FILE: partial(write_picture_scores, task, scores, files),
        REPORT_FILE: partial(write_whole_text, pictures_page(judged)),
    }
    fields = {"task": task_fields(task), "pictures": rows, "origin": origin_fields(origin)}
    return _write(folder, writers, fields, overwrite=overwrite)


def image_result_schema() -> dict[str, Any]:
    """Return the JSON schema of ``result.json``; it refers to that of `result_json`."""
    text = Path(__file__).with_name("image_result.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _write(
    folder: Path, writers: Mapping[str, FileWriter], fields: Mapping[str, Any], *, overwrite: bool
) -> Mapping[str, Path]:
    folder = folder.resolve()
    require_free_folder(folder, overwrite=overwrite)
    files = (*writers, RESULT_FILE)
    content = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "research_use": RESEARCH_USE,
        **fields,
        "files": sorted(files),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def fill(place: Path) -> None:
        for name, writer in writers.items():
            writer(place / name)
        (place / RESULT_FILE).write_text(text, encoding="utf-8")

    write_whole_folder(folder, fill)
    return {name: folder / name for name in files}
