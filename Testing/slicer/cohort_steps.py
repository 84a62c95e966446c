"""Cohorts of small eyes on the disk, as tests of the reading session need them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from example_cohort import Row, example_row, write_cohort
from example_result import SMALL, Example, example_map, example_volume, result_from_maps

from RetinaTriageLib.result import TriageResult
from RetinaTriageLib.volume import Laterality
from RetinaTriageLib.writers.case_folder import write_case
from RetinaTriageLib.writers.volume_file import write_volume

REFERRALS = {"Miller_one": "routine", "Miller_two": "urgent", "Miller_three": "observation"}


def eye(name: str, number: int) -> Example:
    """Eyes of different widths, so that none is taken for another."""
    return replace(SMALL, name=name, shape=(13, 128, 104 + 8 * number), laterality=Laterality.OS)


def made_result(name: str, number: int) -> TriageResult:
    example = eye(name, number)
    maps = [example_map(example, at) for at in range(2)]
    return result_from_maps(example_volume(example, maps[0]), maps)


def small_cohort(parent: Path) -> Path:
    """Three cases, whose scans lie in ``scans`` beside the cohort."""
    (parent / "scans").mkdir()
    rows: list[Row] = []
    for number, (name, referral) in enumerate(REFERRALS.items()):
        result = made_result(name, number)
        case = f"{name}-{number:010x}"
        write_volume(result.volume, parent / "scans" / f"{name}.nrrd")
        write_case(result, parent / "cohort" / "cases" / case)
        cells = {"file": f"{name}.nrrd", "patient_id": f"P{number}", "age": "61"}
        rows.append(example_row(case, referral, **cells, condition_cnv="0.8"))
    return write_cohort(parent / "cohort", rows)
