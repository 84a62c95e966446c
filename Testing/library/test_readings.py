"""Decisions of readers: appended whole, never changed, read back whatever became of the file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from example_cohort import example_row, write_cohort

from RetinaTriageLib.cohort.cohort_rows import read_cohort
from RetinaTriageLib.cohort.readings import (
    READINGS_FILE,
    Reading,
    latest_readings,
    read_readings,
    record_reading,
)
from RetinaTriageLib.errors import InputError, OutputError

DECISION = Reading("one", "AB", "urgent", ("cnv", "drusen"), "see fovea", model_shown=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [example_row("one", "routine", condition_cnv="0.8"), example_row("two")]
    return write_cohort(tmp_path, rows)


def record(folder: Path, reading: Reading) -> Reading:
    return record_reading(folder, read_cohort(folder), reading)


def test_decision_survives_writing_and_reading(folder: Path):
    written = record(folder, DECISION)
    assert read_readings(folder) == (written,)
    assert replace(written, time="") == DECISION


def test_model_answer_stands_beside_the_decision(folder: Path):
    record(folder, DECISION)
    header, line = (folder / READINGS_FILE).read_text().splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    assert (cells["model_referral"], cells["model_conditions"]) == ("routine", "cnv")
    assert (cells["model_shown"], cells["bundle"]) == ("no", "made up")


def test_changed_decision_is_a_new_row_and_counts(folder: Path):
    record(folder, DECISION)
    record(folder, replace(DECISION, referral="routine"))
    readings = read_readings(folder)
    assert [one.referral for one in readings] == ["urgent", "routine"]
    assert latest_readings(readings)["AB", "one"].referral == "routine"


def test_comment_of_many_lines_stays_one_row(folder: Path):
    record(folder, replace(DECISION, comment='two\nlines, "quoted"\r\n\x00end'))
    (reading,) = read_readings(folder)
    assert reading.comment == 'two lines, "quoted" end'


def test_line_that_was_cut_off_spoils_no_other(folder: Path):
    record(folder, DECISION)
    with (folder / READINGS_FILE).open("a") as file:
        file.write('2026-01-01,AB,two,"urg')
    record(folder, replace(DECISION, referral="routine"))
    assert [one.referral for one in read_readings(folder)][::2] == ["urgent", "routine"]


def test_many_writers_lose_no_decision(folder: Path):
    cohort = read_cohort(folder)
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda at: record_reading(folder, cohort, replace(DECISION, reader=f"R{at}")),
                range(40),
            )
        )
    assert sorted(one.reader for one in read_readings(folder)) == sorted(f"R{i}" for i in range(40))


@pytest.mark.parametrize(
    "change",
    [
        {"case_id": "three"},
        {"reader": "  "},
        {"reader": "a\nb"},
        {"reader": "x" * 41},
        {"referral": "soon"},
        {"conditions": ("mumps",)},
    ],
)
def test_decision_that_makes_no_sense_is_refused(folder: Path, change: dict[str, str]):
    with pytest.raises(InputError):
        record(folder, replace(DECISION, **change))  # type: ignore[arg-type]
    assert not (folder / READINGS_FILE).exists()


def test_file_of_something_else_is_left_alone(folder: Path):
    (folder / READINGS_FILE).write_text("a;b\n1;2\n")
    with pytest.raises(InputError, match="starts with another line"):
        record(folder, DECISION)
    assert (folder / READINGS_FILE).read_text() == "a;b\n1;2\n"


def test_place_that_cannot_be_written_is_said(folder: Path):
    (folder / READINGS_FILE).mkdir()
    with pytest.raises(OutputError, match="Could not write"):
        record(folder, DECISION)
