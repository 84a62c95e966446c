"""Agreement of readers and model on a cohort, against worked numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from example_cohort import example_row, write_cohort

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.cohort.agreement_page import agreement_page
from RetinaTriageLib.cohort.cohort_rows import read_cohort
from RetinaTriageLib.cohort.reader_agreement import Comparison, ReaderAgreement, reader_agreement
from RetinaTriageLib.cohort.readings import Reading, record_reading
from RetinaTriageLib.errors import InputError

MODEL_SAYS = {"a": "urgent", "b": "urgent", "c": "routine", "d": "observation"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    edema = {"b": "0.9"}
    rows = [
        example_row(case, said, condition_macular_retinal_edema=edema.get(case, "0.1"))
        for case, said in MODEL_SAYS.items()
    ]
    return write_cohort(tmp_path, rows)


def read(folder: Path, reader: str, referrals: dict[str, str], *conditions: str) -> None:
    cohort = read_cohort(folder)
    for case, referral in referrals.items():
        record_reading(folder, cohort, Reading(case, reader, referral, conditions))


def pair(found: ReaderAgreement, first: str, second: str, question: str) -> Comparison:
    (one,) = (
        c for c in found.comparisons if (c.first, c.second, c.question) == (first, second, question)
    )
    return one


def test_reader_and_model_by_hand(folder: Path):
    read(folder, "AB", MODEL_SAYS | {"b": "routine"})
    one = pair(reader_agreement(folder), "AB", "model", "referral")
    assert (one.found.observed.count, one.found.observed.total) == (3, 4)
    # Chance: 1/4 x 2/4 + 2/4 x 1/4 + 1/4 x 1/4 = 5/16; kappa (12/16 - 5/16) / (11/16).
    assert one.found.kappa.value == pytest.approx(7 / 11)
    assert one.found.penalty.mean_penalty == 2 / 4  # routine taken for urgent: 2
    assert one.reverse_penalty == 7 / 4  # urgent taken for routine: 7


def test_readers_are_compared_on_the_cases_that_both_read(folder: Path):
    read(folder, "AB", {"a": "urgent", "b": "urgent"})
    read(folder, "CD", {"b": "routine", "c": "routine"})
    one = pair(reader_agreement(folder), "AB", "CD", "referral")
    assert (one.found.observed.count, one.found.observed.total) == (0, 1)


def test_readers_without_a_common_case_are_not_compared(folder: Path):
    read(folder, "AB", {"a": "urgent"})
    read(folder, "CD", {"b": "urgent"})
    found = {(one.first, one.second) for one in reader_agreement(folder).comparisons}
    assert found == {("AB", "model"), ("CD", "model")}


def test_latest_decision_counts(folder: Path):
    read(folder, "AB", {"a": "observation"})
    read(folder, "AB", {"a": "urgent"})
    assert pair(reader_agreement(folder), "AB", "model", "referral").found.observed.value == 1


def test_conditions_count_where_the_reader_said_something(folder: Path):
    read(folder, "AB", {"a": "urgent"})
    read(folder, "AB", {"b": "urgent"}, "macular_retinal_edema")
    read(folder, "AB", {"c": "routine"}, "normal")
    one = pair(reader_agreement(folder), "AB", "model", "macular_retinal_edema")
    assert one.found.confusion.tolist() == [[1, 0], [0, 1]]


def test_decision_on_a_case_that_left_the_cohort_is_noted(folder: Path):
    read(folder, "AB", MODEL_SAYS)
    write_cohort(folder, [example_row("a", "urgent")])
    found = reader_agreement(folder)
    assert found.readings == {"AB": 1}
    assert found.notes[0].startswith("3 decisions were left out")


def test_cohort_that_nobody_read_is_refused(folder: Path):
    with pytest.raises(InputError, match="no decision"):
        reader_agreement(folder)


def test_name_of_a_reader_stays_text(folder: Path):
    read(folder, "<b>AB</b>", MODEL_SAYS)
    page = agreement_page(reader_agreement(folder), "<i>")
    assert "<b>" not in page
    assert "&lt;b&gt;AB" in page


def test_command_writes_tables_and_page(folder: Path, capsys: pytest.CaptureFixture[str]):
    read(folder, "AB", MODEL_SAYS)
    assert main(["evaluate", "agreement", str(folder)]) == 0
    assert "AB and model: same referral in 4 of 4 cases, kappa 1.00" in capsys.readouterr().out
    with (folder / "agreement.csv").open(newline="") as file:
        (row,) = (row for row in csv.DictReader(file) if row["question"] == "referral")
    assert (row["kappa"], row["kappa_low"], row["cases"]) == ("1", "", "4")
    assert (folder / "agreement.html").exists()
