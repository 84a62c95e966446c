"""``summary.csv`` of a batch: one row a case, with its state, its verdict and main measurements."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.tissues import TissueGroup
from RetinaTriageLib.writers.whole_files import whole_files

if TYPE_CHECKING:
    from RetinaTriageSlicer.batch import BatchCase

SUMMARY_FILE = "summary.csv"
COLUMNS = ("case", "source", "state", "reason", "seconds")
LESION_GROUPS = (TissueGroup.FLUID, TissueGroup.PED)


def resultFigures(result: TriageResult) -> dict[str, str]:
    """Column to value: decided outcomes by head, scores, central thickness, lesion volumes."""
    volume, verdict = result.volume, result.verdict
    figures = {
        "bundle": result.provenance.bundle_name,
        "bundle_sha256": result.provenance.bundle_sha256,
        "laterality": volume.laterality.value if volume.laterality else "unknown",
    }
    for head in result.vocabulary.heads:
        figures[head.name] = " ".join(verdict.decisions[head.name])
        for name, score in zip(head.names, verdict.scores[head.name], strict=True):
            figures[f"{head.name}_{name}"] = f"{score:.4f}"
    etdrs = result.measurements.etdrs
    figures["central_thickness_um"] = "" if etdrs is None else f"{etdrs.thickness_um['C0']:.1f}"
    for measure in result.measurements.tissues:
        if measure.tissue.group in LESION_GROUPS:
            figures[f"{measure.tissue.name}_nl"] = f"{measure.volume_mm3['all'] * 1000:.2f}"
    figures["not_measured"] = " ".join(result.measurements.refused)
    return figures


def readSummary(folder: Path) -> dict[str, dict[str, str]]:
    """Rows of an earlier call by the name of their case; none where there was no call.

    Raises
    ------
    InputError
        If the file there is not a summary.
    """
    path = folder / SUMMARY_FILE
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, restval="")
        if not set(COLUMNS) <= set(reader.fieldnames or ()):
            msg = (
                f"{path} is not a summary of this program; expected columns {', '.join(COLUMNS)}. "
                "Choose another folder, or move the file."
            )
            raise InputError(msg)
        return {
            row["case"]: {name: value for name, value in row.items() if name and value}
            | {column: row[column] for column in COLUMNS}
            for row in reader
        }


def writeSummary(
    folder: Path, cases: Sequence[BatchCase], earlier: dict[str, dict[str, str]]
) -> None:
    """Write the summary: cases of this call, then those of earlier calls that it has not come to.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    rows = [
        {
            "case": case.name,
            "source": case.source,
            "state": case.state,
            "reason": case.reason,
            "seconds": f"{case.seconds:.1f}",
            **case.figures,
        }
        for case in cases
    ]
    ended = {case.name for case in cases}
    rows += [row for name, row in earlier.items() if name not in ended]
    columns = list(dict.fromkeys((*COLUMNS, *(column for row in rows for column in row))))
    with (
        whole_files(folder / SUMMARY_FILE) as (path,),
        path.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
