from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from example_case import example_case
from example_image_bundle import CLASSES
from example_result import SMALL, example_result

from RetinaTriageLib.bscan_verdict import ImageOrigin, ImageTask, volume_verdict
from RetinaTriageLib.cohort.bscan_cells import bscan_columns
from RetinaTriageLib.cohort.case_row import CaseName, case_row
from RetinaTriageLib.cohort.cohort_rows import read_cohort
from RetinaTriageLib.cohort.table import Row, cohort_columns, write_tables
from RetinaTriageLib.cohort.units import Facts
from RetinaTriageLib.image_classes import Head, Pooling
from RetinaTriageLib.outcomes import OUTCOME_HEADS
from RetinaTriageLib.result import Vocabulary
from RetinaTriageLib.tissues import TISSUES

COLUMNS = cohort_columns(Vocabulary(TISSUES, OUTCOME_HEADS))
TASK = ImageTask(CLASSES, Head.SOFTMAX)
ORIGIN = ImageOrigin("example 1.0", "0" * 64, "Any.", "Nothing.", "0", "0", "CPU", 0.0)


def row_of(file: str, series: int | None = None) -> Row:
    name = CaseName(f"case-{file}-{series}", file, series, Facts("P1", "2026-11-21", 71.0, "male"))
    return case_row(example_result(SMALL), name)


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "cohort.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_row_fills_the_columns_of_its_vocabulary() -> None:
    assert set(row_of("a")) == {column.name for column in COLUMNS}


def test_row_says_what_the_result_says() -> None:
    result, row = example_result(SMALL), row_of("a", 2)
    assert (row["file"], row["series"], row["patient_id"]) == ("a", 2, "P1")
    assert row["referral"] == result.verdict.decisions["referral"][0]
    assert row["condition_cnv"] == pytest.approx(result.verdict.scores["conditions"][1], rel=1e-5)
    etdrs = result.measurements.etdrs
    assert etdrs is not None
    assert row["central_subfield_um"] == pytest.approx(etdrs.thickness_um["C0"], rel=1e-5)
    assert row["bundle"], row["bundle_version"] == ("example-bundle", "0.1")


def test_sentences_on_the_machine_stay_out_of_the_row() -> None:
    (note,) = example_result(SMALL).provenance.notes
    row = case_row(example_result(SMALL), CaseName("a", "a", None, Facts()), said=[note])
    assert note not in str(row["notes"])


def test_what_was_not_measured_is_empty_and_not_zero(tmp_path: Path) -> None:
    row = case_row(example_case(), CaseName("a", "a", None, Facts()))
    write_tables(tmp_path, COLUMNS, [row], [])
    (cells,) = table(tmp_path)
    assert cells["etdrs_S1_um"] == cells["age"] == cells["volume_rpe_nl"] == ""
    assert cells["central_subfield_um"] == "280.5"


def test_equal_rows_give_equal_files_in_any_order(tmp_path: Path) -> None:
    rows = [row_of("b"), row_of("a", 10), row_of("a", 2)]
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_tables(tmp_path / folder, COLUMNS, rows, [])
        rows.reverse()
    for name in ("cohort.csv", "cohort.parquet", "failures.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert [(row["file"], row["series"]) for row in table(tmp_path / "one")] == [
        ("a", "2"),
        ("a", "10"),
        ("b", ""),
    ]


def test_parquet_holds_what_the_csv_holds(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_tables(tmp_path, COLUMNS, [row_of("a", 1)], [])
    (stored,) = parquet.read_table(tmp_path / "cohort.parquet").to_pylist()
    (cells,) = table(tmp_path)
    assert list(stored) == list(cells)
    assert stored["age"] == float(cells["age"]) == 71.0
    assert stored["referral_urgent"] == float(cells["referral_urgent"])
    assert stored["central_subfield_um"] == float(cells["central_subfield_um"])


def test_the_page_reads_the_outcomes_of_the_table(tmp_path: Path) -> None:
    write_tables(tmp_path, COLUMNS, [row_of("a")], [])
    cohort = read_cohort(tmp_path)
    assert cohort.referrals == OUTCOME_HEADS[0].names
    assert cohort.conditions == OUTCOME_HEADS[1].names


def test_classifier_of_bscans_adds_its_verdict_and_where_the_two_differ() -> None:
    bscans = volume_verdict(TASK, [[0.1, 0.2, 0.7], [0.8, 0.1, 0.1]], Pooling.MAXIMUM, ORIGIN)
    result = replace(example_result(SMALL), bscan_verdict=bscans)
    row = case_row(result, CaseName("a", "a", None, Facts()))
    columns = cohort_columns(Vocabulary(TISSUES, OUTCOME_HEADS), bscan_columns(TASK))
    assert set(row) == {column.name for column in columns}
    assert (row["bscan_classes"], row["bscan_score_CNV"]) == ("CNV", 0.8)
    differs = row["referral"] != "urgent" or "cnv" not in str(row["conditions"])
    assert row["bscan_differs"] == ("yes" if differs else "no")
    assert str(row["bscan_disagreement"]).startswith("The two verdicts")
